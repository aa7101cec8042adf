// RequestGuard: which HTTP requests are answered at all. Pure rules against other web pages in a
// browser near the gateway (DNS rebinding, cross-site requests) and for what changes state.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "common/http/server.h"

namespace ampari {

// A request from loopback must name an IP address, localhost or `host_name` in its Host header: a
// page of another origin whose name was made to point here names that. PermissionDenied says so.
absl::Status CheckHost(const ServerRequest& request, std::string_view host_name);

// What changes state needs loopback, or `Authorization: Bearer <token>` when `token` is not empty
// (compared in constant time), and no foreign Origin. PermissionDenied or Unauthenticated.
absl::Status CheckChange(const ServerRequest& request, std::string_view token);

}  // namespace ampari
