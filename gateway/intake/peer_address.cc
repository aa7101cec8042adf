#include "gateway/intake/peer_address.h"

#include <arpa/inet.h>

#include "absl/strings/match.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/strip.h"
#include "common/runtime/absl_view.h"

namespace ampari {
namespace {

constexpr size_t kMaxPeerBytes = 256;

bool IsLoopbackV4(const std::string& host) {
  in_addr address{};
  return inet_pton(AF_INET, host.c_str(), &address) == 1 && (ntohl(address.s_addr) >> 24) == 127;
}

bool IsLoopbackV6(std::string host) {
  host = host.substr(0, host.find('%'));  // without a zone
  in6_addr address{};
  if (inet_pton(AF_INET6, host.c_str(), &address) != 1) return false;
  if (IN6_IS_ADDR_LOOPBACK(&address)) return true;
  return IN6_IS_ADDR_V4MAPPED(&address) && address.s6_addr[12] == 127;
}

}  // namespace

PeerAddress ParsePeer(std::string_view name) {
  absl::string_view peer = ToAbsl(name);
  if (peer.size() > kMaxPeerBytes) return {"unknown", false};
  if (absl::StartsWith(peer, "unix:")) return {"unix", true};
  if (absl::ConsumePrefix(&peer, "ipv4:")) {
    const std::string text(peer);
    return {text, IsLoopbackV4(text.substr(0, text.rfind(':')))};
  }
  if (absl::ConsumePrefix(&peer, "ipv6:")) {
    const std::string text = absl::StrReplaceAll(peer, {{"%5B", "["}, {"%5D", "]"}, {"%25", "%"}});
    const size_t end = text.find(']');
    if (text.empty() || text[0] != '[' || end == std::string::npos) return {text, false};
    return {text, IsLoopbackV6(text.substr(1, end - 1))};
  }
  return {"unknown", false};
}

}  // namespace ampari
