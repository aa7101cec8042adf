#include "forwarder/scrape/report_series.h"

#include <bit>
#include <string_view>

namespace ampari {
namespace {

constexpr std::string_view kNames[] = {
    "up",
    "scrape_duration_seconds",
    "scrape_samples_scraped",
    "scrape_samples_post_metric_relabeling",
    "scrape_series_added",
    // With extra_scrape_metrics:
    "scrape_timeout_seconds",
    "scrape_sample_limit",
    "scrape_body_size_bytes",
};
constexpr size_t kPlainNames = 5;

}  // namespace

std::vector<Labels> ReportLabels(const Target& target) {
  const size_t count = target.job->extra_scrape_metrics ? std::size(kNames) : kPlainNames;
  std::vector<Labels> out;
  for (size_t i = 0; i < count; ++i) {
    LabelsBuilder builder(target.labels);
    builder.Set("__name__", kNames[i]);
    out.push_back(builder.Build());
  }
  return out;
}

std::vector<uint64_t> ReportBits(const Target& target, const ReportValues& values) {
  std::vector<double> numbers = {
      values.up ? 1.0 : 0.0,
      values.duration_seconds,
      static_cast<double>(values.scraped),
      static_cast<double>(values.post_relabel),
      static_cast<double>(values.added),
  };
  if (target.job->extra_scrape_metrics) {
    numbers.push_back(absl::ToDoubleSeconds(target.timeout));
    numbers.push_back(static_cast<double>(target.job->sample_limit));
    numbers.push_back(values.body_bytes);
  }
  std::vector<uint64_t> bits;
  for (const double number : numbers) bits.push_back(std::bit_cast<uint64_t>(number));
  return bits;
}

}  // namespace ampari
