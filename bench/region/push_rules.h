// What remote write and Loki's push demand of a request's head. Pure.
#pragma once

#include <string>
#include <string_view>

#include "common/http/server.h"

namespace ampari::bench {

inline constexpr char kAnonymous[] = "anonymous";

// The value of X-Scope-OrgID, "anonymous" without one.
std::string TenantOf(const ServerRequest& request);
bool IsPushPath(std::string_view path);
// An empty token asks for nothing.
bool IsAuthorized(const ServerRequest& request, std::string_view token);

struct RuleBreak {
  int status = 0;  // 0: none
  std::string reason;
};
RuleBreak CheckHead(const ServerRequest& request);
// Of a Loki push: as protobuf, and with a tenant.
RuleBreak CheckLogHead(const ServerRequest& request);

}  // namespace ampari::bench
