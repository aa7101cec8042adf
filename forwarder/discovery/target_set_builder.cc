#include "forwarder/discovery/target_set_builder.h"

#include <algorithm>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "absl/strings/str_cat.h"

namespace ampari {
namespace {

bool SameGroup(const TargetGroup& a, const TargetGroup& b) {
  return a.targets == b.targets && a.labels == b.labels && a.target_labels == b.target_labels;
}

}  // namespace

Labels ScrapedTargets::Discovered(const Job& job, std::string_view address, const Labels& group,
                                  const Labels& own) {
  return DiscoveredLabels(job, address, group, own);
}

absl::StatusOr<Target> ScrapedTargets::Make(const std::shared_ptr<const Job>& job,
                                            const Labels& discovered, const Labels& external) {
  return BuildTarget(job, discovered, external);
}

uint64_t ScrapedTargets::KeptDropped(const Job& job) {
  return job.keep_dropped_targets != 0 ? job.keep_dropped_targets : kKeptDroppedTargets;
}

Labels LogFileTargets::Discovered(const Job& job, std::string_view address, const Labels& group,
                                  const Labels& own) {
  return DiscoveredLogLabels(job, address, group, own);
}

absl::StatusOr<LogTarget> LogFileTargets::Make(const std::shared_ptr<const Job>& job,
                                               const Labels& discovered, const Labels& external) {
  return BuildLogTarget(job, discovered, external);
}

uint64_t LogFileTargets::KeptDropped(const Job&) { return kKeptDroppedTargets; }

// Puts the groups of all jobs together, within the bounds of the set.
template <typename Kind>
class SetBuilder<Kind>::Collector {
 public:
  using Found = typename Kind::Found;

  void BeginJob(const Job& job) { keep_ = Kind::KeptDropped(job); }
  uint64_t keep() const { return keep_; }

  void Add(const BuiltGroup& group) {
    set_.dropped_total += group.dropped_total;
    for (const DroppedTarget& dropped : group.dropped) Keep(dropped);
    for (const Found& target : group.targets) {
      if (ids_.contains(target.id)) continue;
      const std::string claim(Kind::Claim(target));
      if (set_.targets.size() == kMaxTargets) {
        Drop(target, absl::StrCat("more than ", kMaxTargets, " targets"));
      } else if (!claim.empty() && !claims_.insert(claim).second) {
        Drop(target, "another target has this path");
      } else {
        ids_.insert(target.id);
        set_.targets.push_back(target);
      }
    }
  }
  Set Take() { return std::move(set_); }

 private:
  void Drop(const Found& target, std::string reason) {
    ++set_.dropped_total;
    Keep({target.job->job_name, target.discovered_labels, std::move(reason)});
  }
  void Keep(const DroppedTarget& dropped) {
    if (keep_ == 0) return;
    --keep_;
    set_.dropped.push_back(dropped);
  }

  Set set_;
  std::unordered_set<std::string> ids_, claims_;
  uint64_t keep_ = 0;  // dropped targets of the job that may still be shown
};

template <typename Kind>
auto SetBuilder<Kind>::Relabelled(const std::shared_ptr<const Job>& job, const TargetGroup& group,
                                  const Labels& external, uint64_t keep) -> BuiltGroup {
  BuiltGroup built;
  built.group = group;
  std::unordered_map<std::string, size_t> places;  // in built.targets, by id
  const Labels none;
  for (size_t i = 0; i < group.targets.size(); ++i) {
    const Labels& own = i < group.target_labels.size() ? group.target_labels[i] : none;
    Labels discovered = Kind::Discovered(*job, group.targets[i], group.labels, own);
    absl::StatusOr<typename Kind::Found> target = Kind::Make(job, discovered, external);
    if (target.ok()) {
      const auto [place, is_new] = places.try_emplace(target->id, built.targets.size());
      if (is_new) {
        built.targets.push_back(*std::move(target));
      } else {  // shown is where the last one came from, as Prometheus does it
        built.targets[place->second].discovered_labels = std::move(target->discovered_labels);
      }
    } else if (++built.dropped_total <= keep) {
      built.dropped.push_back(
          {job->job_name, std::move(discovered), std::string(target.status().message())});
    }
  }
  return built;
}

template <typename Kind>
auto SetBuilder<Kind>::Obtain(const std::shared_ptr<const Job>& job, const TargetGroup& group,
                              uint64_t keep, GroupsBySource& known) -> BuiltGroup {
  const auto [begin, end] = known.equal_range(group.source);
  for (auto it = begin; it != end; ++it) {
    BuiltGroup& built = it->second;
    // A group whose dropped targets were beyond the bound, and no longer are, is built again.
    const bool shows_enough = built.dropped.size() >= std::min(built.dropped_total, keep);
    if (!shows_enough || !SameGroup(built.group, group)) continue;
    BuiltGroup taken = std::move(built);
    known.erase(it);
    return taken;
  }
  ++groups_built_;
  return Relabelled(job, group, external_, keep);
}

template <typename Kind>
auto SetBuilder<Kind>::Build(std::span<const JobGroups<Job>> jobs, const Labels& external) -> Set {
  if (external != external_) known_.clear();
  external_ = external;
  std::map<std::shared_ptr<const Job>, GroupsBySource> used;
  Collector collector;
  for (const JobGroups<Job>& job : jobs) {
    GroupsBySource& known = known_[job.job];
    collector.BeginJob(*job.job);
    for (const TargetGroup& group : job.groups) {
      if (!Kind::Takes(group)) continue;
      BuiltGroup built = Obtain(job.job, group, collector.keep(), known);
      collector.Add(built);
      used[job.job].emplace(group.source, std::move(built));
    }
  }
  known_ = std::move(used);
  return collector.Take();
}

template class SetBuilder<ScrapedTargets>;
template class SetBuilder<LogFileTargets>;

TargetSet BuildTargetSet(std::span<const JobTargets> jobs, const Labels& external) {
  return TargetSetBuilder().Build(jobs, external);
}

}  // namespace ampari
