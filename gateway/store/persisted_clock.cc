#include "gateway/store/persisted_clock.h"

#include <algorithm>

namespace ampari {

PersistedClock::PersistedClock(const Clock& clock)
    : clock_(&clock),
      base_ms_(absl::ToUnixMillis(clock.Now())),
      stopped_ms_(base_ms_),
      base_monotonic_(clock.Monotonic()) {}

PersistedClock::PersistedClock(const Clock& clock, int64_t persisted_ms, int64_t wall_ms)
    : clock_(&clock),
      base_ms_(persisted_ms +
               std::clamp<int64_t>(absl::ToUnixMillis(clock.Now()) - wall_ms, 0, kMaxStopMs)),
      stopped_ms_(persisted_ms),
      base_monotonic_(clock.Monotonic()) {}

int64_t PersistedClock::NowMs() const {
  return base_ms_ + absl::ToInt64Milliseconds(clock_->Monotonic() - base_monotonic_);
}

}  // namespace ampari
