#include "forwarder/discovery/kubernetes/pod_targets.h"

#include <google/protobuf/map.h>
#include <google/protobuf/repeated_field.h>
#include <google/protobuf/util/json_util.h>

#include <algorithm>
#include <map>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "kubernetes/core.pb.h"

namespace ampari {
namespace {

constexpr char kPrefix[] = "__meta_kubernetes_";
constexpr size_t kMaxErrorBytes = 200;

using Statuses = google::protobuf::RepeatedPtrField<kubernetes::ContainerStatus>;
using Containers = google::protobuf::RepeatedPtrField<kubernetes::Container>;

// Each character that a label name cannot hold becomes one underscore.
std::string Sanitized(std::string_view key) {
  std::string name;
  name.reserve(key.size());
  for (const char c : key) {
    const bool continues = (static_cast<unsigned char>(c) & 0xC0) == 0x80;
    if (!continues) name.push_back(absl::ascii_isalnum(static_cast<unsigned char>(c)) ? c : '_');
  }
  return name;
}

// <kind>_<key> and <kind>present_<key> of each pair, in the order of the keys. A map, since a
// LabelsBuilder that looks for earlier names is quadratic.
void AddPairs(const google::protobuf::Map<std::string, std::string>& pairs, const char* kind,
              std::map<std::string, std::string>* labels) {
  std::map<std::string_view, std::string_view> sorted;
  for (const auto& [key, value] : pairs) sorted.emplace(key, value);
  for (const auto& [key, value] : sorted) {
    const std::string name = Sanitized(key);
    (*labels)[absl::StrCat(kPrefix, "pod_", kind, "_", name)] = value;
    (*labels)[absl::StrCat(kPrefix, "pod_", kind, "present_", name)] = "true";
  }
}

std::string Ready(const kubernetes::Pod& pod) {
  for (const kubernetes::PodCondition& condition : pod.status().conditions()) {
    if (condition.type() == "Ready") return absl::AsciiStrToLower(condition.status());
  }
  return "unknown";
}

void AddController(const kubernetes::ObjectMeta& metadata,
                   std::map<std::string, std::string>* labels) {
  for (const kubernetes::OwnerReference& owner : metadata.owner_references()) {
    if (!owner.controller()) continue;
    (*labels)[absl::StrCat(kPrefix, "pod_controller_kind")] = owner.kind();
    (*labels)[absl::StrCat(kPrefix, "pod_controller_name")] = owner.name();
    return;
  }
}

Labels PodLabels(const kubernetes::Pod& pod) {
  std::map<std::string, std::string> labels;
  const auto set = [&](const char* name, const std::string& value) {
    labels[absl::StrCat(kPrefix, name)] = value;
  };
  set("namespace", pod.metadata().namespace_());
  set("pod_name", pod.metadata().name());
  set("pod_ip", pod.status().pod_ip());
  set("pod_ready", Ready(pod));
  set("pod_phase", pod.status().phase());
  set("pod_node_name", pod.spec().node_name());
  set("pod_host_ip", pod.status().host_ip());
  set("pod_uid", pod.metadata().uid());
  AddController(pod.metadata(), &labels);
  AddPairs(pod.metadata().labels(), "label", &labels);
  AddPairs(pod.metadata().annotations(), "annotation", &labels);
  LabelsBuilder builder;
  for (const auto& [name, value] : labels) builder.AddView(name, value);
  return builder.Build();
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

  void Set(const char* name, std::string_view value) {
    labels_.Set(absl::StrCat(kPrefix, name), value);
  }

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
  if (pod.status().pod_ip().empty()) return discovered;
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
