#include "forwarder/discovery/job_pods.h"

#include <algorithm>
#include <set>
#include <utility>

namespace ampari {
namespace {

// Those of `groups` that are not among `others`.
std::vector<TargetGroup> Without(std::vector<TargetGroup> groups,
                                 const std::vector<TargetGroup>& others) {
  std::set<std::string> sources;
  for (const TargetGroup& group : others) sources.insert(group.source);
  std::erase_if(groups, [&](const TargetGroup& group) { return sources.contains(group.source); });
  return groups;
}

}  // namespace

JobPods::JobPods(std::function<void()> wake, KubernetesSourceOptions options)
    : source_(
          [this, wake = std::move(wake)] {
            if (!changed_.exchange(true)) wake();
          },
          std::move(options)) {}

void JobPods::Apply(const std::vector<PodJob>& jobs, const std::string& node) {
  std::map<std::string, std::vector<TargetGroup>> before;
  for (const PodJob& job : jobs_) before[job.key] = Groups(job);
  jobs_.clear();
  kept_.clear();
  std::vector<KubernetesDiscoveryConfig> wanted;
  for (const PodJob& job : jobs) {
    if (job.discoveries.empty()) continue;
    jobs_.push_back(job);
    wanted.insert(wanted.end(), job.discoveries.begin(), job.discoveries.end());
  }
  source_.Apply(wanted, node);
  for (const PodJob& job : jobs_) {
    const auto known = before.find(job.key);
    if (known == before.end() || Synced(job)) continue;
    kept_[job.key] = Without(std::move(known->second), Known(job));
  }
}

bool JobPods::Synced(const PodJob& job) const {
  return std::all_of(
      job.discoveries.begin(), job.discoveries.end(),
      [this](const KubernetesDiscoveryConfig& config) { return source_.Synced(config); });
}

std::vector<TargetGroup> JobPods::Known(const PodJob& job) const {
  std::vector<TargetGroup> groups;
  for (const KubernetesDiscoveryConfig& config : job.discoveries) {
    std::vector<TargetGroup> known = source_.Groups(config);
    std::move(known.begin(), known.end(), std::back_inserter(groups));
  }
  return groups;
}

std::vector<TargetGroup> JobPods::Groups(const PodJob& job) {
  if (job.discoveries.empty()) return {};
  const bool synced = Synced(job);  // before the groups, which may come in between
  std::vector<TargetGroup> groups = Known(job);
  const auto kept = kept_.find(job.key);
  if (kept == kept_.end()) return groups;
  if (synced) {
    kept_.erase(kept);
    return groups;
  }
  const std::vector<TargetGroup> old = Without(kept->second, groups);
  groups.insert(groups.end(), old.begin(), old.end());
  return groups;
}

bool JobPods::TakeChanges(absl::Duration now) {
  if (now < not_before_ || !changed_.exchange(false)) return false;
  not_before_ = now + kChangesTogether;
  return true;
}

absl::Duration JobPods::Wait(absl::Duration now) const {
  if (!changed_.load()) return absl::InfiniteDuration();
  return std::max(absl::ZeroDuration(), not_before_ - now);
}

}  // namespace ampari
