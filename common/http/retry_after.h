// Retry-After: how long an answer asks to be left alone. Pure.
#pragma once

#include <optional>
#include <string_view>

#include "absl/time/time.h"

namespace ampari {

inline constexpr absl::Duration kMaxRetryAfter = absl::Minutes(5);

// Seconds or an HTTP date (RFC 9110 §10.2.3), at most kMaxRetryAfter; nullopt when absent,
// malformed or not in the future. `now` is the wall clock.
std::optional<absl::Duration> ParseRetryAfter(std::string_view value, absl::Time now);

}  // namespace ampari
