#include "bench/verify/target_labels.h"

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "bench/region/json_value.h"
#include "bench/verify/go_float.h"

namespace ampari::bench {
namespace {

constexpr std::string_view kMeta = "__meta_kubernetes_";
constexpr std::string_view kPodLabel = "pod_label_";

std::string Text(const JsonValue& labels, std::string_view name) {
  return labels[std::string(kMeta) + std::string(name)].text;
}

LabelMap FromPod(const JsonValue& labels, const std::string& address,
                 const ExpectedLabels& expected) {
  LabelMap out;
  const std::string prefix = std::string(kMeta) + std::string(kPodLabel);
  for (const auto& [name, value] : labels.members) {
    if (name.starts_with(prefix)) out[name.substr(prefix.size())] = value.text;
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
  const absl::StatusOr<JsonValue> list = ParseJson(json);
  if (!list.ok() || list->kind != JsonValue::Kind::kArray) {
    return absl::InvalidArgumentError("the targets are no file_sd JSON");
  }
  std::map<std::string, LabelMap> targets;
  for (const JsonValue& entry : list->items) {
    const JsonValue& meta = entry["labels"];
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
