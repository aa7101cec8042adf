#include "forwarder/status.h"

#include <algorithm>
#include <string_view>
#include <tuple>
#include <utility>

#include "common/http/json_writer.h"

namespace ampari {
namespace {

double Seconds(absl::Time time) {
  return time == absl::InfinitePast() ? 0 : static_cast<double>(absl::ToUnixMillis(time)) / 1000;
}

void WriteTarget(const TargetStatus& status, JsonWriter& json) {
  const Target& target = *status.target;
  json.BeginObject()
      .Field("job", target.job->job_name)
      .Field("url", target.url)
      .Field("health", HealthName(status.health))
      .Field("last_error", status.last.error);
  json.Key("last_scrape");
  if (status.scrapes == 0) {
    json.Null();
  } else {
    json.Value(Seconds(status.last_scrape));
  }
  json.Field("last_scrape_duration_seconds", status.last_duration_seconds)
      .Field("scrape_interval_seconds", absl::ToDoubleSeconds(target.interval))
      .Field("scrape_timeout_seconds", absl::ToDoubleSeconds(target.timeout))
      .Field("scrapes", status.scrapes)
      .Field("samples", status.last.samples_scraped)
      .Field("samples_post_metric_relabeling", status.last.samples_post_relabel)
      .Field("duplicates", status.last.duplicates)
      .Field("body_bytes", status.last.body_bytes)
      .Field("series", status.series)
      .Field("memory_bytes", status.memory_bytes);
  WriteLabelObject("labels", target.labels, json);
  WriteLabelObject("discovered_labels", target.discovered_labels, json);
  json.EndObject();
}

void WriteFile(const DiscoveredFile& file, JsonWriter& json) {
  json.BeginObject()
      .Field("job", file.job_name)
      .Field("file", file.status.file)
      .Field("targets", file.status.targets)
      .Field("error", file.status.error)
      .EndObject();
}

void WritePodWatch(const PodWatchStatus& watch, JsonWriter& json) {
  json.BeginObject()
      .Field("url", watch.url)
      .Field("pods", watch.pods)
      .Field("synced", watch.synced)
      .Field("error", watch.error);
  json.Key("last_success");
  if (watch.last_success == absl::InfinitePast()) {
    json.Null();
  } else {
    json.Value(Seconds(watch.last_success));
  }
  json.Field("lists", watch.lists).Field("watches", watch.watches).Field("events", watch.events);
  json.Key("failures").BeginObject();
  for (size_t i = 0; i < kPodWatchFailures; ++i) {
    if (watch.failures[i] == 0) continue;
    json.Field(PodWatchFailureName(static_cast<PodWatchFailure>(i)), watch.failures[i]);
  }
  json.EndObject().EndObject();
}

}  // namespace

std::string_view HealthName(TargetHealth health) {
  switch (health) {
    case TargetHealth::kUnknown:
      return "unknown";
    case TargetHealth::kUp:
      return "up";
    case TargetHealth::kDown:
      return "down";
  }
  return "";
}

void SortView(ForwarderView* view) {
  std::sort(view->targets.begin(), view->targets.end(),
            [](const TargetStatus& a, const TargetStatus& b) {
              return std::tie(a.target->job->job_name, a.target->url, a.target->id) <
                     std::tie(b.target->job->job_name, b.target->url, b.target->id);
            });
  SortLogView(&view->logs);
}

std::string TargetsJson(ForwarderView view) {
  SortView(&view);
  JsonWriter json;
  json.BeginObject().Key("targets").BeginArray();
  for (const TargetStatus& target : view.targets) WriteTarget(target, json);
  json.EndArray();
  WriteDroppedTargets("dropped", view.dropped.targets, json);
  json.Field("dropped_total", view.dropped.total).Key("files").BeginArray();
  for (const DiscoveredFile& file : view.files) WriteFile(file, json);
  json.EndArray().Key("kubernetes").BeginArray();
  for (const PodWatchStatus& watch : view.pod_watches) WritePodWatch(watch, json);
  json.EndArray().Key("gateway");
  if (view.ships_metrics) {
    WriteGatewayObject(view.shipping, json);
  } else {
    json.Null();
  }
  WriteLogs(view.logs, json);
  json.EndObject();
  return json.Take();
}

}  // namespace ampari
