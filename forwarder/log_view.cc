#include "forwarder/log_view.h"

#include <algorithm>
#include <tuple>

namespace ampari {
namespace {

void WriteFile(const LogFileStatus& file, JsonWriter& json) {
  json.BeginObject().Field("job", file.job_name).Field("path", file.path).Field("key", file.key);
  json.Field("size", file.size).Key("read").BeginObject();
  json.Field("out", file.read.out).Field("err", file.read.err).EndObject();
  json.Field("lag_bytes", file.lag_bytes)
      .Field("lag_seconds", absl::ToDoubleSeconds(file.lag))
      .Field("rotated_unread_bytes", file.rotated_unread_bytes)
      .Field("skipped_bytes", file.skipped_bytes)
      .Field("lines", file.lines)
      .Field("filtered_lines", file.filtered_lines)
      .Field("cut_lines", file.cut_lines)
      .Field("refused_lines", file.refused_lines)
      .Field("rotated", file.rotated)
      .Field("gone", file.gone)
      .Field("error", file.error)
      .EndObject();
}

void WriteTarget(const LogTarget& target, JsonWriter& json) {
  json.BeginObject().Field("job", target.job->job_name).Field("path", target.path);
  WriteLabelObject("labels", target.labels, json);
  WriteLabelObject("discovered_labels", target.discovered_labels, json);
  json.EndObject();
}

}  // namespace

void SortLogView(LogView* view) {
  std::sort(view->targets.begin(), view->targets.end(), [](const LogTarget& a, const LogTarget& b) {
    return std::tie(a.job->job_name, a.path) < std::tie(b.job->job_name, b.path);
  });
  std::sort(view->tailing.files.begin(), view->tailing.files.end(),
            [](const LogFileStatus& a, const LogFileStatus& b) {
              return std::tie(a.job_name, a.path, a.key) < std::tie(b.job_name, b.path, b.key);
            });
}

void WriteLogs(const LogView& view, JsonWriter& json) {
  json.Key("logs").BeginObject().Key("files").BeginArray();
  for (const LogFileStatus& file : view.tailing.files) WriteFile(file, json);
  json.EndArray().Key("gateway");
  if (view.running) {
    WriteGatewayObject(view.shipping, json);
  } else {
    json.Null();
  }
  json.EndObject().Key("log_targets").BeginArray();
  for (const LogTarget& target : view.targets) WriteTarget(target, json);
  json.EndArray();
  WriteDroppedTargets("log_dropped", view.dropped.targets, json);
  json.Field("log_dropped_total", view.dropped.total);
}

void WriteLabelObject(std::string_view key, const Labels& labels, JsonWriter& json) {
  json.Key(key).BeginObject();
  for (const Label label : labels) json.Field(label.name, label.value);
  json.EndObject();
}

void WriteDroppedTargets(std::string_view key, const std::vector<DroppedTarget>& dropped,
                         JsonWriter& json) {
  json.Key(key).BeginArray();
  for (const DroppedTarget& target : dropped) {
    json.BeginObject().Field("job", target.job_name).Field("reason", target.reason);
    WriteLabelObject("discovered_labels", target.discovered_labels, json);
    json.EndObject();
  }
  json.EndArray();
}

void WriteGatewayObject(const ShippingStatus& shipping, JsonWriter& json) {
  json.BeginObject()
      .Field("address", shipping.gateway)
      .Field("moving_to", shipping.moving_to)
      .Field("connected", shipping.connected)
      .Field("superseded", shipping.superseded)
      .Field("paused", shipping.paused)
      .Field("last_error", shipping.last_error)
      .Field("acknowledged_sequence", shipping.acknowledged_sequence)
      .Field("settled_sequence", shipping.settled_sequence)
      .Field("last_sequence", shipping.last_sequence)
      .Field("ring_frames", shipping.ring_frames)
      .Field("ring_bytes", shipping.ring_bytes)
      .Field("ring_samples", shipping.ring_samples)
      .EndObject();
}

}  // namespace ampari
