#include "forwarder/metric_families.h"

#include "absl/strings/str_cat.h"
#include "common/runtime/absl_view.h"

namespace ampari {

void MetricFamilies::Counter(std::string_view name, std::string help, uint64_t value) {
  out_.push_back(SingleMetric(FullName(name), std::move(help), MetricKind::kCounter,
                              static_cast<double>(value)));
}

void MetricFamilies::Gauge(std::string_view name, std::string help, double value) {
  out_.push_back(SingleMetric(FullName(name), std::move(help), MetricKind::kGauge, value));
}

void MetricFamilies::Count(std::string_view name, std::string help, uint64_t value) {
  Gauge(name, std::move(help), static_cast<double>(value));
}

void MetricFamilies::Flag(std::string_view name, std::string help, bool value) {
  Gauge(name, std::move(help), value ? 1 : 0);
}

void MetricFamilies::Labelled(std::string_view name, std::string help, MetricKind kind,
                              const std::string& label,
                              const std::vector<std::pair<std::string, double>>& values) {
  MetricFamily family{FullName(name), std::move(help), kind, {}};
  for (const auto& [value, number] : values)
    family.samples.push_back({{{label, value}}, number, {}});
  out_.push_back(std::move(family));
}

std::string MetricFamilies::FullName(std::string_view name) const {
  return absl::StrCat(prefix_, ToAbsl(name));
}

}  // namespace ampari
