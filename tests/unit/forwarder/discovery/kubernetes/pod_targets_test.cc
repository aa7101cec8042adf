// Pods of the Kubernetes API and the targets that Prometheus' role pod makes of them.
#include "forwarder/discovery/kubernetes/pod_targets.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "tests/support/status_matchers.h"

namespace ampari {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr char kMeta[] = "__meta_kubernetes_";

// Labels of names without their prefix.
Labels Meta(const std::vector<std::pair<std::string, std::string>>& labels) {
  LabelsBuilder builder;
  for (const auto& [name, value] : labels) builder.Set(absl::StrCat(kMeta, name), value);
  return builder.Build();
}

// A pod with single quotes for double ones.
absl::StatusOr<DiscoveredPod> Parse(const std::string& pod) {
  return ParsePod(absl::StrReplaceAll(pod, {{"'", "\""}}));
}

// The group of pod shop/cart, 10.0.0.7, with these members of its spec, status and metadata.
TargetGroup Group(const std::string& spec, const std::string& status = "'phase': 'Running'",
                  const std::string& metadata = "'uid': 'u1'") {
  const auto pod = Parse(absl::StrCat("{'metadata': {'name': 'cart', 'namespace': 'shop', ",
                                      metadata, "}, 'spec': {", spec,
                                      "}, 'status': {'podIP': '10.0.0.7', ", status, "}}"));
  EXPECT_THAT(pod, IsOk());
  return pod.ok() ? pod->group : TargetGroup();
}

constexpr char kWholePod[] = R"({
  'kind': 'Pod', 'apiVersion': 'v1',
  'metadata': {
    'name': 'cart-7d9f', 'namespace': 'shop', 'uid': 'abc-123', 'resourceVersion': '4711',
    'creationTimestamp': '2026-01-02T03:04:05Z', 'deletionTimestamp': null,
    'labels': {'app': 'cart', 'app.kubernetes.io/name': 'cart', 'empty': ''},
    'annotations': {'prometheus.io/scrape': 'true', 'note': 'a\nb'},
    'ownerReferences': [
      {'apiVersion': 'v1', 'kind': 'Other', 'name': 'o', 'uid': '1'},
      {'apiVersion': 'apps/v1', 'kind': 'ReplicaSet', 'name': 'cart-7d', 'uid': '2',
       'controller': true, 'blockOwnerDeletion': true}],
    'managedFields': [{'manager': 'm', 'fieldsV1': {'f:metadata': {'f:labels': {'.': {}}}}}]},
  'spec': {
    'nodeName': 'node-1', 'hostNetwork': false, 'tolerations': [{'key': 'k', 'operator': 'Exists'}],
    'containers': [
      {'name': 'cart', 'image': 'shop/cart:1', 'env': [{'name': 'A', 'value': 'b'}],
       'resources': {'limits': {'cpu': '1'}},
       'ports': [{'name': 'http', 'containerPort': 8080, 'protocol': 'TCP'},
                 {'containerPort': 53, 'protocol': 'UDP'}]},
      {'name': 'plain', 'image': 'shop/plain:2'}],
    'initContainers': [
      {'name': 'istio-proxy', 'image': 'istio/proxyv2:1', 'restartPolicy': 'Always',
       'ports': [{'name': 'http-envoy-prom', 'containerPort': 15090, 'protocol': 'TCP'}]}],
    'ephemeralContainers': [{'name': 'debug', 'image': 'busybox'}]},
  'status': {
    'phase': 'Running', 'podIP': '10.0.0.7', 'podIPs': [{'ip': '10.0.0.7'}, {'ip': 'fd00::7'}],
    'hostIP': '192.168.1.2',
    'conditions': [{'type': 'Initialized', 'status': 'True'},
                   {'type': 'Ready', 'status': 'True', 'lastProbeTime': null}],
    'containerStatuses': [
      {'name': 'plain', 'containerID': 'containerd://p', 'state': {'running': {}}},
      {'name': 'cart', 'containerID': 'containerd://c', 'restartCount': 1}],
    'initContainerStatuses': [{'name': 'istio-proxy', 'containerID': 'containerd://i'}]}
})";

TEST(PodTargets, AWholePodLabelByLabel) {
  const auto pod = Parse(kWholePod);
  ASSERT_THAT(pod, IsOk());
  EXPECT_EQ(pod->key, "shop/cart-7d9f");
  EXPECT_EQ(pod->uid, "abc-123");
  EXPECT_EQ(pod->resource_version, "4711");
  EXPECT_EQ(pod->node, "node-1");
  EXPECT_EQ(pod->group.source, "pod/shop/cart-7d9f");
  EXPECT_EQ(pod->group.labels, Meta({{"namespace", "shop"},
                                     {"pod_name", "cart-7d9f"},
                                     {"pod_ip", "10.0.0.7"},
                                     {"pod_ready", "true"},
                                     {"pod_phase", "Running"},
                                     {"pod_node_name", "node-1"},
                                     {"pod_host_ip", "192.168.1.2"},
                                     {"pod_uid", "abc-123"},
                                     {"pod_controller_kind", "ReplicaSet"},
                                     {"pod_controller_name", "cart-7d"},
                                     {"pod_label_app", "cart"},
                                     {"pod_labelpresent_app", "true"},
                                     {"pod_label_app_kubernetes_io_name", "cart"},
                                     {"pod_labelpresent_app_kubernetes_io_name", "true"},
                                     {"pod_labelpresent_empty", "true"},
                                     {"pod_annotation_prometheus_io_scrape", "true"},
                                     {"pod_annotationpresent_prometheus_io_scrape", "true"},
                                     {"pod_annotation_note", "a\nb"},
                                     {"pod_annotationpresent_note", "true"}}));
  EXPECT_THAT(pod->group.targets,
              ElementsAre("10.0.0.7:8080", "10.0.0.7:53", "10.0.0.7", "10.0.0.7:15090"));
  const auto of = [](const char* name, const char* id, const char* image, const char* init) {
    return std::vector<std::pair<std::string, std::string>>{{"pod_container_name", name},
                                                            {"pod_container_id", id},
                                                            {"pod_container_image", image},
                                                            {"pod_container_init", init}};
  };
  const auto with = [](auto labels, const char* number, const char* name, const char* protocol) {
    labels.insert(labels.end(), {{"pod_container_port_number", number},
                                 {"pod_container_port_name", name},
                                 {"pod_container_port_protocol", protocol}});
    return Meta(labels);
  };
  const auto cart = of("cart", "containerd://c", "shop/cart:1", "false");
  const auto proxy = of("istio-proxy", "containerd://i", "istio/proxyv2:1", "true");
  EXPECT_THAT(pod->group.target_labels,
              ElementsAre(with(cart, "8080", "http", "TCP"), with(cart, "53", "", "UDP"),
                          Meta(of("plain", "containerd://p", "shop/plain:2", "false")),
                          with(proxy, "15090", "http-envoy-prom", "TCP")));
}

TEST(PodTargets, WithoutAnIpThereAreTargetsForLogsOnly) {
  for (const char* status : {"'phase': 'Pending'", "'podIP': ''", "'podIP': null", ""}) {
    SCOPED_TRACE(status);
    const auto pod = Parse(absl::StrCat(
        "{'metadata': {'name': 'p', 'namespace': 'n'}, 'spec': {'containers': [{'name': 'c'}]},",
        "'status': {", status, "}}"));
    ASSERT_THAT(pod, IsOk());
    EXPECT_EQ(pod->key, "n/p");
    EXPECT_EQ(pod->group.source, "pod/n/p");
    EXPECT_TRUE(pod->group.logs_only);
    EXPECT_EQ(pod->group.target_labels,
              std::vector<Labels>(
                  {Meta({{"pod_container_name", "c"}, {"pod_container_init", "false"}})}));
    EXPECT_EQ(pod->group.labels.Get("__meta_kubernetes_pod_name"), "p");
  }
}

TEST(PodTargets, Addresses) {
  struct Row {
    const char* ip;
    const char* ports;
    const char* address;
  };
  for (const Row& row : std::vector<Row>{
           {"10.1.2.3", "[{'containerPort': 80}]", "10.1.2.3:80"},
           {"10.1.2.3", "[]", "10.1.2.3"},
           {"10.1.2.3", "null", "10.1.2.3"},
           {"fd00::7", "[{'containerPort': 15090}]", "[fd00::7]:15090"},
           {"fe80::1%eth0", "[{'containerPort': 1}]", "[fe80::1%eth0]:1"},
           {"fd00::7", "[]", "fd00::7"},
           {"10.1.2.3", "[{'containerPort': 132, 'protocol': 'SCTP'}]", "10.1.2.3:132"},
           {"10.1.2.3", "[{'containerPort': 80, 'hostPort': 8080, 'hostIP': '1.2.3.4'}]",
            "10.1.2.3:80"},
       }) {
    const auto pod = Parse(absl::StrCat(
        "{'metadata': {'name': 'p'}, 'spec': {'containers': [{'name': 'c', 'ports': ", row.ports,
        "}]}, 'status': {'podIP': '", row.ip, "'}}"));
    ASSERT_THAT(pod, IsOk());
    EXPECT_THAT(pod->group.targets, ElementsAre(row.address));
  }
}

TEST(PodTargets, Readiness) {
  struct Row {
    const char* conditions;
    const char* ready;
  };
  for (const Row& row : std::vector<Row>{
           {"[]", "unknown"},
           {"null", "unknown"},
           {"[{'type': 'Ready', 'status': 'True'}]", "true"},
           {"[{'type': 'Ready', 'status': 'False'}]", "false"},
           {"[{'type': 'Ready', 'status': 'Unknown'}]", "unknown"},
           {"[{'type': 'ContainersReady', 'status': 'True'}]", "unknown"},
           {"[{'type': 'PodScheduled', 'status': 'False'}, {'type': 'Ready', 'status': 'True'}]",
            "true"},
       }) {
    const TargetGroup group = Group("", absl::StrCat("'conditions': ", row.conditions));
    EXPECT_EQ(group.labels.Get("__meta_kubernetes_pod_ready"), row.ready) << row.conditions;
  }
}

TEST(PodTargets, Controllers) {
  struct Row {
    const char* owners;
    const char* kind;
    const char* name;
  };
  for (const Row& row : std::vector<Row>{
           {"[]", "", ""},
           {"null", "", ""},
           {"[{'kind': 'Node', 'name': 'n'}]", "", ""},
           {"[{'kind': 'Node', 'name': 'n', 'controller': false}]", "", ""},
           {"[{'kind': 'Node', 'name': 'n', 'controller': null}]", "", ""},
           {"[{'kind': 'DaemonSet', 'name': 'z', 'controller': true}]", "DaemonSet", "z"},
           {"[{'kind': 'A', 'name': 'a'}, {'kind': 'B', 'name': 'b', 'controller': true}]", "B",
            "b"},
           {"[{'kind': '', 'name': 'b', 'controller': true}]", "", "b"},
       }) {
    const TargetGroup group =
        Group("", "'phase': 'Running'", absl::StrCat("'ownerReferences': ", row.owners));
    EXPECT_EQ(group.labels.Get("__meta_kubernetes_pod_controller_kind"), row.kind) << row.owners;
    EXPECT_EQ(group.labels.Get("__meta_kubernetes_pod_controller_name"), row.name) << row.owners;
  }
}

// util/strutil, SanitizeLabelName: every character outside [a-zA-Z0-9_] becomes _.
TEST(PodTargets, KeysBecomeLabelNames) {
  struct Row {
    const char* key;
    const char* name;
  };
  for (const Row& row : std::vector<Row>{
           {"app", "app"},
           {"app.kubernetes.io/name", "app_kubernetes_io_name"},
           {"prometheus-io/scrape", "prometheus_io_scrape"},
           {"8", "8"},
           {"A_b", "A_b"},
           {"a:b", "a_b"},
           {"\\u00fc\\u4e2d!", "___"},
       }) {
    const TargetGroup group = Group(
        "", "'phase': 'Running'",
        absl::StrCat("'labels': {'", row.key, "': 'l'}, 'annotations': {'", row.key, "': 'a'}"));
    const auto get = [&](const char* kind) {
      return group.labels.Get(absl::StrCat(kMeta, "pod_", kind, "_", row.name));
    };
    EXPECT_EQ(get("label"), "l") << row.key;
    EXPECT_EQ(get("labelpresent"), "true") << row.key;
    EXPECT_EQ(get("annotation"), "a") << row.key;
    EXPECT_EQ(get("annotationpresent"), "true") << row.key;
  }
}

TEST(PodTargets, OfKeysThatCollideTheLastWins) {
  const char* one =
      "'prometheus.io/scrape': '1', 'prometheus.io.scrape': '2', "
      "'prometheus-io/scrape': '3'";
  const char* two =
      "'prometheus-io/scrape': '3', 'prometheus.io.scrape': '2', "
      "'prometheus.io/scrape': '1'";
  for (const char* order : {one, two}) {
    const TargetGroup group =
        Group("", "'phase': 'Running'", absl::StrCat("'annotations': {", order, "}"));
    EXPECT_EQ(group.labels.Get("__meta_kubernetes_pod_annotation_prometheus_io_scrape"), "1");
  }
  // A value that is empty wins too: it is then as if the annotation had none.
  const TargetGroup group =
      Group("", "'phase': 'Running'", "'annotations': {'a.b': 'x', 'a/b': ''}");
  EXPECT_FALSE(group.labels.Has("__meta_kubernetes_pod_annotation_a_b"));
  EXPECT_TRUE(group.labels.Has("__meta_kubernetes_pod_annotationpresent_a_b"));
}

TEST(PodTargets, EveryPhaseHasTargets) {
  for (const char* phase : {"Pending", "Running", "Succeeded", "Failed", "Unknown"}) {
    const TargetGroup group =
        Group("'containers': [{'name': 'c'}]", absl::StrCat("'phase': '", phase, "'"));
    EXPECT_EQ(group.targets.size(), 1);
    EXPECT_EQ(group.labels.Get("__meta_kubernetes_pod_phase"), phase);
  }
}

TEST(PodTargets, AContainersIdIsFoundByNameAmongItsOwnKind) {
  const TargetGroup group =
      Group("'containers': [{'name': 'a'}, {'name': 'b'}], 'initContainers': [{'name': 'a'}]",
            "'containerStatuses': [{'name': 'a', 'containerID': 'x://1'}, {'name': 'b'}], "
            "'initContainerStatuses': [{'name': 'a', 'containerID': 'x://2'}]");
  std::vector<std::string> ids;
  for (const Labels& labels : group.target_labels) {
    ids.emplace_back(labels.Get("__meta_kubernetes_pod_container_id"));
  }
  EXPECT_THAT(ids, ElementsAre("x://1", "", "x://2"));
}

// What the API leaves out or writes as null is as if it were empty.
TEST(PodTargets, NullIsAbsent) {
  for (const char* pod : {
           "{'metadata': {'name': 'p'}}",
           "{'metadata': {'name': 'p', 'labels': null, 'annotations': null}, 'spec': null}",
           "{'metadata': {'name': 'p'}, 'spec': {'containers': null}, 'status': null}",
           "{'metadata': {'name': 'p'}, 'status': {'podIP': '1.1.1.1', 'containerStatuses': null}}",
       }) {
    EXPECT_THAT(Parse(pod), IsOk()) << pod;
  }
}

std::string Repeated(size_t count, const std::string& item) {
  std::string all;
  for (size_t i = 0; i < count; ++i) absl::StrAppend(&all, i == 0 ? "" : ", ", item);
  return all;
}

std::string Keys(size_t count) {
  std::string all;
  for (size_t i = 0; i < count; ++i) absl::StrAppend(&all, i == 0 ? "" : ", ", "'k", i, "': 'v'");
  return all;
}

TEST(PodTargets, WhatIsNoPodSaysWhy) {
  struct Row {
    std::string pod;
    const char* reason;
  };
  const std::string running = "'status': {'podIP': '1.1.1.1'}";
  const std::string many_ports = Repeated(kMaxPodTargets + 1, "{'containerPort': 1}");
  const std::string long_image(kMaxPodTargetBytes / 1'000, 'i');
  for (const Row& row : std::vector<Row>{
           {"", ""},
           {"{", ""},
           {"[]", ""},
           {"{'metadata': {}}", "without a name"},
           {"{'metadata': {'name': 'p'}, 'status': 'Failure'}", "status"},
           {"{'metadata': {'name': 'p'}, 'spec': {'containers': [{'ports': [{'containerPort': "
            "'x'}]}]}}",
            "container_port"},
           {"{'metadata': {'name': '\xff'}}", ""},
           {absl::StrCat("{'x': ", std::string(1'000, '['), std::string(1'000, ']'), "}"), ""},
           {std::string(kMaxPodBytes + 1, ' '), "more than 4194304 bytes"},
           {absl::StrCat("{'metadata': {'name': 'p'}, ", running,
                         ", 'spec': {'containers': [{'ports': [", many_ports, "]}]}}"),
            "more than 10000 targets"},
           {absl::StrCat("{'metadata': {'name': 'p'}, ", running,
                         ", 'spec': {'containers': [{'image': '", long_image, "', 'ports': [",
                         Repeated(1'000, "{'containerPort': 1}"), "]}]}}"),
            "bytes of their labels"},
           {absl::StrCat("{'metadata': {'name': 'p', 'annotations': {", Keys(kMaxPodKeys + 1),
                         "}}, ", running, "}"),
            "more than 4096 labels or annotations"},
       }) {
    EXPECT_THAT(Parse(row.pod), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(row.reason)))
        << row.pod.substr(0, 200);
  }
}

TEST(PodTargets, AnErrorDoesNotQuoteThePod) {
  const auto pod = Parse("{'spec': {'containers': [{'env': [{'value': 'hunter2' x 'hunter2'}]}]}}");
  EXPECT_THAT(pod, StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(pod.status().ToString(), Not(HasSubstr("hunter2")));
}

}  // namespace
}  // namespace ampari
