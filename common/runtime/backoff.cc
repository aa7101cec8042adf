#include "common/runtime/backoff.h"

#include <algorithm>
#include <limits>

namespace ampari {

absl::Duration BackoffDelay(const BackoffOptions& options, uint32_t failures, double random) {
  if (failures == 0) return absl::ZeroDuration();
  absl::Duration delay = std::min(options.initial, options.max);
  for (uint32_t i = 1; i < failures && delay < options.max; ++i) {
    delay = std::min(delay * 2, options.max);
    if (delay <= absl::ZeroDuration()) return absl::ZeroDuration();
  }
  const double jitter = std::clamp(options.jitter, 0.0, 1.0);
  return delay - delay * (jitter * std::clamp(random, 0.0, 1.0));
}

absl::Duration Backoff::Next(double random) {
  if (failures_ < std::numeric_limits<uint32_t>::max()) ++failures_;
  return BackoffDelay(options_, failures_, random);
}

}  // namespace ampari
