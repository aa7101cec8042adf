// LogView: one moment of the logs' way through the program, and how it is shown. Pure.
#pragma once

#include <cstdint>
#include <vector>

#include "common/http/json_writer.h"
#include "common/labels/labels.h"
#include "common/runtime/metrics.h"
#include "forwarder/scrape/target.h"
#include "forwarder/shipping/shipping_options.h"
#include "forwarder/tail/log_tailer.h"

namespace ampari {

class MetricFamilies;

// What discovery left out when it gave its newest set.
struct DroppedTargets {
  std::vector<DroppedTarget> targets;
  uint64_t total = 0;
};

// Without `running` no job of log_configs was ever in force, and all else is empty.
struct LogView {
  bool running = false;
  std::vector<LogTarget> targets;
  uint64_t targets_count = 0;  // of targets, which are left out of metrics
  DroppedTargets dropped;
  LogTailStatus tailing;
  ShippingStatus shipping;  // samples are lines
};

// By job and path.
void SortLogView(LogView* view);

// "logs": {"files": […], "gateway": {…} or null}, "log_targets": […], "log_dropped": […],
// "log_dropped_total": n.
void WriteLogs(const LogView& view, JsonWriter& json);
// Families ampari_forwarder_log_*; none unless running. Those of the stream are named as the
// metrics' own.
void AppendLogMetrics(const LogView& view, std::vector<MetricFamily>& families);

// Of scraped targets and log files alike.
void WriteLabelObject(std::string_view key, const Labels& labels, JsonWriter& json);
void WriteDroppedTargets(std::string_view key, const std::vector<DroppedTarget>& dropped,
                         JsonWriter& json);
void WriteGatewayObject(const ShippingStatus& shipping, JsonWriter& json);
void AddGatewayMoves(const ShippingStatus& shipping, MetricFamilies& out);

}  // namespace ampari
