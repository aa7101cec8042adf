// When the credentials end that a forwarder shows and trusts at its gateway.
#pragma once

#include "common/runtime/metrics.h"
#include "forwarder/config.h"

namespace ampari {

// Reads the files anew at each call, as a connection does. What does not end, or cannot be read,
// has no sample.
MetricsCollector CredentialMetrics(GatewayClientConfig gateway);

}  // namespace ampari
