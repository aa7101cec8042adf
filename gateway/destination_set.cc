#include "gateway/destination_set.h"

#include <utility>

namespace ampari {

DestinationSet::Destinations DestinationSet::current() const {
  MutexLock lock(mu_);
  return destinations_;
}

void DestinationSet::TakeOver(const GatewayConfig& config) {
  const Destinations former = current();
  Destinations next;
  for (const TenantConfig& tenant : config.tenants) {
    for (const RemoteWriteConfig& write : tenant.remote_write) {
      const DestinationId id{tenant.id, Signal::kMetrics, write.name};
      const auto found = former.find(id);
      if (found != former.end()) {
        found->second->Reconfigure(write, config.external_labels);
        next[id] = found->second;
      } else {
        next[id] = std::make_shared<Destination>(id, write, config.external_labels, store_,
                                                 layouts_, clock_);
        next[id]->Start();
      }
    }
  }
  for (const auto& [id, destination] : former) {
    if (!next.contains(id)) destination->Stop();
  }
  MutexLock lock(mu_);
  destinations_.swap(next);
}

std::vector<DeliveryStatus> DestinationSet::statuses() const {
  std::vector<DeliveryStatus> statuses;
  for (const auto& [id, destination] : current()) statuses.push_back(destination->status());
  return statuses;
}

void DestinationSet::Stop() {
  for (const auto& [id, destination] : current()) destination->Stop();
}

}  // namespace ampari
