// The body that a sidecar's :15020/stats/prometheus gives: agent, Envoy and application parts, one
// after the other.
#pragma once

#include <cstdint>

#include "bench/mesh/exposition.h"
#include "bench/mesh/pod.h"

namespace ampari::bench {

struct TrafficOptions {
  int http_combinations = 6;   // 67 series each
  int spare_combinations = 0;  // hidden at first, for churn: groups http_combinations and up
  int tcp_combinations = 1;    // 4 series each
};

// Groups of the exposition are the HTTP combinations, from 0.
void FillSidecarBody(const Pod& pod, const TrafficOptions& traffic, RandomStream& random,
                     Exposition& out);

// The parts, in order.
void FillAgentPart(Exposition& out);
void FillEnvoyPart(const Pod& pod, const TrafficOptions& traffic, RandomStream& random,
                   Exposition& out);
void FillApplicationPart(const Pod& pod, Exposition& out);

// istiod's :15014/metrics.
void FillIstiodBody(Exposition& out);

}  // namespace ampari::bench
