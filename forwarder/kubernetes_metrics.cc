#include "forwarder/kubernetes_metrics.h"

#include <string>
#include <utility>

#include "absl/strings/str_cat.h"

namespace ampari {
namespace {

double Seconds(absl::Time time) {
  return time == absl::InfinitePast() ? 0 : absl::ToDoubleSeconds(time - absl::UnixEpoch());
}

// Makes families of one value of each watch, or of their sums.
class WatchFamilies {
 public:
  WatchFamilies(const std::vector<PodWatchStatus>& watches, std::vector<MetricFamily>& out)
      : watches_(watches), out_(out) {}

  template <typename Value>
  void Each(const char* name, std::string help, Value value) {
    MetricFamily family{FullName(name), std::move(help), MetricKind::kGauge, {}};
    for (const PodWatchStatus& watch : watches_) {
      family.samples.push_back({{{"watch", watch.url}}, value(watch), {}});
    }
    out_.push_back(std::move(family));
  }

  template <typename Value>
  void Sum(const char* name, std::string help, MetricKind kind, Value value) {
    double sum = 0;
    for (const PodWatchStatus& watch : watches_) sum += static_cast<double>(value(watch));
    out_.push_back(SingleMetric(FullName(name), std::move(help), kind, sum));
  }

  void Failures() {
    MetricFamily family{FullName("failures_total"),
                        "Lists and watches of pods that failed, by reason; the last known pods "
                        "stay meanwhile.",
                        MetricKind::kCounter,
                        {}};
    for (size_t i = 0; i < kPodWatchFailures; ++i) {
      double sum = 0;
      for (const PodWatchStatus& watch : watches_) sum += static_cast<double>(watch.failures[i]);
      const auto failure = static_cast<PodWatchFailure>(i);
      family.samples.push_back({{{"reason", std::string(PodWatchFailureName(failure))}}, sum, {}});
    }
    out_.push_back(std::move(family));
  }

 private:
  static std::string FullName(const char* name) {
    return absl::StrCat("ampari_forwarder_kubernetes_", name);
  }

  const std::vector<PodWatchStatus>& watches_;
  std::vector<MetricFamily>& out_;
};

}  // namespace

void AppendKubernetesMetrics(const std::vector<PodWatchStatus>& watches,
                             std::vector<MetricFamily>& families) {
  if (watches.empty()) return;
  using Status = PodWatchStatus;
  WatchFamilies out(watches, families);
  out.Each("watch_synced", "1 when the pods of the collection have been listed completely.",
           [](const Status& watch) { return watch.synced ? 1.0 : 0.0; });
  out.Each("watch_last_success_timestamp_seconds",
           "When the API server last answered with a page, a watch, an event or a bookmark; 0: "
           "never.",
           [](const Status& watch) { return Seconds(watch.last_success); });
  out.Sum("watched_collections", "Collections of pods that are watched.", MetricKind::kGauge,
          [](const Status&) { return 1; });
  out.Sum("pods", "Pods known.", MetricKind::kGauge,
          [](const Status& watch) { return watch.pods; });
  out.Sum("lists_total", "Lists of pods begun.", MetricKind::kCounter,
          [](const Status& watch) { return watch.lists; });
  out.Sum("watches_total", "Watches of pods begun.", MetricKind::kCounter,
          [](const Status& watch) { return watch.watches; });
  out.Sum("events_total", "Events of watches of pods, bookmarks included.", MetricKind::kCounter,
          [](const Status& watch) { return watch.events; });
  out.Failures();
}

}  // namespace ampari
