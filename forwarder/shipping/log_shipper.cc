#include "forwarder/shipping/log_shipper.h"

#include <algorithm>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "common/frame/frame.h"
#include "forwarder/shipping/log_cargo.h"
#include "forwarder/shipping/stream_driver.h"

namespace ampari {
namespace {

// Of the ring, so much stays free for the next frame at most.
constexpr size_t kRoomShare = 4;

}  // namespace

// The wiring: frames wait in the ring, the driver streams them, the cargo knows of files.
class LogShipper::Core final : public DriverLoad {
 public:
  Core(ShippingOptions options, const Clock& clock, std::function<void()> wake)
      : options_(std::move(options)),
        clock_(clock),
        wake_(std::move(wake)),
        ring_(options_.ring_bytes, RingFull::kKeep),
        cargo_(ring_),
        session_({options_.forwarder_name, RandomInstance}, ring_, cargo_),
        driver_(options_, "lines", clock_, ring_, session_, *this) {}

  StreamDriver& driver() { return driver_; }

  std::optional<LogDirections> TakeDirections() {
    MutexLock lock(driver_.mu());
    return cargo_.TakeDirections();
  }

  bool HasRoom() {
    MutexLock lock(driver_.mu());
    return HasRoomLocked();
  }

  bool Push(LogFlush flush) {
    {
      MutexLock lock(driver_.mu());
      if (!cargo_.Takes(flush.round)) return false;
      const absl::Duration now = clock_.Monotonic();
      frame_bytes_ += flush.frame.size();
      ++frames_;
      lines_ += flush.lines;
      ring_.Push(WithSequence(std::move(flush.frame), ring_.next()), flush.lines, now);
      cargo_.OnPushed(flush.files);
      session_.OnPushed(now);
    }
    driver_.Wake();
    return true;
  }

  void Retire(std::vector<std::string> keys) {
    {
      MutexLock lock(driver_.mu());
      cargo_.Retire(std::move(keys));
    }
    driver_.Wake();
  }

  ShippingStatus status() {
    MutexLock lock(driver_.mu());
    ShippingStatus status = driver_.status();
    status.ring_max_bytes = options_.ring_bytes;
    status.frames_total = frames_;
    status.frame_bytes_total = frame_bytes_;
    status.samples_total = lines_;
    return status;
  }

  // --- DriverLoad
  void OnHeard() override {
    bool news = false;
    {
      MutexLock lock(driver_.mu());
      const uint64_t acknowledged = ring_.acknowledged();
      news = cargo_.has_directions() || acknowledged != heard_acknowledged_;
      heard_acknowledged_ = acknowledged;
    }
    if (news) wake_();
  }

 private:
  bool HasRoomLocked() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(driver_.mu()) {
    const size_t largest =
        std::min<size_t>(session_.status().max_frame_bytes, options_.ring_bytes / kRoomShare);
    const size_t waiting = ring_.last() - ring_.acknowledged();
    return waiting < Ring::kMaxEntries &&
           ring_.unacknowledged_bytes() + waiting * sizeof(RingEntry) + largest <=
               options_.ring_bytes;
  }

  const ShippingOptions options_;
  const Clock& clock_;
  const std::function<void()> wake_;
  Ring ring_ ABSL_GUARDED_BY(driver_.mu());
  LogCargo cargo_ ABSL_GUARDED_BY(driver_.mu());
  Session session_ ABSL_GUARDED_BY(driver_.mu());
  uint64_t frames_ ABSL_GUARDED_BY(driver_.mu()) = 0;
  uint64_t frame_bytes_ ABSL_GUARDED_BY(driver_.mu()) = 0;
  uint64_t lines_ ABSL_GUARDED_BY(driver_.mu()) = 0;
  uint64_t heard_acknowledged_ ABSL_GUARDED_BY(driver_.mu()) = 0;
  mutable StreamDriver driver_;
};

LogShipper::LogShipper(ShippingOptions options, const Clock& clock, std::function<void()> wake)
    : core_(std::make_unique<Core>(std::move(options), clock, std::move(wake))) {}
LogShipper::~LogShipper() { (void)Stop(absl::ZeroDuration()); }
void LogShipper::Start() { core_->driver().Start(); }
std::optional<LogDirections> LogShipper::TakeDirections() { return core_->TakeDirections(); }
bool LogShipper::HasRoom() const { return core_->HasRoom(); }
bool LogShipper::Push(LogFlush flush) { return core_->Push(std::move(flush)); }
void LogShipper::Retire(std::vector<std::string> keys) { core_->Retire(std::move(keys)); }
void LogShipper::MoveTo(const std::string& address) { core_->driver().MoveTo(address); }
ShippingStatus LogShipper::status() const { return core_->status(); }
absl::Status LogShipper::Stop(absl::Duration grace) { return core_->driver().Stop(grace); }

}  // namespace ampari
