#include "gateway/destination_set.h"

#include <utility>

namespace ampari {

DestinationSet::Destinations DestinationSet::current() const {
  MutexLock lock(mu_);
  return destinations_;
}

DestinationSet::Running DestinationSet::Start(const DestinationId& id,
                                              const RemoteWriteConfig& write,
                                              const Labels& external) {
  auto destination = std::make_shared<Destination>(id, write, external, store_, layouts_, clock_);
  destination->Start();
  return destination;
}

DestinationSet::Running DestinationSet::Start(const DestinationId& id, const LokiWriteConfig& write,
                                              const Labels& external) {
  auto destination = std::make_shared<LogDestination>(id, write, external, store_, clock_);
  destination->Start();
  return destination;
}

template <typename Kind, typename Write>
void DestinationSet::TakeOver(const std::string& tenant, Signal signal,
                              const std::vector<Write>& writes, const Labels& external,
                              const Destinations& former, Destinations* next) {
  for (const Write& write : writes) {
    const DestinationId id{tenant, signal, write.name};
    const auto found = former.find(id);
    if (found == former.end()) {
      next->emplace(id, Start(id, write, external));
    } else {
      std::get<std::shared_ptr<Kind>>(found->second)->Reconfigure(write, external);
      next->insert(*found);
    }
  }
}

void DestinationSet::TakeOver(const GatewayConfig& config) {
  const Destinations former = current();
  const Labels& external = config.external_labels;
  Destinations next;
  for (const TenantConfig& tenant : config.tenants) {
    TakeOver<Destination>(tenant.id, Signal::kMetrics, tenant.remote_write, external, former,
                          &next);
    TakeOver<LogDestination>(tenant.id, Signal::kLogs, tenant.loki_write, external, former, &next);
  }
  for (const auto& [id, running] : former) {
    if (next.contains(id)) continue;
    std::visit([](const auto& destination) { destination->Stop(); }, running);
  }
  MutexLock lock(mu_);
  destinations_.swap(next);
}

std::vector<DeliveryStatus> DestinationSet::statuses() const {
  std::vector<DeliveryStatus> statuses;
  for (const auto& [id, running] : current()) {
    std::visit([&](const auto& destination) { statuses.push_back(destination->status()); },
               running);
  }
  return statuses;
}

void DestinationSet::Stop() {
  for (const auto& [id, running] : current())
    std::visit([](const auto& destination) { destination->Stop(); }, running);
}

}  // namespace ampari
