#include "gateway/delivery/destination.h"

#include <utility>

#include "gateway/delivery/destination_loop.h"
#include "gateway/delivery/sample_cargo.h"
#include "gateway/delivery/store_source.h"

namespace ampari {

class Destination::Core {
 public:
  Core(const DestinationId& id, DeliverySettings settings, Store& store, LayoutCache& layouts,
       const Clock& clock)
      : source_(store, id),
        loop_(id, std::move(settings), source_, std::make_unique<SampleCargo>(id.tenant, layouts),
              clock) {}
  DestinationLoop& loop() { return loop_; }

 private:
  StoreSource source_;
  DestinationLoop loop_;
};

Destination::Destination(DestinationId id, RemoteWriteConfig config, Labels external_labels,
                         Store& store, LayoutCache& layouts, const Clock& clock)
    : core_(std::make_unique<Core>(id,
                                   DeliverySettings{std::move(config), std::move(external_labels)},
                                   store, layouts, clock)) {}
Destination::~Destination() = default;

void Destination::Start() { core_->loop().Start(); }

void Destination::Reconfigure(RemoteWriteConfig config, Labels external_labels) {
  core_->loop().Reconfigure({std::move(config), std::move(external_labels)});
}

DeliveryStatus Destination::status() const { return core_->loop().status(); }
void Destination::Stop() { core_->loop().Stop(); }

}  // namespace ampari
