// DestinationSet: the running destinations by name, kept as the configuration says.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "common/runtime/clock.h"
#include "common/runtime/mutex.h"
#include "gateway/config.h"
#include "gateway/delivery/destination.h"
#include "gateway/delivery/log_destination.h"
#include "gateway/layouts/layout_cache.h"
#include "gateway/store/store.h"

namespace ampari {

// Thread-safe, but for two TakeOver at a time. Owns the destinations; `store`, `layouts` and
// `clock` must outlive it.
class DestinationSet {
 public:
  DestinationSet(Store& store, LayoutCache& layouts, const Clock& clock)
      : store_(store), layouts_(layouts), clock_(clock) {}

  // Starts what is new, reconfigures what has its name already (the backlog stays), stops what is
  // missing. The store knows the new topology already.
  void TakeOver(const GatewayConfig& config);
  std::vector<DeliveryStatus> statuses() const;
  // Stops sending, settles what was answered. The destinations stay visible.
  void Stop();

 private:
  using Running = std::variant<std::shared_ptr<Destination>, std::shared_ptr<LogDestination>>;
  using Destinations = std::map<DestinationId, Running>;
  Destinations current() const;
  Running Start(const DestinationId& id, const RemoteWriteConfig& write, const Labels& external);
  Running Start(const DestinationId& id, const LokiWriteConfig& write, const Labels& external);
  // What is in force of `writes` from now on.
  template <typename Kind, typename Write>
  void TakeOver(const std::string& tenant, Signal signal, const std::vector<Write>& writes,
                const Labels& external, const Destinations& former, Destinations* next);

  Store& store_;
  LayoutCache& layouts_;
  const Clock& clock_;
  mutable Mutex mu_;  // never held while a destination is called
  Destinations destinations_ ABSL_GUARDED_BY(mu_);
};

}  // namespace ampari
