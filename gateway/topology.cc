#include "gateway/topology.h"

#include <utility>

#include "absl/strings/str_cat.h"

namespace ampari {
namespace {

template <typename T>
absl::Status Same(const T& before, const T& after, const char* key) {
  if (before == after) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(key, " changes with a restart only"));
}

template <typename Write>
void AddQueue(const TenantConfig& tenant, Signal signal, const std::vector<Write>& writes,
              std::vector<QueueTopology>* topology) {
  if (writes.empty()) return;
  QueueTopology& queue =
      topology->emplace_back(QueueTopology{tenant.id, signal, tenant.budget_bytes, {}});
  for (const Write& write : writes) queue.destinations.push_back({write.name, write.start_oldest});
}

}  // namespace

std::vector<QueueTopology> TopologyOf(const GatewayConfig& config) {
  std::vector<QueueTopology> topology;
  for (const TenantConfig& tenant : config.tenants) {
    AddQueue(tenant, Signal::kMetrics, tenant.remote_write, &topology);
    AddQueue(tenant, Signal::kLogs, tenant.loki_write, &topology);
  }
  return topology;
}

absl::Status CheckReloadable(const GatewayConfig& before, const GatewayConfig& after) {
  absl::Status status =
      Same(before.storage.directory, after.storage.directory, "storage.directory");
  status.Update(Same(before.http_listen_address, after.http_listen_address, "http.listen_address"));
  status.Update(Same(before.grpc.listen_address, after.grpc.listen_address, "grpc.listen_address"));
  status.Update(Same(before.grpc.insecure, after.grpc.insecure, "grpc.insecure"));
  status.Update(Same(before.grpc.cert_file, after.grpc.cert_file, "grpc.tls_config.cert_file"));
  status.Update(Same(before.grpc.key_file, after.grpc.key_file, "grpc.tls_config.key_file"));
  return status;
}

}  // namespace ampari
