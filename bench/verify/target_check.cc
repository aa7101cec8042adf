#include "bench/verify/target_check.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <unordered_set>

#include "absl/strings/str_cat.h"

namespace ampari::bench {
namespace {

constexpr uint64_t kStaleBits = 0x7ff0000000000002;

constexpr std::array<std::string_view, 8> kReportMetrics = {
    "up",
    "scrape_duration_seconds",
    "scrape_samples_scraped",
    "scrape_samples_post_metric_relabeling",
    "scrape_series_added",
    "scrape_timeout_seconds",
    "scrape_sample_limit",
    "scrape_body_size_bytes",
};

// The value of __name__ in a canonical label set.
std::string_view MetricName(std::string_view canonical) {
  constexpr std::string_view kName = "__name__=\"";
  const size_t at = canonical.find(kName);
  if (at == std::string_view::npos) return {};
  const std::string_view rest = canonical.substr(at + kName.size());
  return rest.substr(0, rest.find('"'));
}

bool IsReport(std::string_view metric) {
  return std::find(kReportMetrics.begin(), kReportMetrics.end(), metric) != kReportMetrics.end();
}

double ValueOf(uint64_t bits) {
  double value = 0;
  std::memcpy(&value, &bits, sizeof value);
  return value;
}

bool IsNan(uint64_t bits) { return std::isnan(ValueOf(bits)); }

bool SameValue(uint64_t a, uint64_t b) {
  return a == b || (IsNan(a) && IsNan(b) && a != kStaleBits && b != kStaleBits);
}

const DeliveredSample* At(const std::vector<DeliveredSample>* samples, int64_t timestamp_ms) {
  if (samples == nullptr) return nullptr;
  const auto at =
      std::lower_bound(samples->begin(), samples->end(), timestamp_ms,
                       [](const DeliveredSample& s, int64_t t) { return s.timestamp_ms < t; });
  return at != samples->end() && at->timestamp_ms == timestamp_ms ? &*at : nullptr;
}

// A staleness marker in (after, upto].
bool HasStale(const std::vector<DeliveredSample>* samples, int64_t after, int64_t upto) {
  if (samples == nullptr) return false;
  return std::any_of(samples->begin(), samples->end(), [&](const DeliveredSample& s) {
    return s.timestamp_ms > after && s.timestamp_ms <= upto && s.value_bits == kStaleBits;
  });
}

}  // namespace

TargetCheck::TargetCheck(const VerifyOptions& options, const LabelMap& target_labels,
                         const DeliveredTarget& delivered)
    : options_(options), target_labels_(target_labels), delivered_(delivered) {}

absl::Status TargetCheck::Run(const std::vector<ServedScrape>& served, const BodyFile& bodies) {
  CountTimestamps();
  FindGivenUp();
  for (const ServedScrape& scrape : served) {
    if (scrape.time_ms < options_.from_ms) continue;
    const bool looked_at = scrape.time_ms <= options_.until_ms;
    if (!looked_at && !IsServed(scrape.fault)) continue;
    if (!IsServed(scrape.fault)) {
      ++counts_.failing;
      if (!expected_.empty()) expected_.back().failed_after = true;
      continue;
    }
    if (absl::Status read = ReadBody(scrape, bodies); !read.ok()) return read;
    expected_.back().looked_at = looked_at;
    counts_.scrapes += looked_at ? 1 : 0;
  }
  MatchExact();
  MatchRest();
  ExplainLeftOver();
  if (options_.check_stale) CheckStale();
  return absl::OkStatus();
}

bool TargetCheck::IsIgnored(std::string_view metric) const {
  return options_.ignored_metrics.find(metric) != options_.ignored_metrics.end();
}

void TargetCheck::CountTimestamps() {
  for (const auto& [canonical, samples] : delivered_) {
    const std::string_view metric = MetricName(canonical);
    if (IsReport(metric) || IsIgnored(metric)) continue;
    for (const DeliveredSample& sample : samples) {
      if (sample.value_bits != kStaleBits) ++left_[sample.timestamp_ms];
    }
  }
}

void TargetCheck::FindGivenUp() {
  const auto each = [this](std::string_view metric, const auto& then) {
    for (const auto& [canonical, samples] : delivered_) {
      if (MetricName(canonical) != metric) continue;
      for (const DeliveredSample& sample : samples)
        then(sample.timestamp_ms, ValueOf(sample.value_bits));
    }
  };
  std::set<int64_t> failed;
  each("up", [&](int64_t timestamp_ms, double up) {
    if (up == 0) failed.insert(timestamp_ms);
  });
  each("scrape_duration_seconds", [&](int64_t timestamp_ms, double seconds) {
    if (seconds * 1000 >= static_cast<double>(options_.give_up_ms) &&
        failed.count(timestamp_ms) > 0)
      given_up_.insert(timestamp_ms);
  });
}

bool TargetCheck::WasGivenUp(int64_t answered_ms) {
  auto scrape = given_up_.upper_bound(answered_ms);
  if (scrape == given_up_.begin() || *--scrape < answered_ms - options_.tolerance_ms) return false;
  given_up_.erase(scrape);
  return true;
}

absl::StatusOr<uint32_t> TargetCheck::Number(const BodySample& sample) {
  const std::string text(sample.series);
  const auto known = by_text_.find(text);
  if (known != by_text_.end()) return known->second;
  absl::StatusOr<LabelMap> labels = FinalLabels(sample, target_labels_, options_.labels);
  if (!labels.ok()) return labels.status();
  Series series;
  series.canonical = CanonicalText(*labels);
  const auto [entry, added] = by_labels_.emplace(series.canonical, series_.size());
  if (added) {
    const auto found = delivered_.find(series.canonical);
    series.samples = found == delivered_.end() ? nullptr : &found->second;
    series_.push_back(std::move(series));
  }
  by_text_[text] = entry->second;
  return entry->second;
}

absl::Status TargetCheck::ReadBody(const ServedScrape& scrape, const BodyFile& bodies) {
  const absl::StatusOr<std::string> body = bodies.Read(scrape);
  if (!body.ok()) return body.status();
  Expected expected;
  expected.scrape = &scrape;
  std::unordered_set<uint32_t> seen;
  BodyReader reader(*body);
  BodySample sample;
  while (reader.Next(&sample)) {
    if (IsIgnored(sample.series.substr(0, sample.series.find('{')))) continue;
    const absl::StatusOr<uint32_t> number = Number(sample);
    if (!number.ok()) return number.status();
    if (seen.insert(*number).second) expected.values.emplace_back(*number, sample.value_bits);
  }
  if (!reader.status().ok()) return reader.status();
  expected_.push_back(std::move(expected));
  return absl::OkStatus();
}

bool TargetCheck::IsExact(const Expected& expected, int64_t timestamp_ms) const {
  return std::all_of(expected.values.begin(), expected.values.end(), [&](const auto& value) {
    const DeliveredSample* sample = At(series_[value.first].samples, timestamp_ms);
    return sample != nullptr && SameValue(sample->value_bits, value.second);
  });
}

TargetCheck::Comparison TargetCheck::Compare(const Expected& expected, int64_t timestamp_ms) const {
  Comparison result;
  for (const auto& [number, bits] : expected.values) {
    const DeliveredSample* sample = At(series_[number].samples, timestamp_ms);
    const bool equal = sample != nullptr && SameValue(sample->value_bits, bits);
    if (equal) {
      ++result.equal;
      continue;
    }
    ++(sample == nullptr ? result.missing : result.different);
    if (result.example.empty()) {
      result.example =
          absl::StrCat(sample == nullptr ? "missing " : "differs: ", series_[number].canonical);
    }
  }
  return result;
}

void TargetCheck::MatchExact() {
  for (Expected& expected : expected_) {
    const int64_t time = expected.scrape->time_ms;
    const auto begin = left_.lower_bound(time - options_.tolerance_ms);
    const auto end = left_.upper_bound(time + options_.tolerance_ms);
    const auto match = std::find_if(
        begin, end, [&](const auto& candidate) { return IsExact(expected, candidate.first); });
    if (match == end) continue;
    expected.timestamp_ms = match->first;
    if (!expected.looked_at) {
      left_.erase(match);
      continue;
    }
    if (match->second > expected.values.size()) {
      ++counts_.extra;
      Note(*expected.scrape, absl::StrCat("extra: ", match->second - expected.values.size(),
                                          " samples at ", match->first));
    } else {
      ++counts_.verified;
      counts_.samples += expected.values.size();
    }
    left_.erase(match);
  }
}

// What has no exact counterpart is compared with the timestamps that nothing explains yet.
void TargetCheck::MatchRest() {
  for (Expected& expected : expected_) {
    if (expected.timestamp_ms != 0 || !expected.looked_at) continue;
    const int64_t time = expected.scrape->time_ms;
    int64_t best_timestamp = 0;
    Comparison best;
    for (auto it = left_.lower_bound(time - options_.tolerance_ms);
         it != left_.end() && it->first <= time + options_.tolerance_ms; ++it) {
      Comparison comparison = Compare(expected, it->first);
      if (comparison.equal <= best.equal) continue;
      best = std::move(comparison);
      best_timestamp = it->first;
    }
    if (best.equal == 0 && WasGivenUp(time)) {
      ++counts_.given_up;
      continue;
    }
    if (best.equal == 0) {
      ++counts_.lost;
      Note(*expected.scrape, "lost");
      continue;
    }
    ++(best.different > 0 ? counts_.wrong : counts_.partial);
    Note(*expected.scrape, absl::StrCat(best.missing, " missing, ", best.different,
                                        " different at ", best_timestamp, ": ", best.example));
    expected.timestamp_ms = best_timestamp;
    left_.erase(best_timestamp);
  }
}

void TargetCheck::ExplainLeftOver() {
  for (const auto& [timestamp_ms, samples] : left_) {
    if (timestamp_ms < options_.from_ms + options_.tolerance_ms) continue;
    if (options_.until_ms != INT64_MAX && timestamp_ms > options_.until_ms - options_.tolerance_ms)
      continue;
    const int64_t at = timestamp_ms;
    const auto twin =
        std::find_if(expected_.begin(), expected_.end(), [&](const Expected& expected) {
          return std::abs(expected.scrape->time_ms - at) <= options_.tolerance_ms &&
                 IsExact(expected, at);
        });
    if (twin != expected_.end()) {
      ++counts_.doubled;
      Note(*twin->scrape, absl::StrCat("doubled at ", timestamp_ms));
      continue;
    }
    ++counts_.unexplained;
    if (counts_.examples.size() < VerifyCounts::kMaxExamples) {
      counts_.examples.push_back(absl::StrCat("unexplained: ", samples, " samples of ",
                                              target_labels_.at("instance"), " at ", timestamp_ms));
    }
  }
}

void TargetCheck::CheckStale() {
  for (size_t i = 0; i + 1 < expected_.size(); ++i) {
    const Expected& now = expected_[i];
    const Expected& next = expected_[i + 1];
    if (now.timestamp_ms == 0 || next.timestamp_ms == 0 || !next.looked_at) continue;
    std::unordered_set<uint32_t> still;
    for (const auto& [number, bits] : next.values) still.insert(number);
    uint64_t missing = 0;
    for (const auto& [number, bits] : now.values) {
      if (!now.failed_after && still.count(number) > 0) continue;
      missing += HasStale(series_[number].samples, now.timestamp_ms, next.timestamp_ms) ? 0 : 1;
    }
    if (missing == 0) continue;
    counts_.missing_stale += missing;
    Note(*now.scrape,
         absl::StrCat("no staleness marker for ", missing, " series until ", next.timestamp_ms));
  }
}

void TargetCheck::Note(const ServedScrape& scrape, const std::string& what) {
  if (counts_.examples.size() >= VerifyCounts::kMaxExamples) return;
  counts_.examples.push_back(absl::StrCat(scrape.address, " step ", scrape.step, " served at ",
                                          scrape.time_ms, ": ", what));
}

}  // namespace ampari::bench
