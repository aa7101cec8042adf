#include "tests/support/fake_clock.h"

namespace ampari {

absl::Time FakeClock::Now() const {
  MutexLock lock(mu_);
  return now_;
}

absl::Duration FakeClock::Monotonic() const {
  MutexLock lock(mu_);
  return monotonic_;
}

void FakeClock::Advance(absl::Duration by) {
  MutexLock lock(mu_);
  now_ += by;
  monotonic_ += by;
}

void FakeClock::SetNow(absl::Time now) {
  MutexLock lock(mu_);
  now_ = now;
}

}  // namespace ampari
