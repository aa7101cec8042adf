#include "gateway/status/request_guard.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "tests/support/status_matchers.h"

namespace ampari {
namespace {

TEST(CheckHost, ForeignNamesOverLoopbackAreRebinding) {
  const struct {
    const char* host;
    bool loopback;
    bool ok;
  } kRows[] = {
      {"127.0.0.1:4751", true, true},
      {"127.0.0.1", true, true},
      {"localhost:4751", true, true},
      {"LocalHost", true, true},
      {"[::1]:4751", true, true},
      {"10.1.2.3:4751", true, true},
      {"", true, true},
      {"this-machine:4751", true, true},
      {"evil.example:4751", true, false},
      {"evil.example", true, false},
      {"127.0.0.1.evil.example", true, false},
      {"[evil]:1", true, false},
      {"ampari-gateway-0.ampari:4751", false, true},
  };
  for (const auto& row : kRows) {
    ServerRequest request;
    request.peer_is_loopback = row.loopback;
    request.headers = {{"host", row.host}};
    EXPECT_EQ(CheckHost(request, "this-machine").ok(), row.ok) << row.host;
  }
}

TEST(CheckChange, NeedsLoopbackOrTheTokenAndNoForeignPage) {
  constexpr auto kOk = absl::StatusCode::kOk;
  constexpr auto kDenied = absl::StatusCode::kPermissionDenied;
  constexpr auto kUnauthenticated = absl::StatusCode::kUnauthenticated;
  const struct {
    bool loopback;
    const char* token;  // configured
    const char* authorization;
    const char* origin;
    absl::StatusCode code;
  } kRows[] = {
      {true, "", "", "", kOk},
      {true, "secret", "", "", kOk},
      {true, "", "", "http://127.0.0.1:4751", kOk},
      {true, "", "", "http://evil.example", kDenied},
      {true, "", "", "null", kDenied},
      {true, "", "", "http://127.0.0.1:9999", kDenied},
      {false, "", "", "", kDenied},
      {false, "", "Bearer ", "", kDenied},
      {false, "secret", "", "", kUnauthenticated},
      {false, "secret", "Bearer secret", "", kOk},
      {false, "secret", "Bearer secre", "", kUnauthenticated},
      {false, "secret", "Bearer secrets", "", kUnauthenticated},
      {false, "secret", "secret", "", kUnauthenticated},
      {false, "secret", "Bearer secret", "http://evil.example", kDenied},
  };
  for (const auto& row : kRows) {
    ServerRequest request;
    request.peer_is_loopback = row.loopback;
    request.headers = {
        {"host", "127.0.0.1:4751"}, {"authorization", row.authorization}, {"origin", row.origin}};
    const absl::Status status = CheckChange(request, row.token);
    EXPECT_THAT(status, StatusIs(row.code)) << row.authorization << " " << row.origin;
    EXPECT_THAT(std::string(status.message()), testing::Not(testing::HasSubstr("secret")));
  }
}

}  // namespace
}  // namespace ampari
