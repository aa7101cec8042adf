#include "gateway/status/request_guard.h"

#include <arpa/inet.h>
#include <openssl/crypto.h>

#include <string>

#include "absl/strings/match.h"
#include "common/runtime/absl_view.h"

namespace ampari {
namespace {

// host of "host", "host:port", "[v6]" and "[v6]:port".
std::string HostOf(std::string_view authority) {
  if (!authority.empty() && authority[0] == '[') {
    const size_t end = authority.find(']');
    return std::string(authority.substr(1, end == std::string_view::npos ? end : end - 1));
  }
  return std::string(authority.substr(0, authority.find(':')));
}

bool IsAddress(const std::string& host) {
  unsigned char bytes[sizeof(in6_addr)];
  return inet_pton(AF_INET, host.c_str(), bytes) == 1 ||
         inet_pton(AF_INET6, host.c_str(), bytes) == 1;
}

bool SameText(std::string_view a, std::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

bool ForeignOrigin(const ServerRequest& request) {
  const std::string_view origin = request.Header("origin");
  if (origin.empty()) return false;
  const size_t scheme = origin.find("://");
  return scheme == std::string_view::npos || origin.substr(scheme + 3) != request.Header("host");
}

}  // namespace

absl::Status CheckHost(const ServerRequest& request, std::string_view host_name) {
  if (!request.peer_is_loopback) return absl::OkStatus();
  const std::string host = HostOf(request.Header("host"));
  if (host.empty() || IsAddress(host) || absl::EqualsIgnoreCase(host, "localhost"))
    return absl::OkStatus();
  if (!host_name.empty() && absl::EqualsIgnoreCase(host, ToAbsl(host_name)))
    return absl::OkStatus();
  return absl::PermissionDeniedError(
      "the Host header of a request over loopback is an IP address, localhost or this machine's "
      "name");
}

absl::Status CheckChange(const ServerRequest& request, std::string_view token) {
  if (ForeignOrigin(request))
    return absl::PermissionDeniedError("a page of another origin may not do this");
  if (request.peer_is_loopback) return absl::OkStatus();
  constexpr std::string_view kBearer = "Bearer ";
  const std::string_view authorization = request.Header("authorization");
  if (token.empty()) {
    return absl::PermissionDeniedError("this needs loopback, or http.token in the configuration");
  }
  if (authorization.substr(0, kBearer.size()) != kBearer ||
      !SameText(authorization.substr(kBearer.size()), token)) {
    return absl::UnauthenticatedError("this needs loopback or the token of http.token");
  }
  return absl::OkStatus();
}

}  // namespace ampari
