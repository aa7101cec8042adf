// Which watches a discovery needs, and when two of them are the same. Pure.
#pragma once

#include <string>
#include <vector>

#include "forwarder/config.h"
#include "forwarder/discovery/kubernetes/pod_query.h"

namespace ampari {

// One watch of a discovery: one namespace, or all of them.
struct WantedWatch {
  std::string key;  // equal for watches that ask the same of the same server as the same client;
                    // holds inline secrets: never shown
  PodQuery query;
  bool own_namespace = false;  // in place of the query's
};

// In the order of the configuration, own_namespace last, none twice. `node` empty: all nodes.
std::vector<WantedWatch> WatchesOf(const KubernetesDiscoveryConfig& config,
                                   const std::string& node);

}  // namespace ampari
