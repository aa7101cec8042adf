// Backoff: how long to wait after the n-th failure in a row. Pure: the random number is handed in.
#pragma once

#include <cstdint>

#include "absl/time/time.h"

namespace ampari {

struct BackoffOptions {
  absl::Duration initial = absl::Milliseconds(500);  // after the first failure
  absl::Duration max = absl::Seconds(30);            // reached by doubling, never exceeded
  double jitter = 0.1;                               // share of the delay that is random, in [0, 1]
};

// The delay after `failures` failures in a row (1 is the first; 0 gives zero): initial *
// 2^(failures-1), capped, then spread evenly over [delay * (1 - jitter), delay]. `random` is
// uniform in [0, 1).
absl::Duration BackoffDelay(const BackoffOptions& options, uint32_t failures, double random);

// The same with its count of failures. Thread-compatible.
class Backoff {
 public:
  Backoff() = default;
  explicit Backoff(BackoffOptions options) : options_(options) {}

  // Counts one more failure and returns how long to wait.
  absl::Duration Next(double random);
  // After a success.
  void Reset() { failures_ = 0; }
  uint32_t failures() const { return failures_; }

 private:
  BackoffOptions options_;
  uint32_t failures_ = 0;
};

}  // namespace ampari
