#include "bench/verify/target_labels.h"

#include <google/protobuf/struct.pb.h>
#include <google/protobuf/util/json_util.h>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "bench/verify/go_float.h"

namespace ampari::bench {
namespace {

constexpr std::string_view kMeta = "__meta_kubernetes_";
constexpr std::string_view kPodLabel = "pod_label_";

using Object = google::protobuf::Map<std::string, google::protobuf::Value>;

std::string Text(const Object& labels, std::string_view name) {
  const auto found = labels.find(std::string(kMeta) + std::string(name));
  return found == labels.end() ? "" : found->second.string_value();
}

LabelMap FromPod(const Object& labels, const std::string& address, const ExpectedLabels& expected) {
  LabelMap out;
  const std::string prefix = std::string(kMeta) + std::string(kPodLabel);
  for (const auto& [name, value] : labels) {
    if (name.starts_with(prefix)) out[name.substr(prefix.size())] = value.string_value();
  }
  out["namespace"] = Text(labels, "namespace");
  out["pod"] = Text(labels, "pod_name");
  out["node"] = Text(labels, "pod_node_name");
  out["job"] = expected.job;
  out["instance"] = address;
  return out;
}

}  // namespace

absl::StatusOr<std::map<std::string, LabelMap>> ReadTargets(const std::string& json,
                                                            const ExpectedLabels& expected) {
  google::protobuf::ListValue list;
  if (!google::protobuf::util::JsonStringToMessage(json, &list).ok()) {
    return absl::InvalidArgumentError("the targets are no file_sd JSON");
  }
  std::map<std::string, LabelMap> targets;
  for (const google::protobuf::Value& entry : list.values()) {
    const auto& fields = entry.struct_value().fields();
    const auto labels = fields.find("labels");
    if (labels == fields.end()) return absl::InvalidArgumentError("a target without labels");
    const Object& meta = labels->second.struct_value().fields();
    const std::string address =
        absl::StrCat(Text(meta, "pod_ip"), ":", Text(meta, "pod_annotation_prometheus_io_port"));
    targets[address] = FromPod(meta, address, expected);
  }
  return targets;
}

absl::StatusOr<LabelMap> FinalLabels(const BodySample& sample, const LabelMap& target,
                                     const ExpectedLabels& expected) {
  LabelMap labels;
  if (absl::Status parsed = ParseSeries(sample.series, &labels); !parsed.ok()) return parsed;
  const char* bound = sample.family_type == "histogram" ? "le"
                      : sample.family_type == "summary" ? "quantile"
                                                        : nullptr;
  if (bound != nullptr && expected.normalise_bounds) {
    const auto found = labels.find(bound);
    if (found != labels.end()) found->second = NormaliseBound(found->second);
  }
  labels.insert(target.begin(), target.end());  // keeps what the series names itself
  for (auto it = labels.begin(); it != labels.end();) {
    it = it->second.empty() ? labels.erase(it) : std::next(it);
  }
  for (const auto& [name, value] : expected.extra) labels[name] = value;
  return labels;
}

}  // namespace ampari::bench
