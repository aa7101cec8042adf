// From a pod of the Kubernetes API to its targets, as Prometheus' role pod builds them
// (discovery/kubernetes/pod.go, buildPod). Pure.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "forwarder/config.h"

namespace kubernetes {
class Pod;  // proto/kubernetes/core.proto
}

namespace ampari {

// Bounds of one pod. The API server takes objects of about 1.5 MiB and 256 KiB of annotations, so a
// pod beyond them is no pod.
inline constexpr size_t kMaxPodBytes = size_t{4} << 20;  // of JSON
inline constexpr size_t kMaxPodKeys = 4'096;             // of labels, and of annotations
inline constexpr size_t kMaxPodTargets = 10'000;
inline constexpr size_t kMaxPodTargetBytes = size_t{16} << 20;  // of all its targets' own labels

// What discovery keeps of one pod.
struct DiscoveredPod {
  std::string key;  // namespace/name
  std::string uid;
  std::string resource_version;
  std::string node;
  TargetGroup group;  // source pod/namespace/name; without a pod IP it is for logs only
};

// One target per port of each container, whatever its protocol; a container without ports has one
// with the bare IP as its address. Init containers come after the others, ephemeral ones not at
// all. Pods that are done are here as in Prometheus; one without an IP is marked for logs only. Of
// keys of labels or annotations that are the same label name the last in the order of bytes wins,
// so prometheus.io/scrape wins over prometheus.io.scrape. InvalidArgument: no name, or beyond a
// bound.
absl::StatusOr<DiscoveredPod> DiscoverPod(const kubernetes::Pod& pod);

// `json` is one Pod object. InvalidArgument says what is wrong with it; fields that are not needed
// are skipped.
absl::StatusOr<DiscoveredPod> ParsePod(std::string_view json);

}  // namespace ampari
