#include "gateway/intake/peer_address.h"

#include <gtest/gtest.h>

#include <string>

namespace ampari {
namespace {

TEST(ParsePeer, TellsLoopbackFromTheRest) {
  const struct {
    std::string peer;
    const char* text;
    bool loopback;
  } kRows[] = {
      {"ipv4:127.0.0.1:4711", "127.0.0.1:4711", true},
      {"ipv4:127.9.8.7:1", "127.9.8.7:1", true},
      {"ipv4:10.0.0.1:4711", "10.0.0.1:4711", false},
      {"ipv4:128.0.0.1:4711", "128.0.0.1:4711", false},
      {"ipv6:%5B::1%5D:4711", "[::1]:4711", true},
      {"ipv6:[::1]:4711", "[::1]:4711", true},
      {"ipv6:%5B::ffff:127.0.0.1%5D:1", "[::ffff:127.0.0.1]:1", true},
      {"ipv6:%5B::ffff:10.0.0.1%5D:1", "[::ffff:10.0.0.1]:1", false},
      {"ipv6:%5Bfe80::1%25eth0%5D:1", "[fe80::1%eth0]:1", false},
      {"ipv6:%5B2001:db8::1%5D:1", "[2001:db8::1]:1", false},
      {"ipv6:::1", "::1", false},
      {"ipv6:", "", false},
      {"unix:/run/x", "unix", true},
      {"127.0.0.1:1", "unknown", false},
      {"dns:localhost", "unknown", false},
      {"", "unknown", false},
      {"ipv4:" + std::string(300, '1'), "unknown", false},
  };
  for (const auto& row : kRows) {
    const PeerAddress address = ParsePeer(row.peer);
    EXPECT_EQ(address.text, row.text) << row.peer;
    EXPECT_EQ(address.loopback, row.loopback) << row.peer;
  }
}

}  // namespace
}  // namespace ampari
