// JobPods: the pods of all jobs' kubernetes_sd_configs, and when their changes are due to be taken
// over.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "forwarder/config.h"
#include "forwarder/discovery/kubernetes/kubernetes_source.h"

namespace ampari {

// The kubernetes_sd_configs of one job.
struct PodJob {
  std::string key;  // of the job, the same after a reload
  std::vector<KubernetesDiscoveryConfig> discoveries;
};

// Belongs to one thread, except for status(). A job whose watches are new keeps the pods that it
// had until each of them has listed its own completely.
class JobPods {
 public:
  // Targets are built again at most once in this time.
  static constexpr absl::Duration kChangesTogether = absl::Milliseconds(500);

  // `wake` is called from another thread when a change waits that did not wait before.
  JobPods(std::function<void()> wake, KubernetesSourceOptions options);

  void Apply(const std::vector<PodJob>& jobs, const std::string& node);
  // Of a job given to Apply().
  std::vector<TargetGroup> Groups(const PodJob& job);
  // True when changes are to be taken over now: the first at once, those that follow it together.
  bool TakeChanges(absl::Duration now);
  // Until TakeChanges() is to be asked again, if nothing wakes before.
  absl::Duration Wait(absl::Duration now) const;
  std::vector<PodWatchStatus> status() const { return source_.status(); }  // thread-safe

 private:
  bool Synced(const PodJob& job) const;
  std::vector<TargetGroup> Known(const PodJob& job) const;

  std::map<std::string, std::vector<TargetGroup>> kept_;  // by the job's key
  std::vector<PodJob> jobs_;                              // those with pods
  absl::Duration not_before_ = -absl::InfiniteDuration();
  std::atomic<bool> changed_{false};
  KubernetesSource source_;  // last: its thread uses the above
};

}  // namespace ampari
