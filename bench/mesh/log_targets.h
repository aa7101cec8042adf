// File discovery for the log files of pods, with the labels that Kubernetes discovery gives.
#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "bench/mesh/pod.h"

namespace ampari::bench {

// Replaces the file at once; a reader sees the old text or the new one.
absl::Status WriteLogTargets(const std::vector<Pod>& pods, const std::string& path);

}  // namespace ampari::bench
