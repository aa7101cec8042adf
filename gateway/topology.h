// What of a configuration the store must know, and what of it cannot change while the gateway runs.
// Pure.
#pragma once

#include <vector>

#include "absl/status/status.h"
#include "gateway/config.h"
#include "gateway/store/store.h"

namespace ampari {

// One queue per tenant and signal that has a destination.
std::vector<QueueTopology> TopologyOf(const GatewayConfig& config);

// InvalidArgument names the first key that takes a restart to change: addresses, TLS files, the
// storage directory.
absl::Status CheckReloadable(const GatewayConfig& before, const GatewayConfig& after);

}  // namespace ampari
