// The metrics of the watched collections of pods. Pure.
#pragma once

#include <vector>

#include "common/runtime/metrics.h"
#include "forwarder/discovery/kubernetes/pod_watch_status.h"

namespace ampari {

// Families ampari_forwarder_kubernetes_*; none without a watch.
void AppendKubernetesMetrics(const std::vector<PodWatchStatus>& watches,
                             std::vector<MetricFamily>& families);

}  // namespace ampari
