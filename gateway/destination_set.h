// DestinationSet: the running destinations by name, kept as the configuration says.
#pragma once

#include <map>
#include <memory>
#include <vector>

#include "common/runtime/clock.h"
#include "common/runtime/mutex.h"
#include "gateway/config.h"
#include "gateway/delivery/destination.h"
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
  using Destinations = std::map<DestinationId, std::shared_ptr<Destination>>;
  Destinations current() const;

  Store& store_;
  LayoutCache& layouts_;
  const Clock& clock_;
  mutable Mutex mu_;  // never held while a destination is called
  Destinations destinations_ ABSL_GUARDED_BY(mu_);
};

}  // namespace ampari
