#include "bench/region/push_rules.h"

#include "absl/strings/escaping.h"
#include "common/runtime/absl_view.h"

namespace ampari::bench {
namespace {

bool IsTenantId(std::string_view name) {
  if (name.empty() || name.size() > 150 || name == "." || name == "..") return false;
  for (const char c : name) {
    const bool alphanumeric =
        (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (!alphanumeric && std::string_view("!-_.*'()").find(c) == std::string_view::npos) {
      return false;
    }
  }
  return true;
}

}  // namespace

std::string TenantOf(const ServerRequest& request) {
  const std::string_view name = request.Header("x-scope-orgid");
  return name.empty() ? kAnonymous : std::string(name.substr(0, 150));
}

bool IsPushPath(std::string_view path) { return path == "/api/v1/push" || path == "/api/v1/write"; }

bool IsAuthorized(const ServerRequest& request, std::string_view token) {
  if (token.empty()) return true;
  std::string_view given = request.Header("authorization");
  if (given.starts_with("Bearer ")) return given.substr(7) == token;
  if (!given.starts_with("Basic ")) return false;
  std::string pair;
  if (!absl::Base64Unescape(ToAbsl(given.substr(6)), &pair)) return false;
  const size_t colon = pair.find(':');
  return colon != std::string::npos && std::string_view(pair).substr(colon + 1) == token;
}

RuleBreak CheckHead(const ServerRequest& request) {
  if (request.method != "POST") return {405, "method is not POST"};
  if (request.Header("content-encoding") != "snappy")
    return {400, "Content-Encoding is not snappy"};
  if (request.Header("content-type") != "application/x-protobuf") {
    return {415, "Content-Type is not application/x-protobuf"};
  }
  if (request.Header("x-prometheus-remote-write-version") != "0.1.0") {
    return {400, "X-Prometheus-Remote-Write-Version is not 0.1.0"};
  }
  if (request.Header("user-agent").empty()) return {400, "no User-Agent"};
  const std::string_view tenant = request.Header("x-scope-orgid");
  if (!tenant.empty() && !IsTenantId(tenant)) return {400, "X-Scope-OrgID is not a tenant"};
  return {};
}

RuleBreak CheckLogHead(const ServerRequest& request) {
  if (request.method != "POST") return {405, "method is not POST"};
  const std::string_view tenant = request.Header("x-scope-orgid");
  if (tenant.empty()) return {401, "no org id"};
  if (!IsTenantId(tenant)) return {400, "X-Scope-OrgID is not a tenant"};
  if (request.Header("content-type") != "application/x-protobuf") {
    return {400, "Content-Type is not application/x-protobuf"};
  }
  const std::string_view encoding = request.Header("content-encoding");
  if (!encoding.empty() && encoding != "snappy") return {400, "Content-Encoding is not snappy"};
  if (request.Header("user-agent").empty()) return {400, "no User-Agent"};
  return {};
}

}  // namespace ampari::bench
