#include "common/http/retry_after.h"

#include <algorithm>
#include <charconv>
#include <string>

namespace ampari {

std::optional<absl::Duration> ParseRetryAfter(std::string_view value, absl::Time now) {
  while (!value.empty() && value.front() == ' ') value.remove_prefix(1);
  while (!value.empty() && value.back() == ' ') value.remove_suffix(1);
  if (value.empty()) return std::nullopt;
  absl::Duration wait;
  if (std::all_of(value.begin(), value.end(), [](char c) { return c >= '0' && c <= '9'; })) {
    uint32_t seconds = 0;
    const auto parsed = std::from_chars(value.data(), value.data() + value.size(), seconds);
    wait = parsed.ec == std::errc() ? absl::Seconds(seconds) : kMaxRetryAfter;
  } else {
    absl::Time at;
    std::string error;
    if (!absl::ParseTime("%a, %d %b %Y %H:%M:%S GMT", std::string(value), &at, &error))
      return std::nullopt;
    wait = at - now;
  }
  if (wait <= absl::ZeroDuration()) return std::nullopt;
  return std::min(wait, kMaxRetryAfter);
}

}  // namespace ampari
