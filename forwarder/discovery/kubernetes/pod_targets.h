// From a pod of the Kubernetes API to its targets, as Prometheus' role pod builds them
// (discovery/kubernetes/pod.go, buildPod). Pure.
#pragma once

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "forwarder/config.h"

namespace ampari {

// What discovery keeps of one pod.
struct DiscoveredPod {
  std::string key;  // namespace/name
  std::string uid;
  std::string resource_version;
  std::string node;
  TargetGroup group;  // source pod/namespace/name; without a pod IP it has no targets
};

// `json` is one Pod object. InvalidArgument says what is wrong with it; fields that are not needed
// are skipped.
absl::StatusOr<DiscoveredPod> ParsePod(std::string_view json);

}  // namespace ampari
