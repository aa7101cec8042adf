#include "gateway/status/snapshot.h"

namespace ampari {

const DeliveryStatus* DeliveryOf(const GatewaySnapshot& snapshot, const DestinationId& id) {
  for (const DeliveryStatus& delivery : snapshot.deliveries) {
    if (delivery.id == id) return &delivery;
  }
  return nullptr;
}

std::string_view SignalName(Signal signal) {
  return signal == Signal::kMetrics ? "metrics" : "logs";
}

}  // namespace ampari
