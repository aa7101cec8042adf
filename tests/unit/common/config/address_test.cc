#include "common/config/address.h"

#include "gtest/gtest.h"

namespace ampari {
namespace {

TEST(AddressTest, ParsesHostAndPort) {
  const struct {
    const char* text;
    bool valid;
    const char* host;
    int port;
    bool loopback;
  } rows[] = {
      {"127.0.0.1:4750", true, "127.0.0.1", 4750, true},
      {"127.20.0.9:1", true, "127.20.0.9", 1, true},
      {"0.0.0.0:4750", true, "0.0.0.0", 4750, false},
      {":4750", true, "", 4750, false},
      {"localhost:0", true, "localhost", 0, true},
      {"[::1]:4750", true, "::1", 4750, true},
      {"[::]:4750", true, "::", 4750, false},
      {"gateway-0.ampari:4750", true, "gateway-0.ampari", 4750, false},
      {"128.0.0.1:1", true, "128.0.0.1", 1, false},
      {"127.evil.example:1", true, "127.evil.example", 1, false},
      {"localhost", false, "", 0, false},
      {"localhost:", false, "", 0, false},
      {"localhost:http", false, "", 0, false},
      {"localhost:65536", false, "", 0, false},
      {"localhost:-1", false, "", 0, false},
      {"::1:4750", false, "", 0, false},
      {"[::1:4750", false, "", 0, false},
      {"[host]:1", false, "", 0, false},
      {"http://h:1", false, "", 0, false},
      {"a b:1", false, "", 0, false},
      {"", false, "", 0, false},
  };
  for (const auto& row : rows) {
    const auto parsed = ParseHostPort(row.text);
    ASSERT_EQ(parsed.ok(), row.valid) << row.text;
    if (!parsed.ok()) continue;
    EXPECT_EQ(parsed->host, row.host);
    EXPECT_EQ(parsed->port, row.port);
    EXPECT_EQ(IsLoopbackHost(parsed->host), row.loopback) << row.text;
  }
}

}  // namespace
}  // namespace ampari
