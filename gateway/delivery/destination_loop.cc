#include "gateway/delivery/destination_loop.h"

#include <utility>

#include "gateway/delivery/delivery_run.h"

namespace ampari {

DestinationLoop::DestinationLoop(DestinationId id, DeliverySettings settings, RecordSource& source,
                                 std::unique_ptr<Cargo> cargo, const Clock& clock)
    : id_(id),
      settings_(std::move(settings)),
      source_(source),
      cargo_(std::move(cargo)),
      clock_(clock),
      meter_(std::move(id)),
      mail_(std::make_shared<LoopMail>()) {
  std::visit([this](const auto& config) { meter_.SetUrl(config.url); }, settings_.config);
}

DestinationLoop::~DestinationLoop() { Stop(); }

void DestinationLoop::Start() {
  if (thread_.joinable()) return;
  thread_ = std::thread([this, started_ms = source_.NowMs()] { Run(started_ms); });
}

void DestinationLoop::Run(int64_t started_ms) {
  HttpLoop http;
  mail_->Attach(&http);
  DeliveryRun run({id_, source_, *cargo_, clock_, meter_, mail_, http, started_ms}, settings_);
  run.Run();
  mail_->Detach();
}

void DestinationLoop::Reconfigure(DeliverySettings settings) {
  mail_->Configure(std::move(settings));
}

DeliveryStatus DestinationLoop::status() const { return meter_.status(clock_.Monotonic()); }

void DestinationLoop::Stop() {
  if (!thread_.joinable()) return;
  mail_->Stop();
  thread_.join();
}

}  // namespace ampari
