#include "common/config/address.h"

#include <arpa/inet.h>

#include <charconv>

#include "absl/strings/str_cat.h"
#include "common/labels/quote.h"

namespace ampari {
namespace {

bool IsHostName(std::string_view host) {
  for (const char c : host) {
    const bool letter = (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
    if (!letter && !(c >= '0' && c <= '9') && c != '-' && c != '.' && c != '_') return false;
  }
  return true;
}

bool IsV6(const std::string& host) {
  in6_addr parsed;
  return inet_pton(AF_INET6, host.c_str(), &parsed) == 1;
}

}  // namespace

absl::StatusOr<HostPort> ParseHostPort(std::string_view address) {
  const absl::Status wrong = absl::InvalidArgumentError(
      absl::StrCat(Quoted(address), " is not an address; write host:port or [v6]:port"));
  const size_t colon = address.rfind(':');
  if (colon == std::string_view::npos) return wrong;
  const std::string_view port = address.substr(colon + 1);
  std::string_view host = address.substr(0, colon);
  HostPort result;
  const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), result.port);
  if (port.empty() || error != std::errc() || end != port.data() + port.size()) return wrong;
  if (host.starts_with('[') && host.ends_with(']')) {
    result.host = host.substr(1, host.size() - 2);
    if (!IsV6(result.host)) return wrong;
  } else {
    result.host = host;
    if (!IsHostName(host)) return wrong;
  }
  return result;
}

bool IsLoopbackHost(const std::string& host) {
  in_addr v4;
  if (inet_pton(AF_INET, host.c_str(), &v4) == 1) return (ntohl(v4.s_addr) >> 24) == 127;
  in6_addr v6;
  if (inet_pton(AF_INET6, host.c_str(), &v6) == 1) return IN6_IS_ADDR_LOOPBACK(&v6);
  return host == "localhost";
}

}  // namespace ampari
