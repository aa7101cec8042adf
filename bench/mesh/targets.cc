#include "bench/mesh/targets.h"

#include <utility>

#include "absl/strings/str_cat.h"

namespace ampari::bench {
namespace {

using Pairs = std::vector<std::pair<std::string, std::string>>;

struct ContainerPort {
  const char* container;
  const char* name;
  int number;
};

// Names and values are ours and hold nothing that JSON would escape.
std::string Entry(const std::string& address, const Pairs& labels) {
  std::string out = absl::StrCat("{\"targets\":[\"", address, "\"],\"labels\":{");
  for (const auto& [name, value] : labels) {
    absl::StrAppend(&out, out.ends_with('{') ? "" : ",", "\"__meta_kubernetes_", name, "\":\"",
                    value, "\"");
  }
  return out + "}}";
}

void AddAnnotation(const std::string& name, const std::string& value, Pairs& labels) {
  labels.emplace_back("pod_annotation_" + SanitizeLabelName(name), value);
  labels.emplace_back("pod_annotationpresent_" + SanitizeLabelName(name), "true");
}

Pairs PodLabels(const Pod& pod, const MeshPorts& ports) {
  Pairs labels = {{"namespace", pod.namespace_name},
                  {"pod_name", pod.name},
                  {"pod_ip", pod.ip},
                  {"pod_ready", "true"},
                  {"pod_phase", "Running"},
                  {"pod_node_name", pod.node},
                  {"pod_host_ip", "127.0.0.1"},
                  {"pod_uid", pod.uid},
                  {"pod_controller_kind", "ReplicaSet"},
                  {"pod_controller_name", pod.controller}};
  for (const auto& [name, value] : pod.labels) {
    labels.emplace_back("pod_label_" + SanitizeLabelName(name), value);
    labels.emplace_back("pod_labelpresent_" + SanitizeLabelName(name), "true");
  }
  AddAnnotation("prometheus.io/scrape", "true", labels);
  AddAnnotation("prometheus.io/port", std::to_string(pod.is_istiod ? ports.istiod : ports.sidecar),
                labels);
  if (!pod.is_istiod) AddAnnotation("prometheus.io/path", "/stats/prometheus", labels);
  return labels;
}

std::vector<ContainerPort> Ports(const Pod& pod) {
  if (pod.is_istiod) {
    return {{"discovery", "http-debug", 8080},
            {"discovery", "grpc-xds", 15010},
            {"discovery", "http-monitoring", 15014}};
  }
  return {{"application", "http", 9080}, {"istio-proxy", "http-envoy-prom", 15090}};
}

std::string Container(const Pod& pod, const ContainerPort& port, Pairs labels) {
  labels.emplace_back("pod_container_name", port.container);
  labels.emplace_back("pod_container_image", absl::StrCat("registry.test/", port.container, ":1"));
  labels.emplace_back("pod_container_init", "false");
  labels.emplace_back("pod_container_port_name", port.name);
  labels.emplace_back("pod_container_port_number", std::to_string(port.number));
  labels.emplace_back("pod_container_port_protocol", "TCP");
  return Entry(absl::StrCat(pod.ip, ":", port.number), labels);
}

}  // namespace

std::string SanitizeLabelName(const std::string& name) {
  std::string out = name;
  for (char& c : out) {
    const bool kept = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (!kept) c = '_';
  }
  return out;
}

std::string TargetsJson(const std::vector<Pod>& pods, const MeshPorts& ports,
                        const std::string& node) {
  std::string out;
  for (const Pod& pod : pods) {
    if (!node.empty() && pod.node != node) continue;
    const Pairs labels = PodLabels(pod, ports);
    for (const ContainerPort& port : Ports(pod)) {
      absl::StrAppend(&out, out.empty() ? "[\n" : ",\n", Container(pod, port, labels));
    }
  }
  return out.empty() ? "[]\n" : out + "\n]\n";
}

}  // namespace ampari::bench
