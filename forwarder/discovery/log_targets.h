// From groups of addresses to the files that are read: what relabelling makes of __path__. Pure.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/labels/labels.h"
#include "forwarder/config.h"
#include "forwarder/scrape/target.h"
#include "forwarder/tail/log_target.h"

namespace ampari {

// As TargetSet.
struct DiscoveredLogs {
  std::vector<LogTarget> targets;
  std::vector<DroppedTarget> dropped;  // the first 1,000 of a job
  uint64_t dropped_total = 0;
  std::vector<std::string> job_names;  // all jobs in force; Discovery fills it
};

inline constexpr size_t kMaxLogPathBytes = 1'024;

// As DiscoveredLabels, but of what is scraped only the address. Of a static pod's containers
// __meta_kubernetes_pod_uid is the uid that the kubelet gave the pod, and its log directory: the
// annotation kubernetes.io/config.mirror of the mirror pod, whose own uid names no directory.
Labels DiscoveredLogLabels(const LogJob& job, std::string_view address, const Labels& group,
                           const Labels& own = {});

// Relabels and checks one target. Its labels get `external` where absent, and no instance.
// NotFound: dropped by relabelling. InvalidArgument: why it names no file.
absl::StatusOr<LogTarget> BuildLogTarget(const std::shared_ptr<const LogJob>& job,
                                         const Labels& discovered, const Labels& external);

// OK iff `path` is absolute, of at most kMaxLogPathBytes, beneath a directory that is named without
// a wildcard, and has no element that is empty, . or .. .
absl::Status CheckLogPath(std::string_view path);

}  // namespace ampari
