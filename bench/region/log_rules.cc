#include "bench/region/log_rules.h"

#include <algorithm>
#include <array>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "common/runtime/absl_view.h"

namespace ampari::bench {
namespace {

constexpr int64_t kNanosPerSecond = 1'000'000'000;

using NumberRule = std::pair<std::string_view, int64_t LogRules::*>;
constexpr std::array<NumberRule, 12> kNumbers = {{
    {"max_line_bytes", &LogRules::max_line_bytes},
    {"max_label_names", &LogRules::max_label_names},
    {"max_label_name_bytes", &LogRules::max_label_name_bytes},
    {"max_label_value_bytes", &LogRules::max_label_value_bytes},
    {"max_metadata_entries", &LogRules::max_metadata_entries},
    {"max_metadata_bytes", &LogRules::max_metadata_bytes},
    {"far_behind_window_s", &LogRules::far_behind_window_s},
    {"max_age_s", &LogRules::max_age_s},
    {"max_ahead_s", &LogRules::max_ahead_s},
    {"max_streams", &LogRules::max_streams},
    {"rate_bytes", &LogRules::rate_bytes},
    {"stream_rate_bytes", &LogRules::stream_rate_bytes},
}};

bool Exceeds(size_t size, int64_t limit) {
  return limit > 0 && size > static_cast<uint64_t>(limit);
}

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

// The number at the beginning of `text`, at most three digits, if `end` comes behind it.
std::string_view CodeAt(std::string_view text, std::string_view end) {
  size_t size = 0;
  while (size < text.size() && size < 4 && IsDigit(text[size])) ++size;
  const bool ends = size < text.size() && end.find(text[size]) != std::string_view::npos;
  return size > 0 && size < 4 && ends ? text.substr(0, size) : std::string_view();
}

std::string_view TextCode(std::string_view line) {
  size_t at = line.find(']');
  if (at == std::string_view::npos || !line.substr(at).starts_with("] \"")) return {};
  for (at = line.find("\" ", at + 3); at != std::string_view::npos; at = line.find("\" ", at + 2)) {
    const std::string_view code = CodeAt(line.substr(at + 2), " ");
    if (!code.empty()) return code;
  }
  return {};
}

}  // namespace

bool SetLogRule(std::string_view name, std::string_view value, LogRules* rules) {
  if (name == "reject_line") {
    rules->reject_line = std::string(value);
    return true;
  }
  if (name == "forgetful") {
    rules->forgetful = value == "true";
    return value == "true" || value == "false";
  }
  const auto* found = std::find_if(kNumbers.begin(), kNumbers.end(),
                                   [&](const NumberRule& rule) { return rule.first == name; });
  int64_t number = 0;
  if (found == kNumbers.end() || !absl::SimpleAtoi(ToAbsl(value), &number)) return false;
  if (number < 0) return false;
  rules->*(found->second) = number;
  return true;
}

std::string StreamRefusal(const StreamLabels& labels, const LogRules& rules) {
  if (labels.empty()) return "a stream needs at least one label";
  if (Exceeds(labels.size() - labels.count("service_name"), rules.max_label_names)) {
    return absl::StrCat("more than ", rules.max_label_names, " label names: ", labels.size());
  }
  for (const auto& [name, value] : labels) {
    if (Exceeds(name.size(), rules.max_label_name_bytes)) {
      return absl::StrCat("label name too long: ", name);
    }
    if (Exceeds(value.size(), rules.max_label_value_bytes)) {
      return absl::StrCat("label value too long: ", name);
    }
  }
  return "";
}

bool IsFarBehind(const LogEntryView& entry, int64_t newest_ns, const LogRules& rules) {
  return rules.far_behind_window_s > 0 &&
         entry.time_ns < newest_ns - rules.far_behind_window_s * kNanosPerSecond;
}

std::string LineRefusal(const LogBatch& batch, const LogEntryView& entry, int64_t now_ns,
                        const LogRules& rules) {
  const auto seconds = [](int64_t s) { return s * kNanosPerSecond; };
  if (Exceeds(entry.line.size(), rules.max_line_bytes)) {
    return absl::StrCat("line too long: ", entry.line.size(), " bytes");
  }
  if (Exceeds(entry.metadata_end - entry.metadata_begin, rules.max_metadata_entries)) {
    return "too many metadata entries";
  }
  if (Exceeds(CountedBytes(batch, entry) - entry.line.size(), rules.max_metadata_bytes)) {
    return "metadata too large";
  }
  if (rules.max_age_s > 0 && entry.time_ns < now_ns - seconds(rules.max_age_s)) {
    return "timestamp too old";
  }
  if (rules.max_ahead_s > 0 && entry.time_ns > now_ns + seconds(rules.max_ahead_s)) {
    return "timestamp too new";
  }
  const bool rejected =
      !rules.reject_line.empty() && entry.line.find(rules.reject_line) != std::string_view::npos;
  return rejected ? "rejected line" : "";
}

bool RateBucket::Take(size_t bytes, int64_t rate_bytes, double burst_s, int64_t now_ns) {
  if (rate_bytes == 0) return true;
  const auto rate = static_cast<double>(rate_bytes);
  const double since_s = static_cast<double>(std::max<int64_t>(0, now_ns - at_ns_)) / 1e9;
  left_ = std::min(rate * burst_s, left_ + since_s * rate);
  at_ns_ = now_ns;
  if (static_cast<double>(bytes) > left_) return false;
  left_ -= static_cast<double>(bytes);
  return true;
}

size_t CountedBytes(const LogBatch& batch, const LogEntryView& entry) {
  size_t bytes = entry.line.size();
  for (size_t i = entry.metadata_begin; i < entry.metadata_end; ++i) {
    bytes += batch.metadata[i].name.size() + batch.metadata[i].value.size();
  }
  return bytes;
}

std::string_view ResponseCode(std::string_view line) {
  if (line.starts_with('[')) return TextCode(line);
  static constexpr std::string_view kKey = "\"response_code\":";
  const size_t at = line.starts_with('{') ? line.find(kKey) : std::string_view::npos;
  if (at == std::string_view::npos) return {};
  std::string_view rest = line.substr(at + kKey.size());
  while (rest.starts_with(' ')) rest.remove_prefix(1);
  return CodeAt(rest, ",} ");
}

}  // namespace ampari::bench
