// PeerAddress: the other end of a call, read from gRPC's name of it
// (https://github.com/grpc/grpc/blob/master/doc/naming.md).
#pragma once

#include <string>
#include <string_view>

namespace ampari {

struct PeerAddress {
  std::string text;       // host:port for people; "unknown" when it is none of the known forms
  bool loopback = false;  // 127.0.0.0/8, ::1 (also as an IPv4-mapped address), or a unix socket
};

// "ipv4:127.0.0.1:4711", "ipv6:%5B::1%5D:4711" (per cent encoded or not), "unix:/path".
PeerAddress ParsePeer(std::string_view peer);

}  // namespace ampari
