#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "forwarder/tail/runtime_line.h"

namespace ampari {
namespace {

constexpr int64_t kNanosPerSecond = 1'000'000'000;
constexpr int kMaxYear = 2261;  // the last that 64 bits of nanoseconds hold whole

bool Digits(std::string_view text, size_t at, size_t count, int* out) {
  int number = 0;
  for (size_t i = at; i < at + count; ++i) {
    const auto digit = static_cast<unsigned>(text[i] - '0');
    if (digit > 9) return false;
    number = number * 10 + static_cast<int>(digit);
  }
  *out = number;
  return true;
}

// Days since 1970-01-01 of a day of the Gregorian calendar from 1970 on.
int64_t DaysOf(int year, int month, int day) {
  constexpr std::array<int, 12> kDaysBefore = {0,   31,  59,  90,  120, 151,
                                               181, 212, 243, 273, 304, 334};
  const int leap_years =
      (year - 1) / 4 - (year - 1) / 100 + (year - 1) / 400 - (1969 / 4 - 1969 / 100 + 1969 / 400);
  const bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
  return int64_t{365} * (year - 1970) + leap_years + kDaysBefore[static_cast<size_t>(month - 1)] +
         (leap && month > 2 ? 1 : 0) + day - 1;
}

// "2026-01-31T23:59:59": 19 bytes. A leap second counts as the last second before it.
bool SecondsOf(std::string_view text, int64_t* out) {
  int year, month, day, hour, minute, second;
  if (!Digits(text, 0, 4, &year) || text[4] != '-' || !Digits(text, 5, 2, &month) ||
      text[7] != '-' || !Digits(text, 8, 2, &day) || (text[10] != 'T' && text[10] != 't') ||
      !Digits(text, 11, 2, &hour) || text[13] != ':' || !Digits(text, 14, 2, &minute) ||
      text[16] != ':' || !Digits(text, 17, 2, &second)) {
    return false;
  }
  constexpr std::array<int, 12> kDays = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  if (year < 1970 || year > kMaxYear || month < 1 || month > 12 || day < 1 ||
      day > kDays[static_cast<size_t>(month - 1)] || hour > 23 || minute > 59 || second > 60) {
    return false;
  }
  if (second == 60) second = 59;
  *out = DaysOf(year, month, day) * 86400 + hour * 3600 + minute * 60 + second;
  return true;
}

// ".123456789": at least one digit.
bool TakeFraction(std::string_view* rest, int64_t* nanos) {
  size_t at = 1;
  int64_t unit = kNanosPerSecond / 10;
  for (; at < rest->size() && static_cast<unsigned>((*rest)[at] - '0') < 10; ++at) {
    *nanos += ((*rest)[at] - '0') * unit;
    unit /= 10;
  }
  rest->remove_prefix(at);
  return at > 1;
}

// "Z", "+02:00": seconds to take away.
bool OffsetOf(std::string_view text, int64_t* out) {
  if (text == "Z" || text == "z") {
    *out = 0;
    return true;
  }
  int hours, minutes;
  if (text.size() != 6 || (text[0] != '+' && text[0] != '-') || text[3] != ':' ||
      !Digits(text, 1, 2, &hours) || !Digits(text, 4, 2, &minutes) || hours > 23 || minutes > 59) {
    return false;
  }
  const int64_t seconds = hours * 3600 + minutes * 60;
  *out = text[0] == '-' ? -seconds : seconds;
  return true;
}

}  // namespace

std::optional<int64_t> ParseRfc3339Nanos(std::string_view text) {
  constexpr size_t kSecondsBytes = 19;
  int64_t seconds = 0, nanos = 0, offset = 0;
  if (text.size() <= kSecondsBytes || !SecondsOf(text, &seconds)) return std::nullopt;
  std::string_view rest = text.substr(kSecondsBytes);
  if (rest[0] == '.' && !TakeFraction(&rest, &nanos)) return std::nullopt;
  if (!OffsetOf(rest, &offset)) return std::nullopt;
  return (seconds - offset) * kNanosPerSecond + nanos;
}

}  // namespace ampari
