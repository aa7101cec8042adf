#include "forwarder/discovery/kubernetes/pod_targets.h"

#include <google/protobuf/map.h>
#include <google/protobuf/repeated_field.h>
#include <google/protobuf/util/json_util.h>

#include <algorithm>
#include <map>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "forwarder/discovery/kubernetes/meta_labels.h"
#include "kubernetes/core.pb.h"

namespace ampari {
namespace {

constexpr size_t kMaxErrorBytes = 200;

using Statuses = google::protobuf::RepeatedPtrField<kubernetes::ContainerStatus>;
using Containers = google::protobuf::RepeatedPtrField<kubernetes::Container>;

using Pairs = std::vector<std::pair<std::string_view, std::string_view>>;

Pairs PairsOf(const google::protobuf::Map<std::string, std::string>& map) {
  return Pairs(map.begin(), map.end());
}

std::string Ready(const kubernetes::Pod& pod) {
  for (const kubernetes::PodCondition& condition : pod.status().conditions()) {
    if (condition.type() == "Ready") return absl::AsciiStrToLower(condition.status());
  }
  return "unknown";
}

void AddController(const kubernetes::ObjectMeta& metadata, MetaLabels* labels) {
  for (const kubernetes::OwnerReference& owner : metadata.owner_references()) {
    if (!owner.controller()) continue;
    labels->Set("pod_controller_kind", owner.kind());
    labels->Set("pod_controller_name", owner.name());
    return;
  }
}

Labels PodLabels(const kubernetes::Pod& pod) {
  MetaLabels labels;
  labels.Set("namespace", pod.metadata().namespace_());
  labels.Set("pod_name", pod.metadata().name());
  labels.Set("pod_ip", pod.status().pod_ip());
  labels.Set("pod_ready", Ready(pod));
  labels.Set("pod_phase", pod.status().phase());
  labels.Set("pod_node_name", pod.spec().node_name());
  labels.Set("pod_host_ip", pod.status().host_ip());
  labels.Set("pod_uid", pod.metadata().uid());
  AddController(pod.metadata(), &labels);
  labels.AddPairs("pod_label", PairsOf(pod.metadata().labels()));
  labels.AddPairs("pod_annotation", PairsOf(pod.metadata().annotations()));
  return labels.Build();
}

std::string JoinHostPort(const std::string& host, int32_t port) {
  const bool brackets = host.find_first_of(":%") != std::string::npos;
  return brackets ? absl::StrCat("[", host, "]:", port) : absl::StrCat(host, ":", port);
}

// By container name; of equal names the first counts.
std::map<std::string_view, std::string_view> ContainerIds(const Statuses& statuses) {
  std::map<std::string_view, std::string_view> ids;
  for (const kubernetes::ContainerStatus& status : statuses) {
    ids.emplace(status.name(), status.container_id());
  }
  return ids;
}

// Collects the targets of one pod's containers, within the bounds.
class TargetsBuilder {
 public:
  TargetsBuilder(const kubernetes::Pod& pod, TargetGroup* group) : pod_(pod), group_(group) {}

  bool Add(const Containers& containers, const Statuses& statuses, const char* init) {
    const auto ids = ContainerIds(statuses);
    for (const kubernetes::Container& container : containers) {
      const auto id = ids.find(container.name());
      labels_.Reset();
      Set("pod_container_name", container.name());
      Set("pod_container_id", id == ids.end() ? "" : id->second);
      Set("pod_container_image", container.image());
      Set("pod_container_init", init);
      if (!AddPorts(container)) return false;
    }
    return true;
  }

 private:
  bool AddPorts(const kubernetes::Container& container) {
    if (container.ports().empty()) return AddOne(pod_.status().pod_ip());
    for (const kubernetes::ContainerPort& port : container.ports()) {
      Set("pod_container_port_number", absl::StrCat(port.container_port()));
      Set("pod_container_port_name", port.name());
      Set("pod_container_port_protocol", port.protocol());
      if (!AddOne(JoinHostPort(pod_.status().pod_ip(), port.container_port()))) return false;
    }
    return true;
  }

  bool AddOne(std::string address) {
    const Labels& labels = group_->target_labels.emplace_back(labels_.Build());
    bytes_ += labels.bytes().size() + address.size();
    group_->targets.push_back(std::move(address));
    return group_->targets.size() <= kMaxPodTargets && bytes_ <= kMaxPodTargetBytes;
  }

  void Set(const char* name, std::string_view value) { labels_.Set(MetaName(name), value); }

  const kubernetes::Pod& pod_;
  TargetGroup* const group_;
  LabelsBuilder labels_;
  size_t bytes_ = 0;
};

absl::Status FillTargets(const kubernetes::Pod& pod, TargetGroup* group) {
  const kubernetes::ObjectMeta& metadata = pod.metadata();
  if (metadata.labels().size() > kMaxPodKeys || metadata.annotations().size() > kMaxPodKeys) {
    return absl::InvalidArgumentError(
        absl::StrCat("more than ", kMaxPodKeys, " labels or annotations"));
  }
  group->labels = PodLabels(pod);
  TargetsBuilder builder(pod, group);
  const bool fits =
      builder.Add(pod.spec().containers(), pod.status().container_statuses(), "false") &&
      builder.Add(pod.spec().init_containers(), pod.status().init_container_statuses(), "true");
  if (fits) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat("more than ", kMaxPodTargets, " targets or ",
                                                 kMaxPodTargetBytes, " bytes of their labels"));
}

}  // namespace

absl::StatusOr<DiscoveredPod> DiscoverPod(const kubernetes::Pod& pod) {
  const kubernetes::ObjectMeta& metadata = pod.metadata();
  if (metadata.name().empty()) return absl::InvalidArgumentError("a pod without a name");
  DiscoveredPod discovered;
  discovered.key = absl::StrCat(metadata.namespace_(), "/", metadata.name());
  discovered.uid = metadata.uid();
  discovered.resource_version = metadata.resource_version();
  discovered.node = pod.spec().node_name();
  discovered.group.source = absl::StrCat("pod/", discovered.key);
  // A pod that is starting or was evicted has no IP.
  discovered.group.logs_only = pod.status().pod_ip().empty();
  const absl::Status status = FillTargets(pod, &discovered.group);
  if (!status.ok()) return status;
  return discovered;
}

absl::StatusOr<DiscoveredPod> ParsePod(std::string_view json) {
  if (json.size() > kMaxPodBytes) {
    return absl::InvalidArgumentError(absl::StrCat("a pod of more than ", kMaxPodBytes, " bytes"));
  }
  google::protobuf::util::JsonParseOptions options;
  options.ignore_unknown_fields = true;
  kubernetes::Pod pod;
  const auto status = google::protobuf::util::JsonStringToMessage(
      google::protobuf::StringPiece(json.data(), json.size()), &pod, options);
  // Behind its first line the message quotes the text around a mistake, which may be a secret.
  if (!status.ok()) {
    const std::string message = status.message().ToString();
    return absl::InvalidArgumentError(
        message.substr(0, std::min(message.find('\n'), kMaxErrorBytes)));
  }
  return DiscoverPod(pod);
}

}  // namespace ampari
