// What is shown of a watched collection of pods, and the kinds of its failures.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "absl/time/time.h"

namespace ampari {

enum class PodWatchFailure : uint8_t {
  kAccess,        // where the API is or how to speak to it is not known
  kConnection,    // none, or it broke before an answer
  kTimeout,       // no whole answer in time
  kTls,           // one side refuses the other, or a secret's file cannot be read
  kUnauthorized,  // 401, 403
  kThrottled,     // 429
  kServer,        // 5xx
  kGone,          // 410, by status or in band: the version or token is too old
  kTooNew,        // the server does not know the version yet, or any more
  kRefused,       // any other status
  kTooLarge,      // an answer, a line or a collection beyond its bound
  kMalformed,     // an answer that is not what was asked for
  kCut,           // a watch that broke or ended early
};
inline constexpr size_t kPodWatchFailures = 13;
std::string_view PodWatchFailureName(PodWatchFailure failure);

// One watched collection of pods (one API server, credentials, namespace, selectors).
struct PodWatchStatus {
  std::string url;    // of the collection, without credentials
  std::string error;  // the last failure since the last success; empty: none
  size_t pods = 0;
  bool synced = false;                                 // listed completely at least once
  absl::Time last_success = absl::InfinitePast();      // list page, watch begun, event or bookmark
  uint64_t lists = 0, watches = 0, events = 0;         // begun; events with bookmarks
  std::array<uint64_t, kPodWatchFailures> failures{};  // by PodWatchFailure
};

}  // namespace ampari
