// TargetSetBuilder: the targets of all jobs, again and again. It remembers what each group became,
// so that one changed pod of a node does not cost the relabelling of all others.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "common/labels/labels.h"
#include "forwarder/config.h"
#include "forwarder/discovery/targets.h"
#include "forwarder/scrape/target.h"

namespace ampari {

// Remembers the groups of the last Build() and nothing older. Not thread-safe.
class TargetSetBuilder {
 public:
  // Within a job, targets with the same labels and URL are one target. The result depends on the
  // arguments alone.
  TargetSet Build(std::span<const JobTargets> jobs, const Labels& external);

  uint64_t groups_built() const { return groups_built_; }  // the others were remembered

 private:
  // What one group of one job became.
  struct BuiltGroup {
    TargetGroup group;
    std::vector<Target> targets;         // each once
    std::vector<DroppedTarget> dropped;  // the first ones
    uint64_t dropped_total = 0;
  };
  using GroupsBySource = std::multimap<std::string, BuiltGroup>;
  class Collector;

  static BuiltGroup Relabelled(const std::shared_ptr<const ScrapeJob>& job,
                               const TargetGroup& group, const Labels& external, uint64_t keep);
  // Takes a remembered group out of `known`, or builds it. `keep`: dropped targets to be shown.
  BuiltGroup Obtain(const std::shared_ptr<const ScrapeJob>& job, const TargetGroup& group,
                    uint64_t keep, GroupsBySource& known);

  Labels external_;
  std::map<std::shared_ptr<const ScrapeJob>, GroupsBySource> known_;
  uint64_t groups_built_ = 0;
};

}  // namespace ampari
