// The simulated cluster: pods with the names, labels and addresses that Kubernetes and Istio would
// give them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace ampari::bench {

struct Pod {
  int index = 0;
  bool is_istiod = false;
  std::string name, namespace_name, node, uid;
  std::string ip;  // 127.x.y.z
  std::string app, version, controller;
  std::vector<std::pair<std::string, std::string>> labels;  // as on the pod, unsanitised
};

inline constexpr int kMaxSidecars = 50'000;  // addresses 127.10.0.1 on

// `sidecars` pods of Bookinfo-like services spread over `nodes`, and one istiod; the same for the
// same seed.
std::vector<Pod> MakePods(int sidecars, int nodes, uint64_t seed);

}  // namespace ampari::bench
