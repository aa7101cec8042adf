// What becomes of requests that fail for long although others of the destination get through. A
// request is halved, down to one unit (a series, a line, or lines of a stream of which some were
// parked before); a unit that alone fails for an hour is set aside as parked. A destination that
// takes nothing parks nothing. Pure: times are monotonic, handed in, and of this run: after a
// restart they begin anew.
#pragma once

#include <algorithm>
#include <cstdint>

#include "absl/time/time.h"

namespace ampari {

// A request that fails for that long is halved at each failure; a lane that fails alone for that
// long is unhealthy.
inline constexpr absl::Duration kStruggleAfter = absl::Minutes(10);
inline constexpr absl::Duration kParkAfter = absl::Hours(1);
// Of one range, while nothing at all gets through: enough to find the few series among thousands
// that are the reason, and few enough for a region that is down.
inline constexpr uint32_t kMaxBlindHalvings = 16;

enum class Remedy : uint8_t { kAgain, kHalve, kPark };

// Travels with a request; its parts inherit it.
struct FailureHistory {
  absl::Duration since = absl::InfiniteDuration();  // the first failure
  // The first one as a unit after others got through although it had failed for kStruggleAfter.
  absl::Duration alone_since = absl::InfiniteDuration();
};

struct FailedRequest {
  bool unit = false;           // is not halved
  bool parked_before = false;  // lately, something of the unit
  bool may_halve_blindly = false;
};

// Of one destination. Thread-compatible.
class FailureWatch {
 public:
  void OnDelivered(absl::Duration now) { delivered_at_ = now; }
  Remedy OnFailed(const FailedRequest& request, absl::Duration now, FailureHistory& history);
  // Something was delivered after `since`.
  bool OthersGotThrough(absl::Duration since) const { return delivered_at_ > since; }

 private:
  absl::Duration delivered_at_ = -absl::InfiniteDuration();
  absl::Duration failed_at_ = -absl::InfiniteDuration();  // a request of several units
};

// Of one lane. Thread-compatible.
class LaneHealth {
 public:
  void OnDelivered() { *this = LaneHealth(); }
  // `history`: of the request that failed, which the watch has seen.
  void OnFailed(const FailureHistory& history, const FailureWatch& watch, absl::Duration now) {
    since_ = std::min(since_, history.since);
    if (watch.OthersGotThrough(since_)) alone_since_ = std::min(alone_since_, now);
  }
  absl::Duration failing_since() const { return since_; }  // InfiniteDuration: it is not failing
  bool healthy(absl::Duration now) const { return now - alone_since_ < kStruggleAfter; }

 private:
  absl::Duration since_ = absl::InfiniteDuration();
  absl::Duration alone_since_ = absl::InfiniteDuration();  // others have got through since
};

}  // namespace ampari
