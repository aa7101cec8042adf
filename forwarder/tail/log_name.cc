#include "forwarder/tail/log_name.h"

#include <algorithm>

#include "absl/strings/numbers.h"
#include "common/runtime/absl_view.h"

namespace ampari {
namespace {

constexpr size_t kMaxNumberDigits = 5;  // of <base>.N
constexpr size_t kStampBytes = 15;      // YYYYMMDD-HHMMSS
constexpr uint64_t kNoSuffixRank = 1;   // <base>.gz
constexpr uint64_t kNumberRank = 1'000'000;

bool TakeSuffix(std::string_view* text, std::string_view suffix) {
  if (!text->ends_with(suffix)) return false;
  text->remove_suffix(suffix.size());
  return true;
}

bool AllDigits(std::string_view text) {
  return !text.empty() &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

// The rank that the text behind the last dot tells. Numbers grow with age, stamps with youth.
std::optional<uint64_t> SuffixRank(std::string_view suffix) {
  uint64_t number = 0;
  if (suffix.size() <= kMaxNumberDigits && AllDigits(suffix) &&
      absl::SimpleAtoi(ToAbsl(suffix), &number)) {
    return kNumberRank - number;
  }
  if (suffix.size() != kStampBytes || suffix[8] != '-') return std::nullopt;
  const std::string_view day = suffix.substr(0, 8);
  const std::string_view time = suffix.substr(9);
  uint64_t day_number = 0, time_number = 0;
  if (!AllDigits(day) || !AllDigits(time) || !absl::SimpleAtoi(ToAbsl(day), &day_number) ||
      !absl::SimpleAtoi(ToAbsl(time), &time_number)) {
    return std::nullopt;
  }
  return day_number * 1'000'000 + time_number;
}

}  // namespace

std::optional<LogName> ParseLogName(std::string_view name) {
  if (name.empty() || name.ends_with(".tmp")) return std::nullopt;
  LogName parsed;
  parsed.compressed = TakeSuffix(&name, ".gz");
  parsed.base = name;
  if (parsed.compressed) parsed.rank = kNoSuffixRank;
  const size_t dot = name.rfind('.');
  if (dot != std::string_view::npos && dot > 0) {
    if (const auto rank = SuffixRank(name.substr(dot + 1))) {
      parsed.base = name.substr(0, dot);
      parsed.rank = *rank;
      parsed.rotated = true;
    }
  }
  parsed.rotated = parsed.rotated || parsed.compressed;
  if (parsed.base.empty()) return std::nullopt;
  return parsed;
}

std::optional<uint32_t> RestartCount(std::string_view base) {
  uint32_t count = 0;
  if (!TakeSuffix(&base, ".log") || !AllDigits(base) || !absl::SimpleAtoi(ToAbsl(base), &count)) {
    return std::nullopt;
  }
  return count;
}

}  // namespace ampari
