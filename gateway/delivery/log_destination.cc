#include "gateway/delivery/log_destination.h"

#include <utility>

#include "gateway/delivery/destination_loop.h"
#include "gateway/delivery/log_cargo.h"
#include "gateway/delivery/store_source.h"

namespace ampari {

class LogDestination::Core {
 public:
  Core(const DestinationId& id, DeliverySettings settings, Store& store, const Clock& clock)
      : source_(store, id),
        loop_(id, std::move(settings), source_, std::make_unique<LogCargo>(id.tenant), clock) {}
  DestinationLoop& loop() { return loop_; }

 private:
  StoreSource source_;
  DestinationLoop loop_;
};

LogDestination::LogDestination(const DestinationId& id, LokiWriteConfig config,
                               Labels external_labels, Store& store, const Clock& clock)
    : core_(std::make_unique<Core>(
          id, DeliverySettings{std::move(config), std::move(external_labels)}, store, clock)) {}
LogDestination::~LogDestination() = default;

void LogDestination::Start() { core_->loop().Start(); }

void LogDestination::Reconfigure(LokiWriteConfig config, Labels external_labels) {
  core_->loop().Reconfigure({std::move(config), std::move(external_labels)});
}

DeliveryStatus LogDestination::status() const { return core_->loop().status(); }
void LogDestination::Stop() { core_->loop().Stop(); }

}  // namespace ampari
