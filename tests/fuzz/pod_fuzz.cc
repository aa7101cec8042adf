// Arbitrary bytes as a pod of the Kubernetes API: an error, or a group within its bounds.
#include <cstdint>
#include <string_view>

#include "common/runtime/check.h"
#include "forwarder/discovery/kubernetes/pod_targets.h"

namespace ampari {
namespace {

void Run(std::string_view json) {
  const auto pod = ParsePod(json);
  if (!pod.ok()) return;
  const TargetGroup& group = pod->group;
  Check(!pod->key.empty(), "a pod without a key");
  Check(group.target_labels.size() == group.targets.size(), "a target without labels");
  Check(group.targets.size() <= kMaxPodTargets, "more targets than the bound");
  size_t bytes = 0;
  for (const Labels& labels : group.target_labels) bytes += labels.bytes().size();
  Check(bytes <= kMaxPodTargetBytes, "more bytes than the bound");
}

}  // namespace
}  // namespace ampari

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  ampari::Run({reinterpret_cast<const char*>(bytes), size});
  return 0;
}
