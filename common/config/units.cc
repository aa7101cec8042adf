#include "common/config/units.h"

#include <charconv>
#include <cmath>
#include <iterator>

#include "absl/strings/str_cat.h"
#include "common/labels/quote.h"

namespace ampari {
namespace {

struct TimeUnit {
  std::string_view name;
  int64_t ms;
};
constexpr TimeUnit kTimeUnits[] = {{"y", 365LL * 24 * 3600 * 1000},
                                   {"w", 7LL * 24 * 3600 * 1000},
                                   {"d", 24LL * 3600 * 1000},
                                   {"h", 3600LL * 1000},
                                   {"m", 60LL * 1000},
                                   {"s", 1000},
                                   {"ms", 1}};
constexpr int64_t kMaxDurationMs = INT64_MAX / 1'000'000;  // Go's durations count nanoseconds

absl::Status NotADuration(std::string_view text) {
  return absl::InvalidArgumentError(
      absl::StrCat(Quoted(text), " is not a duration; write for example 15s, 1h30m or 500ms"));
}

absl::Status NotASize(std::string_view text) {
  return absl::InvalidArgumentError(
      absl::StrCat(Quoted(text), " is not a size; write for example 512MiB or 50GiB"));
}

// Takes digits off the front; false when there are none or they do not fit.
bool TakeNumber(std::string_view* text, int64_t* number) {
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), *number);
  if (error != std::errc() || text->front() == '-') return false;
  text->remove_prefix(static_cast<size_t>(end - text->data()));
  return true;
}

std::string_view TakeLetters(std::string_view* text) {
  size_t length = 0;
  while (length < text->size() && ((*text)[length] | 0x20) >= 'a' &&
         ((*text)[length] | 0x20) <= 'z')
    ++length;
  const std::string_view letters = text->substr(0, length);
  text->remove_prefix(length);
  return letters;
}

// The factor of a unit such as MiB, MB or B; 0 when it is none.
double SizeFactor(std::string_view unit) {
  constexpr std::string_view kPrefixes = "KMGTPE";
  if (unit.empty() || unit == "B") return 1;
  const size_t prefix = kPrefixes.find(unit[0]);
  const std::string_view rest = unit.substr(1);
  if (prefix == std::string_view::npos || (rest != "B" && rest != "iB")) return 0;
  return std::ldexp(1.0, 10 * (static_cast<int>(prefix) + 1));
}

}  // namespace

absl::StatusOr<absl::Duration> ParsePromDuration(std::string_view text) {
  if (text == "0") return absl::ZeroDuration();
  std::string_view rest = text;
  int64_t total_ms = 0;
  size_t next_unit = 0;
  do {
    int64_t number = 0;
    if (rest.empty() || !TakeNumber(&rest, &number)) return NotADuration(text);
    const std::string_view letters = TakeLetters(&rest);
    while (next_unit < std::size(kTimeUnits) && kTimeUnits[next_unit].name != letters) ++next_unit;
    if (next_unit == std::size(kTimeUnits)) return NotADuration(text);
    const int64_t ms = kTimeUnits[next_unit++].ms;
    if (number > (kMaxDurationMs - total_ms) / ms) {
      return absl::InvalidArgumentError(absl::StrCat(Quoted(text), " is longer than 292 years"));
    }
    total_ms += number * ms;
  } while (!rest.empty());
  return absl::Milliseconds(total_ms);
}

std::string FormatPromDuration(absl::Duration duration) {
  int64_t ms = absl::ToInt64Milliseconds(duration);
  if (ms == 0) return "0s";
  std::string out;
  for (const TimeUnit& unit : kTimeUnits) {
    // Years and weeks only when they come out even, as Prometheus prints them.
    const bool exact_only = unit.name == "y" || unit.name == "w";
    if (ms < unit.ms || (exact_only && ms % unit.ms != 0)) continue;
    absl::StrAppend(&out, ms / unit.ms, std::string(unit.name));
    ms %= unit.ms;
  }
  return out;
}

absl::StatusOr<uint64_t> ParseByteSize(std::string_view text) {
  constexpr double kMaxBytes = 9.2e18;
  std::string_view rest = text;
  double total = 0;
  do {
    double number = 0;
    const auto [end, error] =
        std::from_chars(rest.data(), rest.data() + rest.size(), number, std::chars_format::fixed);
    if (error != std::errc() || !(number >= 0)) return NotASize(text);
    rest.remove_prefix(static_cast<size_t>(end - rest.data()));
    const std::string_view unit = TakeLetters(&rest);
    const double factor = SizeFactor(unit);
    if (factor == 0 || (unit.empty() && total > 0)) return NotASize(text);
    total += number * factor;
    if (!(total < kMaxBytes)) return NotASize(text);
  } while (!rest.empty());
  return static_cast<uint64_t>(total);
}

std::string FormatByteSize(uint64_t bytes) {
  constexpr const char* kUnits[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB"};
  size_t unit = 0;
  while (bytes != 0 && bytes % 1024 == 0 && unit + 1 < std::size(kUnits)) {
    bytes /= 1024;
    ++unit;
  }
  return absl::StrCat(bytes, kUnits[unit]);
}

}  // namespace ampari
