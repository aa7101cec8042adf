#include "forwarder/discovery/kubernetes/api_access.h"

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "common/config/environment.h"
#include "common/runtime/small_file.h"
#include "forwarder/discovery/kubernetes/kubeconfig.h"

namespace ampari {
namespace {

std::string HostAndPort(const std::string& host, const std::string& port) {
  const bool ipv6 = host.find(':') != std::string::npos;
  return ipv6 ? absl::StrCat("[", host, "]:", port) : absl::StrCat(host, ":", port);
}

// The service account's own files, which Kubernetes renews in place.
absl::StatusOr<ApiAccess> InCluster(const InClusterFiles& files) {
  const std::string host = EnvironmentOr("KUBERNETES_SERVICE_HOST", "");
  const std::string port = EnvironmentOr("KUBERNETES_SERVICE_PORT", "");
  if (host.empty() || port.empty()) {
    return absl::NotFoundError(
        "KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT are not set, so this is no pod; give "
        "api_server or kubeconfig_file");
  }
  auto http = std::make_shared<HttpClientOptions>();
  http->authorization_type = "Bearer";
  http->credentials.file = files.directory + "/token";
  http->tls.ca_file = files.directory + "/ca.crt";
  for (const std::string& path : {http->credentials.file, http->tls.ca_file}) {
    if (const auto read = ReadSmallFile(path); !read.ok()) return read.status();
  }
  ApiAccess access{"https://" + HostAndPort(host, port), "", std::move(http)};
  if (const auto name = ReadSmallFile(files.directory + "/namespace"); name.ok()) {
    access.own_namespace = std::string(absl::StripAsciiWhitespace(name->bytes));
  }
  return access;
}

}  // namespace

absl::StatusOr<ApiAccess> ResolveApiAccess(const KubernetesDiscoveryConfig& config,
                                           const InClusterFiles& in_cluster) {
  if (!config.kubeconfig_file.empty()) return ReadKubeconfig(config.kubeconfig_file);
  if (config.api_server.empty()) {
    absl::StatusOr<ApiAccess> access = InCluster(in_cluster);
    if (access.ok() && config.own_namespace && access->own_namespace.empty()) {
      return absl::NotFoundError(absl::StrCat("own_namespace: ", in_cluster.directory,
                                              "/namespace does not name the pod's namespace"));
    }
    return access;
  }
  return ApiAccess{std::string(absl::StripSuffix(config.api_server, "/")), "",
                   std::make_shared<const HttpClientOptions>(config.http)};
}

}  // namespace ampari
