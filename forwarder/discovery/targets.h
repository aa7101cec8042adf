// From groups of addresses to the targets that are scraped, as Prometheus builds them
// (scrape/target.go, PopulateLabels, TargetsFromGroup; scrape/scrape.go, Sync). Pure.
#pragma once

#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "common/labels/labels.h"
#include "forwarder/config.h"
#include "forwarder/scrape/target.h"

namespace ampari {

// A job and everything found for it.
template <typename Job>
struct JobGroups {
  std::shared_ptr<const Job> job;
  std::vector<TargetGroup> groups;
};
using JobTargets = JobGroups<ScrapeJob>;

// All targets of this program that are scraped, and all whose files are read; the rest is dropped
// with that reason.
inline constexpr size_t kMaxTargets = 100'000;
// Dropped targets kept for people, of a job without keep_dropped_targets.
inline constexpr uint64_t kKeptDroppedTargets = 1'000;

// The labels of a target before relabelling: its address, its own labels, the group's, and where
// they are unset the job's name, interval, timeout, path, scheme and the first value of each
// parameter. Of one name the earlier of these wins.
Labels DiscoveredLabels(const ScrapeJob& job, std::string_view address, const Labels& group,
                        const Labels& own = {});

// Relabels, checks and completes one target. `external` labels are added to what its samples carry
// where absent, so a scraped label of that name counts as a conflict (Prometheus adds them on
// sending; the result differs only then). NotFound: dropped by relabelling. InvalidArgument: why it
// cannot be scraped.
absl::StatusOr<Target> BuildTarget(const std::shared_ptr<const ScrapeJob>& job,
                                   const Labels& discovered, const Labels& external);

// As TargetSetBuilder's first Build().
TargetSet BuildTargetSet(std::span<const JobTargets> jobs, const Labels& external);

}  // namespace ampari
