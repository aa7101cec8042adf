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

}  // namespace

std::vector<QueueTopology> TopologyOf(const GatewayConfig& config) {
  std::vector<QueueTopology> topology;
  for (const TenantConfig& tenant : config.tenants) {
    QueueTopology queue{tenant.id, Signal::kMetrics, tenant.budget_bytes, {}};
    for (const RemoteWriteConfig& write : tenant.remote_write) {
      queue.destinations.push_back({write.name, write.start_oldest});
    }
    if (!queue.destinations.empty()) topology.push_back(std::move(queue));
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
