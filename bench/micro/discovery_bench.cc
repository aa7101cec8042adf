// Discovery on a full node: a pod's JSON to its targets, and all pods' targets through Istio's
// rules.
#include <benchmark/benchmark.h>

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/runtime/check.h"
#include "forwarder/config.h"
#include "forwarder/discovery/kubernetes/pod_targets.h"
#include "forwarder/discovery/target_set_builder.h"
#include "forwarder/discovery/targets.h"

namespace ampari {
namespace {

constexpr int kPods = 110;  // of a node, Kubernetes' default
constexpr int kContainers = 3;
constexpr int kPorts = 3;  // of each: 990 targets before deduplication

// The job kubernetes-pods of Istio's sample configuration.
constexpr char kConfig[] = R"yaml(
gateway: {address: "g:4750", name: n}
kubernetes_node: n
scrape_configs:
- job_name: kubernetes-pods
  honor_labels: true
  kubernetes_sd_configs: [{role: pod}]
  relabel_configs:
  - {action: keep, regex: true, source_labels: [__meta_kubernetes_pod_annotation_prometheus_io_scrape]}
  - {action: drop, regex: true, source_labels: [__meta_kubernetes_pod_annotation_prometheus_io_scrape_slow]}
  - {action: replace, regex: '(https?)', source_labels: [__meta_kubernetes_pod_annotation_prometheus_io_scheme], target_label: __scheme__}
  - {action: replace, regex: (.+), source_labels: [__meta_kubernetes_pod_annotation_prometheus_io_path], target_label: __metrics_path__}
  - {action: replace, regex: '(\d+);(([A-Fa-f0-9]{1,4}::?){1,7}[A-Fa-f0-9]{1,4})', replacement: '[$2]:$1', source_labels: [__meta_kubernetes_pod_annotation_prometheus_io_port, __meta_kubernetes_pod_ip], target_label: __address__}
  - {action: replace, regex: '(\d+);((([0-9]+?)(\.|$)){4})', replacement: '$2:$1', source_labels: [__meta_kubernetes_pod_annotation_prometheus_io_port, __meta_kubernetes_pod_ip], target_label: __address__}
  - {action: labelmap, regex: __meta_kubernetes_pod_annotation_prometheus_io_param_(.+), replacement: __param_$1}
  - {action: labelmap, regex: __meta_kubernetes_pod_label_(.+)}
  - {action: replace, source_labels: [__meta_kubernetes_namespace], target_label: namespace}
  - {action: replace, source_labels: [__meta_kubernetes_pod_name], target_label: pod}
  - {action: drop, regex: Pending|Succeeded|Failed|Completed, source_labels: [__meta_kubernetes_pod_phase]}
  - {action: replace, source_labels: [__meta_kubernetes_pod_node_name], target_label: node}
)yaml";

std::string Repeated(int count, const std::string& item) {
  std::string all;
  for (int i = 0; i < count; ++i) absl::StrAppend(&all, i == 0 ? "" : ",", item);
  return all;
}

std::string Container(int number) {
  std::string ports;
  for (int port = 0; port < kPorts; ++port) {
    absl::StrAppend(&ports, port == 0 ? "" : ",", R"({"name":"p)", port, R"(","containerPort":)",
                    8000 + 10 * number + port, R"(,"protocol":"TCP"})");
  }
  const std::string env = Repeated(12, R"({"name":"SOME_VARIABLE","valueFrom":{"fieldRef":{
      "apiVersion":"v1","fieldPath":"metadata.annotations['a.b/c']"}}})");
  const std::string mounts =
      Repeated(6, R"({"name":"kube-api-access-x7x2z","readOnly":true,"mountPath":"/var/run/s"})");
  return absl::StrCat(R"({"name":"container-)", number, R"(","image":"registry.example/shop/c)",
                      number, R"(:1.2.3","ports":[)", ports, R"(],"env":[)", env,
                      R"(],"volumeMounts":[)", mounts, R"(],"imagePullPolicy":"IfNotPresent",
      "resources":{"limits":{"cpu":"2","memory":"1Gi"},"requests":{"cpu":"100m"}}})");
}

// About 14 KB, as the API server writes the pod of an injected Deployment.
std::string PodJson(int number) {
  std::string containers, statuses, labels, annotations;
  for (int i = 0; i < kContainers; ++i) {
    absl::StrAppend(&containers, i == 0 ? "" : ",", Container(i));
    absl::StrAppend(&statuses, i == 0 ? "" : ",", R"({"name":"container-)", i,
                    R"(","containerID":"containerd://)", std::string(64, 'a'),
                    R"(","imageID":"registry.example@sha256:)", std::string(64, 'b'),
                    R"(","ready":true,"restartCount":0,"started":true})");
  }
  for (int i = 0; i < 9; ++i) {
    absl::StrAppend(&labels, R"(,"app.kubernetes.io/label-)", i, R"(":"value-)", i, "\"");
    absl::StrAppend(&annotations, R"(,"example.io/annotation-)", i, R"(":"value-)", i, "\"");
  }
  const std::string fields = Repeated(40, R"({"f:metadata":{"f:labels":{".":{},"f:app":{}}}})");
  const std::string name = absl::StrCat("cart-7d9f8c6b5-", 10'000 + number);
  return absl::StrCat(
      R"({"kind":"Pod","apiVersion":"v1","metadata":{"name":")", name,
      R"(","namespace":"shop","uid":"5b1c6f64-9a51-4d3a-8d4e-0f3a54a0)", 1'000 + number,
      R"(","resourceVersion":"123456","labels":{"app":"cart")", labels,
      R"(},"annotations":{"prometheus.io/scrape":"true","prometheus.io/port":"15020",
      "prometheus.io/path":"/stats/prometheus","sidecar.istio.io/status":")",
      std::string(600, 's'), "\"", annotations,
      R"(},"ownerReferences":[{"kind":"ReplicaSet","name":"cart-7d9f8c6b5","controller":true}],
      "managedFields":[)",
      fields, R"(]},"spec":{"nodeName":"node-1","containers":[)", containers,
      R"(]},"status":{"phase":"Running","podIP":"10.0.)", number / 250, ".", 1 + number % 250,
      R"(","hostIP":"192.168.0.1","conditions":[{"type":"Ready","status":"True"}],
      "containerStatuses":[)",
      statuses, "]}}");
}

void BM_ParsePod(benchmark::State& state) {
  const std::string json = PodJson(1);
  for (auto _ : state) {
    const auto pod = ParsePod(json);
    Check(pod.ok(), "the pod does not parse");
    benchmark::DoNotOptimize(pod->group);
  }
  state.SetBytesProcessed(static_cast<int64_t>(json.size()) * state.iterations());
  state.counters["json_bytes"] = static_cast<double>(json.size());
}
BENCHMARK(BM_ParsePod)->Unit(benchmark::kMicrosecond);

JobTargets Node() {
  const auto config = ParseForwarderConfig(kConfig, "bench.yaml", {});
  Check(config.ok(), "the configuration does not load");
  JobTargets job{config->jobs[0].job, {}};
  for (int i = 0; i < kPods; ++i) job.groups.push_back(ParsePod(PodJson(i))->group);
  return job;
}

// As at the start, or after a reload.
void BM_TargetSetOfANode(benchmark::State& state) {
  const JobTargets job = Node();
  for (auto _ : state) {
    const TargetSet set = BuildTargetSet({{job}}, {});
    Check(set.targets.size() == kPods, "one target for each pod");
    benchmark::DoNotOptimize(set.targets);
  }
  state.counters["container_ports"] = kPods * kContainers * kPorts;
}
BENCHMARK(BM_TargetSetOfANode)->Unit(benchmark::kMillisecond);

// One pod changed, and the set is built again.
void BM_TargetSetAfterOnePodChanged(benchmark::State& state) {
  JobTargets job = Node();
  TargetSetBuilder builder;
  benchmark::DoNotOptimize(builder.Build({{job}}, {}));
  size_t round = 0;
  for (auto _ : state) {
    std::swap(job.groups[round % kPods].target_labels[0],
              job.groups[round % kPods].target_labels[1]);
    ++round;
    const TargetSet set = builder.Build({{job}}, {});
    Check(set.targets.size() == kPods, "one target for each pod");
    benchmark::DoNotOptimize(set.targets);
  }
}
BENCHMARK(BM_TargetSetAfterOnePodChanged)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace ampari
