// A kubeconfig file's current context as access to an API server. Format: Kubernetes' client
// configuration API (v1): clusters, users, contexts.
#pragma once

#include <cstddef>
#include <string>

#include "absl/status/statusor.h"
#include "forwarder/discovery/kubernetes/api_access.h"

namespace ampari {

inline constexpr size_t kMaxKubeconfigBytes = size_t{4} << 20;

// Paths are relative to the file's directory. Errors name the file and the place, never a secret:
// what the file system says, InvalidArgument for what is wrong or missing, and for credential
// plugins (exec, auth-provider) and impersonation, which are not supported.
absl::StatusOr<ApiAccess> ReadKubeconfig(const std::string& path);

}  // namespace ampari
