#include "forwarder/discovery/kubernetes/attached_metadata.h"

#include "absl/strings/str_cat.h"
#include "common/runtime/absl_view.h"
#include "forwarder/discovery/kubernetes/meta_labels.h"
#include "kubernetes/core.pb.h"

namespace ampari {
namespace {

using Pairs = std::vector<std::pair<std::string_view, std::string_view>>;

void AddMetadata(const kubernetes::ObjectMeta& metadata, const std::string& kind,
                 MetaLabels* labels) {
  labels->AddPairs(kind + "_label", Pairs(metadata.labels().begin(), metadata.labels().end()));
  labels->AddPairs(kind + "_annotation",
                   Pairs(metadata.annotations().begin(), metadata.annotations().end()));
}

// The name of the controller if it is of that kind.
void AddOwner(const kubernetes::ObjectMeta& metadata, std::string_view kind, const char* label,
              MetaLabels* labels) {
  for (const kubernetes::OwnerReference& owner : metadata.owner_references()) {
    if (!owner.controller()) continue;
    if (owner.kind() == kind) labels->Set(label, owner.name());
    return;
  }
}

void Merge(const std::optional<Labels>& added, LabelsBuilder* labels) {
  if (!added) return;
  for (const Label label : *added) labels->Set(label.name, label.value);
}

}  // namespace

absl::StatusOr<DiscoveredPod> DiscoverAttached(const kubernetes::ApiObject& object,
                                               ApiResource resource) {
  const kubernetes::ObjectMeta& metadata = object.metadata();
  if (metadata.name().empty()) return absl::InvalidArgumentError("an object without a name");
  DiscoveredPod discovered;
  discovered.key = metadata.namespace_().empty()
                       ? metadata.name()
                       : absl::StrCat(metadata.namespace_(), "/", metadata.name());
  if (metadata.labels().size() > kMaxPodKeys || metadata.annotations().size() > kMaxPodKeys) {
    return absl::InvalidArgumentError(
        absl::StrCat(discovered.key, ": more than ", kMaxPodKeys, " labels or annotations"));
  }
  MetaLabels labels;
  if (resource == ApiResource::kNodes) {
    labels.Set("node_name", metadata.name());
    AddMetadata(metadata, "node", &labels);
  } else if (resource == ApiResource::kNamespaces) {
    AddMetadata(metadata, "namespace", &labels);
  } else if (resource == ApiResource::kReplicaSets) {
    AddOwner(metadata, "Deployment", "pod_deployment_name", &labels);
  } else if (resource == ApiResource::kJobs) {
    AddOwner(metadata, "CronJob", "pod_cronjob_name", &labels);
  }
  discovered.group.labels = labels.Build();
  return discovered;
}

bool Attach(const AttachMetadata& attach, const FindAttached& find, TargetGroup* pod) {
  const Labels before = pod->labels;
  const std::string_view namespace_name = before.Get(MetaName("namespace"));
  const std::string_view controller = before.Get(MetaName("pod_controller_name"));
  const std::string_view kind = before.Get(MetaName("pod_controller_kind"));
  const std::string owner = absl::StrCat(ToAbsl(namespace_name), "/", ToAbsl(controller));
  LabelsBuilder labels(before);
  if (attach.node) {
    const auto node = find(ApiResource::kNodes, before.Get(MetaName("pod_node_name")));
    if (!node) return false;
    Merge(node, &labels);
  }
  if (attach.namespaces) Merge(find(ApiResource::kNamespaces, namespace_name), &labels);
  if (attach.deployment && kind == "ReplicaSet") {
    Merge(find(ApiResource::kReplicaSets, owner), &labels);
  }
  if (attach.job && kind == "Job") labels.Set(MetaName("pod_job_name"), controller);
  if (attach.cronjob && kind == "Job") Merge(find(ApiResource::kJobs, owner), &labels);
  pod->labels = labels.Build();
  return true;
}

}  // namespace ampari
