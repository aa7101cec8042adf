#include "bench/mesh/pod.h"

#include <array>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "bench/mesh/random_stream.h"

namespace ampari::bench {
namespace {

struct Service {
  const char* app;
  const char* version;
  const char* namespace_name;
};

constexpr std::array<Service, 8> kServices = {{
    {"productpage", "v1", "default"},
    {"reviews", "v1", "default"},
    {"reviews", "v2", "default"},
    {"ratings", "v1", "default"},
    {"details", "v1", "default"},
    {"checkout", "v3", "shop"},
    {"payments", "v2", "shop"},
    {"gateway-api", "v1", "edge"},
}};

std::string Hex(RandomStream& random, int digits) {
  return absl::StrFormat("%016x", random.Next()).substr(0, static_cast<size_t>(digits));
}

std::string Uid(RandomStream& random) {
  return absl::StrCat(Hex(random, 8), "-", Hex(random, 4), "-4", Hex(random, 3), "-a",
                      Hex(random, 3), "-", Hex(random, 12));
}

std::string Address(int index) {
  return absl::StrCat("127.", 10 + index / 62'500, ".", index / 250 % 250, ".", 1 + index % 250);
}

Pod MakeSidecar(int index, int nodes, RandomStream& random) {
  const Service& service = kServices[static_cast<size_t>(index) % kServices.size()];
  Pod pod;
  pod.index = index;
  pod.app = service.app;
  pod.version = service.version;
  pod.namespace_name = service.namespace_name;
  const std::string hash = Hex(random, 10);
  pod.controller = absl::StrCat(pod.app, "-", pod.version, "-", hash);
  pod.name = absl::StrCat(pod.controller, "-", Hex(random, 5));
  pod.node = absl::StrCat("node-", index % nodes);
  pod.uid = Uid(random);
  pod.ip = Address(index);
  pod.labels = {{"app", pod.app},
                {"version", pod.version},
                {"pod-template-hash", hash},
                {"security.istio.io/tlsMode", "istio"},
                {"service.istio.io/canonical-name", pod.app},
                {"service.istio.io/canonical-revision", pod.version},
                {"app.kubernetes.io/part-of", "bookinfo"},
                {"topology.istio.io/network", "network-1"}};
  return pod;
}

Pod MakeIstiod(int index, RandomStream& random) {
  Pod pod;
  pod.index = index;
  pod.is_istiod = true;
  pod.app = "istiod";
  pod.namespace_name = "istio-system";
  const std::string hash = Hex(random, 10);
  pod.controller = absl::StrCat("istiod-", hash);
  pod.name = absl::StrCat(pod.controller, "-", Hex(random, 5));
  pod.node = "node-0";
  pod.uid = Uid(random);
  pod.ip = "127.9.0.1";
  pod.labels = {{"app", "istiod"},
                {"istio", "pilot"},
                {"istio.io/rev", "default"},
                {"install.operator.istio.io/owning-resource", "unknown"},
                {"operator.istio.io/component", "Pilot"},
                {"pod-template-hash", hash},
                {"sidecar.istio.io/inject", "false"},
                {"istio.io/dataplane-mode", "none"}};
  return pod;
}

}  // namespace

std::vector<Pod> MakePods(int sidecars, int nodes, uint64_t seed) {
  RandomStream random(seed);
  std::vector<Pod> pods;
  for (int i = 0; i < sidecars; ++i) pods.push_back(MakeSidecar(i, nodes, random));
  pods.push_back(MakeIstiod(sidecars, random));
  return pods;
}

}  // namespace ampari::bench
