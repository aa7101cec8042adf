// The mesh's targets as file_sd JSON, with the labels that kubernetes_sd's role pod gives
// (Prometheus' discovery/kubernetes/ pod.go): one target per declared container port, so that
// Istio's own annotation rules do the rest.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "bench/mesh/pod.h"

namespace ampari::bench {

struct MeshPorts {
  uint16_t sidecar = 15020;
  uint16_t istiod = 15014;
};

// Of all pods, or of one node's when `node` is not empty.
std::string TargetsJson(const std::vector<Pod>& pods, const MeshPorts& ports,
                        const std::string& node);

// Letters, digits and _ stay, all else becomes _.
std::string SanitizeLabelName(const std::string& name);

}  // namespace ampari::bench
