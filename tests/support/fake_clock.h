// FakeClock: a clock that moves only when told.
#pragma once

#include "absl/base/thread_annotations.h"
#include "absl/time/time.h"
#include "common/runtime/clock.h"
#include "common/runtime/mutex.h"

namespace ampari {

// Thread-safe. Advance() moves both clocks; SetNow() only the wall clock, as an administrator
// would.
class FakeClock final : public Clock {
 public:
  explicit FakeClock(absl::Time now = absl::FromUnixSeconds(1'700'000'000)) : now_(now) {}

  absl::Time Now() const override ABSL_LOCKS_EXCLUDED(mu_);
  absl::Duration Monotonic() const override ABSL_LOCKS_EXCLUDED(mu_);
  void Advance(absl::Duration by) ABSL_LOCKS_EXCLUDED(mu_);
  void SetNow(absl::Time now) ABSL_LOCKS_EXCLUDED(mu_);

 private:
  mutable Mutex mu_;
  absl::Time now_ ABSL_GUARDED_BY(mu_);
  absl::Duration monotonic_ ABSL_GUARDED_BY(mu_) = absl::Seconds(1000);
};

}  // namespace ampari
