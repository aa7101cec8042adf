// What the Kubernetes API answers about pods, and about objects whose labels join theirs: pages of
// lists, events of watches, and Status objects instead of either. Pure. Source: Kubernetes API
// reference, "Kubernetes API concepts"; proto/kubernetes/core.proto.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "forwarder/discovery/kubernetes/pod_query.h"
#include "forwarder/discovery/kubernetes/pod_targets.h"

namespace ampari {

// A Status object.
struct ApiStatus {
  int code = 0;                    // of HTTP; 0: not told
  std::string words;               // reason and message, one printable line
  bool version_too_large = false;  // the server does not know that version yet, or any more
  absl::Duration retry_after;      // zero: not told
};

struct PodPage {
  std::string resource_version;
  std::string continue_token;       // empty: the last page
  std::vector<DiscoveredPod> pods;  // or objects of the other resource, attached_metadata.h
  std::string refused;              // why some pods have no targets here: they are beyond a bound
};

struct WatchEvent {
  enum class Type : uint8_t { kUpsert, kRemove, kBookmark, kError };
  Type type = Type::kError;
  std::string resource_version;  // from where a watch goes on after this event
  DiscoveredPod pod;             // kRemove: only its key
  std::string refused;           // as PodPage's
  ApiStatus status;              // of kError
};

// InvalidArgument: this is no whole list of the resource with a version, or it holds something
// else.
absl::StatusOr<PodPage> ParsePodPage(std::string_view json,
                                     ApiResource resource = ApiResource::kPods);
// InvalidArgument: not an event about the resource.
absl::StatusOr<WatchEvent> ParseWatchEvent(std::string_view line,
                                           ApiResource resource = ApiResource::kPods);
// The body of a failed request. Whatever is not a Status object becomes an empty one.
ApiStatus ParseApiStatus(std::string_view body);

}  // namespace ampari
