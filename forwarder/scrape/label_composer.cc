#include "forwarder/scrape/label_composer.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "common/runtime/absl_view.h"
#include "forwarder/scrape/lexing.h"
#include "forwarder/scrape/number.h"

namespace ampari {
namespace {

constexpr std::string_view kMetricName = "__name__";
constexpr std::string_view kExportedPrefix = "exported_";

uint64_t NameBit(std::string_view name) {
  return uint64_t{1} << ((name.size() * 7 + static_cast<unsigned char>(name.back())) & 63);
}

bool IsLegacyName(std::string_view name, bool colons) {
  const auto fits = [colons](char c) {
    return lexing::IsAlpha(c) || lexing::IsDigit(c) || (colons && c == ':');
  };
  return !name.empty() && !lexing::IsDigit(name[0]) && std::all_of(name.begin(), name.end(), fits);
}

bool HasValidNames(const Labels& labels) {
  for (const Label label : labels) {
    if (label.name == kMetricName && !IsLegacyName(label.value, true)) return false;
    if (!IsLegacyName(label.name, false)) return false;
  }
  return true;
}

std::string Excerpt(std::string_view text) { return std::string(text.substr(0, 50)); }

// Prometheus' label limits; 0 is no limit.
bool WithinLimits(const Labels& labels, const ScrapeJob& job, std::string* error) {
  const std::string metric = Excerpt(labels.Get(kMetricName));
  if (job.label_limit > 0 && labels.size() > job.label_limit) {
    *error = absl::StrCat("label_limit exceeded (metric: ", metric,
                          ", number of labels: ", labels.size(), ", limit: ", job.label_limit, ")");
    return false;
  }
  for (const Label label : labels) {
    if (job.label_name_length_limit > 0 && label.name.size() > job.label_name_length_limit) {
      *error = absl::StrCat("label_name_length_limit exceeded (metric: ", metric,
                            ", label name: ", Excerpt(label.name), ", length: ", label.name.size(),
                            ", limit: ", job.label_name_length_limit, ")");
      return false;
    }
    if (job.label_value_length_limit > 0 && label.value.size() > job.label_value_length_limit) {
      *error = absl::StrCat("label_value_length_limit exceeded (metric: ", metric,
                            ", label name: ", Excerpt(label.name), ", length: ", label.value.size(),
                            ", limit: ", job.label_value_length_limit, ")");
      return false;
    }
  }
  return true;
}

bool HasLabelLimits(const ScrapeJob& job) {
  return job.label_limit > 0 || job.label_name_length_limit > 0 || job.label_value_length_limit > 0;
}

}  // namespace

std::string_view LabelComposer::Text(const LexedText& text) {
  if (!text.escaped) return text.text;
  std::string& plain = unescaped_.emplace_back();
  UnescapeLabel(text.text, &plain);
  return plain;
}

std::string_view LabelComposer::Normalised(std::string_view name, std::string_view value,
                                           MetricType type) {
  const bool bound = (type == MetricType::kHistogram && name == "le") ||
                     (type == MetricType::kSummary && name == "quantile");
  double number;
  if (!bound || !ParseGoFloat(value, &number)) return value;
  return unescaped_.emplace_back(FormatOpenMetricsFloat(number));
}

void LabelComposer::AddScraped(std::string_view name, std::string_view value) {
  if (!name.empty()) names_seen_ |= NameBit(name);
  if (value.empty())
    empty_names_.push_back(name);
  else
    builder_.AddView(name, value);
}

bool LabelComposer::MayHave(std::string_view name) const {
  return name.empty() || (names_seen_ & NameBit(name)) != 0;
}

void LabelComposer::AddTargetLabels() {
  const bool honor = target_->job->honor_labels;
  std::vector<Label> conflicts;
  for (const Label label : target_->labels) {
    if (!MayHave(label.name)) {
      builder_.AddView(label.name, label.value);
      continue;
    }
    const std::string_view scraped = builder_.Get(label.name);
    if (honor) {
      const bool has =
          !scraped.empty() || std::count(empty_names_.begin(), empty_names_.end(), label.name) > 0;
      if (!has) builder_.AddView(label.name, label.value);
      continue;
    }
    if (!scraped.empty()) {
      unescaped_.emplace_back(scraped);
      conflicts.push_back({label.name, unescaped_.back()});
    }
    if (scraped.empty())
      builder_.AddView(label.name, label.value);
    else
      builder_.Set(label.name, label.value);
  }
  if (!conflicts.empty()) AddConflicting(std::move(conflicts));
}

// Shortest names first; each moves to its name with as many prefixes as make it free.
void LabelComposer::AddConflicting(std::vector<Label> conflicts) {
  std::stable_sort(conflicts.begin(), conflicts.end(),
                   [](const Label& a, const Label& b) { return a.name.size() < b.name.size(); });
  for (const Label& conflict : conflicts) {
    std::string name(conflict.name);
    do {
      name.insert(0, kExportedPrefix);
    } while (!builder_.Get(name).empty());
    builder_.Set(name, conflict.value);
  }
}

ComposeResult LabelComposer::Compose(const LexedSeries& series, MetricType type, Labels* out,
                                     std::string* error) {
  builder_.Reset();
  if (!unescaped_.empty()) unescaped_.clear();
  empty_names_.clear();
  names_seen_ = 0;
  AddScraped(kMetricName, Text(series.name));
  // Bare names are valid as they are; quoted ones, and what rules make of them, are checked.
  bool check_names = series.quoted_name || lexing::IsBlank(series.name.text[0]);
  for (const LexedLabel& label : series.labels) {
    check_names = check_names || label.quoted_name;
    const std::string_view name = Text(label.name);
    AddScraped(name, Normalised(name, Text(label.value), type));
  }
  // A name that stands there with an empty and with another value is absent, as in Prometheus.
  for (const std::string_view name : empty_names_) builder_.Del(name);
  AddTargetLabels();
  const Relabeler& rules = target_->job->metric_relabel;
  if (!rules.empty() && !rules.Apply(builder_)) return ComposeResult::kDropped;
  if (builder_.HasDuplicateNames()) {
    *error = absl::StrCat("a label name of ", Excerpt(series.name.text), " is not unique");
    return ComposeResult::kFailed;
  }
  *out = builder_.Build();
  if (out->empty()) return ComposeResult::kDropped;
  if (builder_.Get(kMetricName).empty()) {
    *error = "missing metric name (__name__ label)";
    return ComposeResult::kFailed;
  }
  if ((check_names || !rules.empty()) && !HasValidNames(*out)) {
    *error = absl::StrCat("invalid metric name or label names: ", Excerpt(out->ToString()));
    return ComposeResult::kFailed;
  }
  if (HasLabelLimits(*target_->job) && !WithinLimits(*out, *target_->job, error)) {
    return ComposeResult::kOverLimit;
  }
  return ComposeResult::kKept;
}

}  // namespace ampari
