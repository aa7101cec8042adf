// What follows a failed list or watch. Retry is data: pure functions, tested as a table.
#pragma once

#include <cstdint>
#include <optional>

#include "absl/time/time.h"
#include "common/http/loop.h"
#include "forwarder/discovery/kubernetes/api_answers.h"
#include "forwarder/discovery/kubernetes/pod_watch_status.h"

namespace ampari {

// How long to wait before the next attempt.
enum class RetryPace : uint8_t {
  kBackoff,  // seconds, growing
  kSlow,     // a human or a rotation must act
  kSpread,   // many clients meet this in the same moment: over a span at random
};

struct FailureRule {
  RetryPace pace = RetryPace::kBackoff;
  bool list_again = false;   // neither a watch nor a list can go on from where it was
  bool newest = false;       // that list must not come from the server's cache
  bool read_access = false;  // address and credentials are looked up again
  bool routine = false;      // happens in a healthy cluster
};

FailureRule RuleOf(PodWatchFailure failure);

// A request's failure: what came instead of an answer of status 200; nullopt for such an answer.
// `status` is the body's Status object.
std::optional<PodWatchFailure> ClassifyResponse(const HttpResponse& response,
                                                const ApiStatus& status);
// An ERROR event inside a watch.
PodWatchFailure ClassifyStatus(const ApiStatus& status);

}  // namespace ampari
