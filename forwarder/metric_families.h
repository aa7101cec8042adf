// MetricFamilies: adds families of this program, whose names all begin alike.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/runtime/metrics.h"

namespace ampari {

// `out` must outlive it. Not thread-safe.
class MetricFamilies {
 public:
  MetricFamilies(std::string prefix, std::vector<MetricFamily>& out)
      : prefix_(std::move(prefix)), out_(out) {}

  void Counter(std::string_view name, std::string help, uint64_t value);
  void Gauge(std::string_view name, std::string help, double value);
  void Count(std::string_view name, std::string help, uint64_t value);  // a gauge
  void Flag(std::string_view name, std::string help, bool value);       // a gauge, 1 or 0
  // One sample for each value of one label.
  void Labelled(std::string_view name, std::string help, MetricKind kind, const std::string& label,
                const std::vector<std::pair<std::string, double>>& values);

 private:
  std::string FullName(std::string_view name) const;

  const std::string prefix_;
  std::vector<MetricFamily>& out_;
};

}  // namespace ampari
