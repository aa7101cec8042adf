#include "forwarder/log_stages.h"

#include <algorithm>
#include <utility>

#include "common/runtime/logging.h"
#include "forwarder/shipping/log_shipper.h"
#include "forwarder/tail/log_tailer.h"

namespace ampari {

// The stages from the moment on that they exist.
class LogStages::Running {
 public:
  Running(ShippingOptions shipping, const Clock& clock)
      : clock_(clock),
        shipper_(std::move(shipping), clock, [this] { tailer_.Wake(); }),
        tailer_(Tailing()) {
    shipper_.Start();  // it wakes the tailer, which is there by now
    tailer_.Start();
  }
  ~Running() { (void)Stop(absl::ZeroDuration()); }

  void Apply(LogTargetSet targets) { tailer_.Apply(std::move(targets)); }
  void MoveTo(const std::string& address) { shipper_.MoveTo(address); }
  LogTailStatus tailing(bool with_files) const { return tailer_.status(with_files); }
  ShippingStatus shipping() const { return shipper_.status(); }

  absl::Status Stop(absl::Duration grace) {
    if (std::exchange(stopped_, true)) return absl::OkStatus();
    const absl::Duration deadline = clock_.Monotonic() + grace;
    tailer_.Stop();
    return shipper_.Stop(std::max(absl::ZeroDuration(), deadline - clock_.Monotonic()));
  }

 private:
  LogTailerOptions Tailing() {
    LogTailerOptions options;
    options.clock = &clock_;
    options.take_directions = [this] { return shipper_.TakeDirections(); };
    options.has_room = [this] { return shipper_.HasRoom(); };
    options.push = [this](LogFlush flush) { return shipper_.Push(std::move(flush)); };
    options.retire = [this](std::vector<std::string> keys) { shipper_.Retire(std::move(keys)); };
    options.superseded = [this] { return shipper_.status().superseded; };
    return options;
  }

  const Clock& clock_;
  bool stopped_ = false;
  LogShipper shipper_;
  LogTailer tailer_;
};

LogStages::LogStages(ShippingOptions shipping, const Clock& clock)
    : clock_(clock), shipping_(std::move(shipping)) {}

LogStages::~LogStages() { (void)Stop(absl::ZeroDuration()); }

LogStages::Running* LogStages::running() const {
  MutexLock lock(mu_);
  return running_.get();
}

void LogStages::Begin() {
  MutexLock lock(mu_);
  if (running_ != nullptr || stopped_) return;
  Log(LogLevel::kInfo, "logs are read and shipped from now on", {{"gateway", shipping_.address}});
  running_ = std::make_unique<Running>(shipping_, clock_);
}

void LogStages::Apply(DiscoveredLogs found) {
  LogTargetSet targets{found.targets, found.dropped_total, std::move(found.job_names)};
  {
    MutexLock lock(mu_);
    targets_ = std::move(found.targets);
    dropped_ = {std::move(found.dropped), found.dropped_total};
  }
  Running* stages = running();
  if (stages == nullptr) return;
  static LogLimit limit;  // pods come and go
  Log(limit, LogLevel::kInfo, "log targets",
      {{"count", targets.targets.size()}, {"dropped", targets.dropped_total}});
  stages->Apply(std::move(targets));
}

void LogStages::MoveTo(const std::string& address) {
  {
    MutexLock lock(mu_);
    shipping_.address = address;
  }
  if (Running* stages = running(); stages != nullptr) stages->MoveTo(address);
}

LogView LogStages::view(bool with_files) const {
  LogView view;
  const Running* stages = running();
  if (stages == nullptr) return view;
  view.running = true;
  view.tailing = stages->tailing(with_files);
  view.shipping = stages->shipping();
  MutexLock lock(mu_);
  view.targets_count = targets_.size();
  view.dropped.total = dropped_.total;
  if (with_files) {
    view.targets = targets_;
    view.dropped.targets = dropped_.targets;
  }
  return view;
}

ShippingStatus LogStages::shipping() const {
  const Running* stages = running();
  return stages == nullptr ? ShippingStatus() : stages->shipping();
}

absl::Status LogStages::Stop(absl::Duration grace) {
  {
    MutexLock lock(mu_);
    stopped_ = true;
  }
  Running* stages = running();
  return stages == nullptr ? absl::OkStatus() : stages->Stop(grace);
}

}  // namespace ampari
