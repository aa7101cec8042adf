// KubernetesSource: keeps the pods of kubernetes_sd_configs known by listing and watching the API.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "forwarder/config.h"

namespace ampari {

// What is shown of one watched collection of pods (one API server, credentials, namespace,
// selectors).
struct PodWatchStatus {
  std::string url;    // of the collection, without credentials
  std::string error;  // the last failure since the last success; empty: none
  size_t pods = 0;
  bool synced = false;      // listed completely at least once
  absl::Time last_success;  // list page, watch event or bookmark
  uint64_t lists = 0, watches = 0, events = 0, failures = 0;
};

// Owns one thread with one HttpLoop. Thread-safe. Discoveries that ask the same are one watch.
// Whatever the API does, the last known pods stay until a complete list or a DELETED event says
// otherwise; protocols: list in pages, watch with bookmarks from the list's resourceVersion, 410
// (by status or in band) means a new list, everything else a retry with jittered backoff.
class KubernetesSource {
 public:
  // `changed` is called on the source's thread after any group changed and after the first complete
  // list.
  KubernetesSource(std::function<void()> changed, uint64_t seed);
  ~KubernetesSource();
  KubernetesSource(const KubernetesSource&) = delete;
  KubernetesSource& operator=(const KubernetesSource&) = delete;

  // Replaces what is watched; watches that stay keep their pods. `node` as ForwarderConfig's.
  void Apply(const std::vector<KubernetesDiscoveryConfig>& configs, const std::string& node);
  // The groups of one configuration given to Apply().
  std::vector<TargetGroup> Groups(const KubernetesDiscoveryConfig& config) const;
  std::vector<PodWatchStatus> status() const;

 private:
  class Core;
  std::unique_ptr<Core> core_;
};

}  // namespace ampari
