#include "gateway/status/snapshot.h"

#include <algorithm>
#include <map>
#include <utility>

namespace ampari {

const DeliveryStatus* DeliveryOf(const GatewaySnapshot& snapshot, const DestinationId& id) {
  for (const DeliveryStatus& delivery : snapshot.deliveries) {
    if (delivery.id == id) return &delivery;
  }
  return nullptr;
}

DiskRates DiskRatesOf(const GatewaySnapshot& snapshot) {
  std::map<std::pair<std::string_view, Signal>, QueueRates> queues;
  for (const DestinationStatus& destination : snapshot.store.destinations) {
    QueueRates& queue = queues[{destination.id.tenant, destination.id.signal}];
    const DeliveryStatus* delivery = DeliveryOf(snapshot, destination.id);
    if (delivery != nullptr) {
      queue.accepted_per_second = std::max(queue.accepted_per_second, delivery->accepted_rate);
    }
    if (destination.ledger.pending_bytes <= queue.pending_bytes) continue;
    queue.pending = destination.ledger.pending;
    queue.pending_bytes = destination.ledger.pending_bytes;
    queue.delivered_per_second = delivery == nullptr ? 0 : delivery->delivered_rate;
  }
  DiskRates rates{snapshot.store.disk_bytes, snapshot.store.max_bytes, {}};
  for (const auto& [id, queue] : queues) rates.queues.push_back(queue);
  return rates;
}

std::string_view SignalName(Signal signal) {
  return signal == Signal::kMetrics ? "metrics" : "logs";
}

}  // namespace ampari
