#include "common/runtime/metrics.h"

#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include <algorithm>
#include <iterator>
#include <limits>
#include <map>

#include "common/runtime/check.h"

namespace ampari {
namespace {

prometheus::MetricType ToPrometheus(MetricKind kind) {
  switch (kind) {
    case MetricKind::kCounter:
      return prometheus::MetricType::Counter;
    case MetricKind::kGauge:
      return prometheus::MetricType::Gauge;
    case MetricKind::kHistogram:
      return prometheus::MetricType::Histogram;
  }
  return prometheus::MetricType::Untyped;
}

void FillHistogram(const MetricHistogram& from, prometheus::ClientMetric::Histogram& to) {
  Check(from.bounds.size() == from.counts.size(),
        "a histogram's bounds and counts differ in number");
  to.sample_count = from.count;
  to.sample_sum = from.sum;
  for (size_t i = 0; i < from.bounds.size(); ++i) {
    to.bucket.push_back({from.counts[i], from.bounds[i]});
  }
  to.bucket.push_back({from.count, std::numeric_limits<double>::infinity()});
}

prometheus::ClientMetric ToPrometheus(const MetricSample& sample, MetricKind kind) {
  prometheus::ClientMetric metric;
  for (const auto& [name, value] : sample.labels) metric.label.push_back({name, value});
  switch (kind) {
    case MetricKind::kCounter:
      metric.counter.value = sample.value;
      break;
    case MetricKind::kGauge:
      metric.gauge.value = sample.value;
      break;
    case MetricKind::kHistogram:
      FillHistogram(sample.histogram, metric.histogram);
      break;
  }
  return metric;
}

}  // namespace

MetricFamily SingleMetric(std::string name, std::string help, MetricKind kind, double value) {
  MetricFamily family{std::move(name), std::move(help), kind, {}};
  family.samples.push_back({{}, value, {}});
  return family;
}

void MetricsRegistry::Add(MetricsCollector collector) {
  MutexLock lock(mu_);
  collectors_.push_back(std::move(collector));
}

std::vector<MetricFamily> MetricsRegistry::Collect() const {
  std::vector<MetricsCollector> collectors;
  {
    MutexLock lock(mu_);
    collectors = collectors_;
  }
  std::vector<MetricFamily> all;
  for (const MetricsCollector& collect : collectors) collect(all);
  std::map<std::string, MetricFamily> by_name;
  for (MetricFamily& family : all) {
    MetricFamily& merged = by_name[family.name];
    if (merged.name.empty()) {
      merged = std::move(family);
      continue;
    }
    std::move(family.samples.begin(), family.samples.end(), std::back_inserter(merged.samples));
  }
  std::vector<MetricFamily> families;
  families.reserve(by_name.size());
  for (auto& [name, family] : by_name) families.push_back(std::move(family));
  return families;
}

std::string MetricsRegistry::Render() const {
  std::vector<prometheus::MetricFamily> out;
  for (const MetricFamily& family : Collect()) {
    if (family.samples.empty()) continue;
    prometheus::MetricFamily& to = out.emplace_back();
    to.name = family.name;
    to.help = family.help;
    to.type = ToPrometheus(family.kind);
    for (const MetricSample& sample : family.samples) {
      to.metric.push_back(ToPrometheus(sample, family.kind));
    }
  }
  return prometheus::TextSerializer().Serialize(out);
}

}  // namespace ampari
