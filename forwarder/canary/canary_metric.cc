#include "forwarder/canary/canary_metric.h"

#include <bit>

namespace ampari {
namespace {

// The only numbers of the instance.
constexpr uint64_t kSeries = 1, kLayout = 1, kBlock = 1;

}  // namespace

Labels CanarySeries(std::string_view id, std::string_view forwarder, const Labels& external) {
  LabelsBuilder labels(external);
  labels.Set("__name__", kCanaryMetric);
  labels.Set("canary", id);
  labels.Set("instance", forwarder);
  labels.Set("job", "ampari-canary");
  return labels.Build();
}

Shipment CanarySample(const Labels& series, int64_t timestamp_ms) {
  Layout layout;
  layout.size = 1;
  layout.runs = {{.from_base = false, .first = kSeries, .count = 1}};
  Shipment shipment;
  shipment.registrations.push_back({.number = kBlock,
                                    .first_series = kSeries,
                                    .series = {series},
                                    .first_layout = kLayout,
                                    .layouts = {layout}});
  shipment.scrape.timestamp_ms = timestamp_ms;
  shipment.scrape.body_layout = kLayout;
  shipment.scrape.body_values = {std::bit_cast<uint64_t>(static_cast<double>(timestamp_ms) / 1000)};
  shipment.scrape.metadata = {
      {kCanaryMetric, MetricType::kGauge, "When a canary was sent on its way, Unix time.", ""}};
  shipment.samples = 1;
  return shipment;
}

Shipment CanaryEnd(int64_t timestamp_ms) {
  Shipment shipment;
  shipment.scrape.timestamp_ms = timestamp_ms;
  shipment.scrape.body_layout = kLayout;
  shipment.scrape.all_stale = true;
  shipment.samples = 1;
  shipment.retired_blocks = {kBlock};
  return shipment;
}

}  // namespace ampari
