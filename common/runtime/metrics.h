// Metrics of our own: collectors give families as plain values, the registry renders Prometheus
// text 0.0.4.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "common/runtime/mutex.h"

namespace ampari {

enum class MetricKind : uint8_t { kCounter, kGauge, kHistogram };

using MetricLabels = std::vector<std::pair<std::string, std::string>>;

// A histogram's value: counts[i] observations were <= bounds[i] (cumulative); `count` is all of
// them.
struct MetricHistogram {
  std::vector<double> bounds;
  std::vector<uint64_t> counts;
  uint64_t count = 0;
  double sum = 0;
};

struct MetricSample {
  MetricLabels labels;
  double value = 0;           // unused in a histogram
  MetricHistogram histogram;  // unused elsewhere
};

// Names: ampari_<program>_<what>_<base unit>, counters end in _total, every family has a help text
// of one sentence.
struct MetricFamily {
  std::string name;
  std::string help;
  MetricKind kind = MetricKind::kGauge;
  std::vector<MetricSample> samples;
};

// A family with one sample without labels.
MetricFamily SingleMetric(std::string name, std::string help, MetricKind kind, double value);

// Adds to `families`; called from whoever renders, several threads at once.
using MetricsCollector = std::function<void(std::vector<MetricFamily>& families)>;

// Thread-safe. What the collectors refer to must outlive the registry, or its last Render().
class MetricsRegistry {
 public:
  MetricsRegistry() = default;
  MetricsRegistry(const MetricsRegistry&) = delete;
  MetricsRegistry& operator=(const MetricsRegistry&) = delete;

  void Add(MetricsCollector collector) ABSL_LOCKS_EXCLUDED(mu_);
  // Families sorted by name; those of one name from several collectors become one.
  std::vector<MetricFamily> Collect() const ABSL_LOCKS_EXCLUDED(mu_);
  std::string Render() const;

 private:
  mutable Mutex mu_;
  std::vector<MetricsCollector> collectors_ ABSL_GUARDED_BY(mu_);
};

// The content type of Render().
inline constexpr char kMetricsContentType[] = "text/plain; version=0.0.4; charset=utf-8";

// process_* (CPU, memory, descriptors, start) and <prefix>_build_info{version}, e.g. prefix
// "ampari_gateway".
MetricsCollector ProcessCollector(std::string prefix);

}  // namespace ampari
