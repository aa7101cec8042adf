#include "bench/mesh/log_targets.h"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>

#include "absl/strings/str_cat.h"
#include "common/http/json_writer.h"

namespace ampari::bench {
namespace {

void WriteGroup(const Pod& pod, JsonWriter& out) {
  out.BeginObject().Key("targets").BeginArray().Value("localhost").EndArray();
  out.Key("labels")
      .BeginObject()
      .Field("__meta_kubernetes_namespace", pod.namespace_name)
      .Field("__meta_kubernetes_pod_name", pod.name)
      .Field("__meta_kubernetes_pod_uid", pod.uid)
      .Field("__meta_kubernetes_pod_node_name", pod.node)
      .Field("__meta_kubernetes_pod_container_name", "istio-proxy")
      .Field("__meta_kubernetes_pod_label_app", pod.app)
      .EndObject()
      .EndObject();
}

}  // namespace

absl::Status WriteLogTargets(const std::vector<Pod>& pods, const std::string& path) {
  JsonWriter out;
  out.BeginArray();
  for (const Pod& pod : pods) WriteGroup(pod, out);
  out.EndArray();
  const std::string half_done = path + ".tmp";
  {
    std::ofstream file(half_done, std::ios::binary | std::ios::trunc);
    file << out.Take() << "\n";
    if (!file.flush()) return absl::UnavailableError(absl::StrCat("cannot write ", half_done));
  }
  if (std::rename(half_done.c_str(), path.c_str()) == 0) return absl::OkStatus();
  return absl::UnavailableError(absl::StrCat(path, ": ", std::strerror(errno)));
}

}  // namespace ampari::bench
