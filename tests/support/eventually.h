// Eventually: waits for a state of other threads that tell nobody of it.
#pragma once

#include <functional>

#include "common/runtime/clock.h"
#include "common/runtime/mutex.h"

namespace ampari {

// False when the condition has not come true within `patience`, which only matters when the test
// fails.
inline bool Eventually(const std::function<bool()>& condition,
                       absl::Duration patience = absl::Seconds(60)) {
  Mutex mu;
  CondVar nobody;
  const absl::Duration deadline = SystemClock().Monotonic() + patience;
  while (!condition()) {
    if (SystemClock().Monotonic() > deadline) return false;
    MutexLock lock(mu);
    nobody.WaitFor(mu, absl::Milliseconds(2));
  }
  return true;
}

}  // namespace ampari
