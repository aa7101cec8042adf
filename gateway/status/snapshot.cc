#include "gateway/status/snapshot.h"

namespace ampari {

const DeliveryStatus* DeliveryOf(const GatewaySnapshot& snapshot, const DestinationId& id) {
  for (const DeliveryStatus& delivery : snapshot.deliveries) {
    if (delivery.id == id) return &delivery;
  }
  return nullptr;
}

DiskRates DiskRatesOf(const GatewaySnapshot& snapshot) {
  DiskRates rates{snapshot.store.disk_bytes, snapshot.store.max_bytes, 0, 0, 0, 0};
  for (const DestinationStatus& destination : snapshot.store.destinations) {
    const DeliveryStatus* delivery = DeliveryOf(snapshot, destination.id);
    if (delivery == nullptr || destination.ledger.pending_bytes <= rates.pending_bytes) continue;
    rates.pending = destination.ledger.pending;
    rates.pending_bytes = destination.ledger.pending_bytes;
    rates.accepted_per_second = delivery->accepted_rate;
    rates.delivered_per_second = delivery->delivered_rate;
  }
  return rates;
}

std::string_view SignalName(Signal signal) {
  return signal == Signal::kMetrics ? "metrics" : "logs";
}

}  // namespace ampari
