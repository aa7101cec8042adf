// What other objects add to the labels of a pod (attach_metadata), as Prometheus does it
// (discovery/kubernetes/pod.go, buildPod and podLabels). Pure.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "common/labels/labels.h"
#include "forwarder/config.h"
#include "forwarder/discovery/kubernetes/pod_query.h"
#include "forwarder/discovery/kubernetes/pod_targets.h"

namespace kubernetes {
class ApiObject;
}

namespace ampari {

// An object that is watched for its labels alone: its key is its name, or namespace/name, and its
// group's labels are what it adds to a pod. InvalidArgument: no name, or beyond a bound.
absl::StatusOr<DiscoveredPod> DiscoverAttached(const kubernetes::ApiObject& object,
                                               ApiResource resource);

// The labels that the object of that key adds; nullopt: there is none.
using FindAttached =
    std::function<std::optional<Labels>(ApiResource resource, std::string_view key)>;

// Adds them to a pod's group. False: its node is not among those that are known, so it is no
// target.
bool Attach(const AttachMetadata& attach, const FindAttached& find, TargetGroup* pod);

}  // namespace ampari
