// PersistedClock: the clock that stamps frames and expires them. While running it advances with
// monotonic time, whatever the wall clock does; across a stop it moves by the wall clock's
// difference, between 0 and 24 h.
#pragma once

#include <cstdint>

#include "common/runtime/clock.h"

namespace ampari {

inline constexpr int64_t kMaxStopMs = int64_t{24} * 3600 * 1000;

// Immutable after construction, hence thread-safe. `clock` must outlive it.
class PersistedClock {
 public:
  // A new store: begins at the wall clock.
  explicit PersistedClock(const Clock& clock);
  // Resumes from what was stored at the last commit (both in milliseconds since 1970).
  PersistedClock(const Clock& clock, int64_t persisted_ms, int64_t wall_ms);

  int64_t NowMs() const;
  // When this run began, by its own time.
  int64_t start_ms() const { return base_ms_; }
  // When the run before was last seen; start_ms() for a new store.
  int64_t stopped_ms() const { return stopped_ms_; }

 private:
  const Clock* clock_;
  int64_t base_ms_;
  int64_t stopped_ms_;
  absl::Duration base_monotonic_;
};

}  // namespace ampari
