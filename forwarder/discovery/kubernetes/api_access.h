// ApiAccess: where the Kubernetes API is and how to speak to it, from a discovery's configuration:
// its own fields, a kubeconfig file, or the pod's service account.
#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "common/config/http_client_options.h"
#include "forwarder/config.h"

namespace ampari {

struct ApiAccess {
  std::string url;            // scheme://host:port and a path, without a slash at the end
  std::string own_namespace;  // of the service account or the kubeconfig's context; may be empty
  std::shared_ptr<const HttpClientOptions> http;  // token and certificate files are re-read
};

// Where a pod finds its service account.
struct InClusterFiles {
  std::string directory = "/var/run/secrets/kubernetes.io/serviceaccount";
};

// Reads files and, in a cluster, KUBERNETES_SERVICE_HOST and _PORT. NotFound or InvalidArgument say
// what is missing and where.
absl::StatusOr<ApiAccess> ResolveApiAccess(const KubernetesDiscoveryConfig& config,
                                           const InClusterFiles& in_cluster = {});

}  // namespace ampari
