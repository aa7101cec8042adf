// What a forwarder shows of itself: the targets as JSON and its metrics. Pure: everything is in the
// view.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/time/time.h"
#include "common/runtime/metrics.h"
#include "forwarder/discovery/discovery.h"
#include "forwarder/log_view.h"
#include "forwarder/scrape/scrape_loop.h"
#include "forwarder/shipping/shipping_options.h"

namespace ampari {

struct ReloadStatus {
  bool successful = true;  // the newest attempt
  std::string error;
  absl::Time last_success;
  uint64_t attempts = 0, failures = 0;
};

// One moment of the whole program, as its stages tell it.
struct ForwarderView {
  std::vector<TargetStatus> targets;
  DroppedTargets dropped;
  std::vector<DiscoveredFile> files;
  std::vector<PodWatchStatus> pod_watches;
  ScrapeLoopStatus scraping;
  bool ships_metrics = true;  // its stream was begun; else `shipping` says nothing
  ShippingStatus shipping;
  LogView logs;
  ReloadStatus reload;
};

std::string_view HealthName(TargetHealth health);

// In the order of job and URL, or path.
void SortView(ForwarderView* view);

// {"targets": […], "dropped": […], "dropped_total": n, "files": […], "kubernetes": […], "gateway":
// {…} or null} and what WriteLogs() adds; sorted.
std::string TargetsJson(ForwarderView view);

// Families ampari_forwarder_*; those of the stream only once it was begun. Without per-target
// series: what a target did is in /targets and in its report series.
void AppendForwarderMetrics(const ForwarderView& view, std::vector<MetricFamily>& families);

}  // namespace ampari
