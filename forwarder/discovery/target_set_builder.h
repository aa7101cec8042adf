// SetBuilder: the targets of all jobs, scraped ones or log files, again and again. It remembers
// what each group became, so that one changed pod of a node does not cost the relabelling of all
// others.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/labels/labels.h"
#include "forwarder/config.h"
#include "forwarder/discovery/log_targets.h"
#include "forwarder/discovery/targets.h"
#include "forwarder/scrape/target.h"

namespace ampari {

// How groups become what is scraped. Within a job, equal ids are one target.
struct ScrapedTargets {
  using Job = ScrapeJob;
  using Found = Target;
  using Set = TargetSet;
  static Labels Discovered(const Job& job, std::string_view address, const Labels& group,
                           const Labels& own);
  static absl::StatusOr<Target> Make(const std::shared_ptr<const Job>& job,
                                     const Labels& discovered, const Labels& external);
  static uint64_t KeptDropped(const Job& job);
  static bool Takes(const TargetGroup& group) { return !group.logs_only; }
  // What only one target may have; empty: nothing.
  static std::string_view Claim(const Target&) { return {}; }
};

// How they become files that are read. A path has one target: the first.
struct LogFileTargets {
  using Job = LogJob;
  using Found = LogTarget;
  using Set = DiscoveredLogs;
  static Labels Discovered(const Job& job, std::string_view address, const Labels& group,
                           const Labels& own);
  static absl::StatusOr<LogTarget> Make(const std::shared_ptr<const Job>& job,
                                        const Labels& discovered, const Labels& external);
  static uint64_t KeptDropped(const Job& job);
  static bool Takes(const TargetGroup&) { return true; }
  static std::string_view Claim(const LogTarget& target) { return target.path; }
};

// Remembers the groups of the last Build() and nothing older. Not thread-safe.
template <typename Kind>
class SetBuilder {
 public:
  using Job = typename Kind::Job;
  using Set = typename Kind::Set;

  // The result depends on the arguments alone.
  Set Build(std::span<const JobGroups<Job>> jobs, const Labels& external);

  uint64_t groups_built() const { return groups_built_; }  // the others were remembered

 private:
  // What one group of one job became.
  struct BuiltGroup {
    TargetGroup group;
    std::vector<typename Kind::Found> targets;  // each once
    std::vector<DroppedTarget> dropped;         // the first ones
    uint64_t dropped_total = 0;
  };
  using GroupsBySource = std::multimap<std::string, BuiltGroup>;
  class Collector;

  static BuiltGroup Relabelled(const std::shared_ptr<const Job>& job, const TargetGroup& group,
                               const Labels& external, uint64_t keep);
  // Takes a remembered group out of `known`, or builds it. `keep`: dropped targets to be shown.
  BuiltGroup Obtain(const std::shared_ptr<const Job>& job, const TargetGroup& group, uint64_t keep,
                    GroupsBySource& known);

  Labels external_;
  std::map<std::shared_ptr<const Job>, GroupsBySource> known_;
  uint64_t groups_built_ = 0;
};

using TargetSetBuilder = SetBuilder<ScrapedTargets>;
using LogTargetSetBuilder = SetBuilder<LogFileTargets>;

}  // namespace ampari
