// What nodes, namespaces and owners add to a pod's labels, as Prometheus' attach_metadata.
#include "forwarder/discovery/kubernetes/attached_metadata.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "forwarder/discovery/kubernetes/api_answers.h"
#include "tests/support/status_matchers.h"

namespace ampari {
namespace {

using testing::HasSubstr;

// The objects of one list, by their keys.
std::map<std::string, Labels> Objects(const std::string& kind, ApiResource resource,
                                      const std::string& items) {
  const auto page =
      ParsePodPage(R"({"kind":")" + kind + R"(List","metadata":{"resourceVersion":"7"},"items":[)" +
                       items + "]}",
                   resource);
  EXPECT_THAT(page, IsOk());
  std::map<std::string, Labels> objects;
  if (!page.ok()) return objects;
  for (const DiscoveredPod& object : page->pods) objects[object.key] = object.group.labels;
  return objects;
}

TEST(AttachedMetadata, WhatEachObjectAdds) {
  const std::string metadata = R"("labels":{"zone.io/a":"x"},"annotations":{"b c":"y"})";
  const auto nodes = Objects(
      "Node", ApiResource::kNodes,
      R"({"metadata":{"name":"n1",)" + metadata +
          R"(},"spec":{"podCIDR":"10.0.0.0/24"},"status":{"conditions":[{"type":"Ready"}]}})");
  EXPECT_EQ(nodes.at("n1"), (Labels{{"__meta_kubernetes_node_name", "n1"},
                                    {"__meta_kubernetes_node_label_zone_io_a", "x"},
                                    {"__meta_kubernetes_node_labelpresent_zone_io_a", "true"},
                                    {"__meta_kubernetes_node_annotation_b_c", "y"},
                                    {"__meta_kubernetes_node_annotationpresent_b_c", "true"}}));
  const auto namespaces = Objects("Namespace", ApiResource::kNamespaces,
                                  R"({"metadata":{"name":"shop",)" + metadata + "}}");
  EXPECT_EQ(namespaces.at("shop"),
            (Labels{{"__meta_kubernetes_namespace_label_zone_io_a", "x"},
                    {"__meta_kubernetes_namespace_labelpresent_zone_io_a", "true"},
                    {"__meta_kubernetes_namespace_annotation_b_c", "y"},
                    {"__meta_kubernetes_namespace_annotationpresent_b_c", "true"}}));
  const std::string owned =
      R"({"metadata":{"name":"o","namespace":"shop","ownerReferences":[{"kind":"X","name":"no"},)";
  EXPECT_EQ(Objects("ReplicaSet", ApiResource::kReplicaSets,
                    owned + R"({"kind":"Deployment","name":"web","controller":true}]}})")
                .at("shop/o"),
            (Labels{{"__meta_kubernetes_pod_deployment_name", "web"}}));
  EXPECT_EQ(Objects("Job", ApiResource::kJobs,
                    owned + R"({"kind":"CronJob","name":"nightly","controller":true}]}})")
                .at("shop/o"),
            (Labels{{"__meta_kubernetes_pod_cronjob_name", "nightly"}}));
  EXPECT_EQ(Objects("ReplicaSet", ApiResource::kReplicaSets,
                    owned + R"({"kind":"Rollout","name":"web","controller":true}]}})")
                .at("shop/o"),
            Labels());
}

TEST(AttachedMetadata, OtherListsAndEventsAreRefused) {
  const std::string list = R"({"kind":"PodList","metadata":{"resourceVersion":"7"},"items":[]})";
  EXPECT_THAT(ParsePodPage(list, ApiResource::kNodes),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("no NodeList")));
  const std::string event =
      R"({"type":"MODIFIED","object":{"kind":"Node","metadata":{"name":"n1","resourceVersion":"8"}}})";
  const auto node = ParseWatchEvent(event, ApiResource::kNodes);
  ASSERT_THAT(node, IsOk());
  EXPECT_EQ(node->type, WatchEvent::Type::kUpsert);
  EXPECT_EQ(node->pod.key, "n1");
  EXPECT_FALSE(ParseWatchEvent(event, ApiResource::kJobs).ok());
  const auto gone = ParseWatchEvent(
      R"({"type":"ERROR","object":{"kind":"Status","status":"Failure","code":410,"reason":"Expired"}})",
      ApiResource::kNodes);
  ASSERT_THAT(gone, IsOk());
  EXPECT_EQ(gone->status.code, 410);
}

TEST(AttachedMetadata, PodsAreJoinedWithTheirOwn) {
  const auto find = [](ApiResource resource, std::string_view key) -> std::optional<Labels> {
    const std::map<std::pair<ApiResource, std::string_view>, Labels> known = {
        {{ApiResource::kNodes, "n1"}, {{"node", "1"}}},
        {{ApiResource::kNamespaces, "shop"}, {{"namespace", "1"}}},
        {{ApiResource::kReplicaSets, "shop/o"}, {{"deployment", "1"}}},
        {{ApiResource::kJobs, "shop/o"}, {{"cronjob", "1"}}}};
    const auto at = known.find({resource, key});
    if (at == known.end()) return std::nullopt;
    return at->second;
  };
  struct Row {
    const char* what;
    AttachMetadata attach;
    const char* node;
    const char* kind;
    bool target;
    Labels added;
  };
  const Row rows[] = {
      {"nothing asked for", {}, "n1", "Job", true, {}},
      {"node", {.node = true}, "n1", "Job", true, {{"node", "1"}}},
      {"a node that is not known", {.node = true}, "n2", "Job", false, {}},
      {"namespace", {.namespaces = true}, "n2", "Job", true, {{"namespace", "1"}}},
      {"deployment", {.deployment = true}, "n1", "ReplicaSet", true, {{"deployment", "1"}}},
      {"deployment of a job", {.deployment = true}, "n1", "Job", true, {}},
      {"job", {.job = true}, "n1", "Job", true, {{"__meta_kubernetes_pod_job_name", "o"}}},
      {"job of a replica set", {.job = true}, "n1", "ReplicaSet", true, {}},
      {"cron job", {.cronjob = true}, "n1", "Job", true, {{"cronjob", "1"}}},
  };
  for (const Row& row : rows) {
    TargetGroup pod;
    pod.labels = Labels{{"__meta_kubernetes_namespace", "shop"},
                        {"__meta_kubernetes_pod_node_name", row.node},
                        {"__meta_kubernetes_pod_controller_kind", row.kind},
                        {"__meta_kubernetes_pod_controller_name", "o"}};
    LabelsBuilder expected(pod.labels);
    for (const Label label : row.added) expected.Set(label.name, label.value);
    const Labels wanted = expected.Build();
    EXPECT_EQ(Attach(row.attach, find, &pod), row.target) << row.what;
    if (!row.target) continue;
    EXPECT_EQ(pod.labels, wanted) << row.what;
  }
}

}  // namespace
}  // namespace ampari
