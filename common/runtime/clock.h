// Clock: the one seam of the project. Everything that waits or stamps takes one.
#pragma once

#include "absl/time/time.h"

namespace ampari {

// Thread-safe. Now() is for stamps shown to others and may jump; Monotonic() is for intervals and
// never goes back; its zero is arbitrary.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual absl::Time Now() const = 0;
  virtual absl::Duration Monotonic() const = 0;
};

// The machine's clocks. Lives for the whole process.
const Clock& SystemClock();

}  // namespace ampari
