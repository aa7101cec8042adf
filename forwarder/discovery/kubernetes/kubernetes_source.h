// KubernetesSource: keeps the pods of kubernetes_sd_configs known by listing and watching the API.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "forwarder/config.h"
#include "forwarder/discovery/kubernetes/api_access.h"
#include "forwarder/discovery/kubernetes/pod_watch.h"
#include "forwarder/discovery/kubernetes/pod_watch_status.h"

namespace ampari {

struct KubernetesSourceOptions {
  uint64_t seed = 0;  // of the jitter
  InClusterFiles in_cluster;
  PodWatchTimings timings;
};

// Owns one thread with one HttpLoop. Thread-safe. Discoveries that ask the same are one watch, one
// for each namespace. Whatever the API does, the last known pods stay until a complete list or a
// DELETED event says otherwise; PodWatch has the protocol.
class KubernetesSource {
 public:
  // `changed` is called on the source's thread after any group changed and after the first complete
  // list of a watch.
  KubernetesSource(std::function<void()> changed, KubernetesSourceOptions options);
  ~KubernetesSource();
  KubernetesSource(const KubernetesSource&) = delete;
  KubernetesSource& operator=(const KubernetesSource&) = delete;

  // Replaces what is watched; watches that stay keep their pods. `node` as ForwarderConfig's.
  void Apply(const std::vector<KubernetesDiscoveryConfig>& configs, const std::string& node);
  // The groups of one configuration given to Apply().
  std::vector<TargetGroup> Groups(const KubernetesDiscoveryConfig& config) const;
  // Whether all its watches have listed their pods completely at least once.
  bool Synced(const KubernetesDiscoveryConfig& config) const;
  std::vector<PodWatchStatus> status() const;

 private:
  class Core;
  std::unique_ptr<Core> core_;
};

}  // namespace ampari
