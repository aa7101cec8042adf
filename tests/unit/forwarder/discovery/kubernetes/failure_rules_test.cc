#include "forwarder/discovery/kubernetes/failure_rules.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace ampari {
namespace {

using Failure = PodWatchFailure;

HttpResponse Response(int status, absl::Status transport = absl::OkStatus()) {
  HttpResponse response;
  response.status = status;
  response.transport = std::move(transport);
  return response;
}

TEST(FailureRules, Classification) {
  struct Row {
    HttpResponse response;
    std::optional<Failure> want;
  };
  const absl::Status broken = absl::UnavailableError("x");
  const Row rows[] = {
      {Response(200), std::nullopt},
      {Response(200, broken), Failure::kConnection},
      {Response(200, absl::DeadlineExceededError("")), Failure::kTimeout},
      {Response(200, absl::ResourceExhaustedError("")), Failure::kTooLarge},
      {Response(0, broken), Failure::kConnection},
      {Response(0, absl::DeadlineExceededError("")), Failure::kTimeout},
      {Response(0, absl::PermissionDeniedError("")), Failure::kTls},
      {Response(0, absl::InvalidArgumentError("")), Failure::kAccess},
      {Response(401), Failure::kUnauthorized},
      {Response(403), Failure::kUnauthorized},
      {Response(403, broken), Failure::kUnauthorized},  // its body was cut
      {Response(410), Failure::kGone},
      {Response(429), Failure::kThrottled},
      {Response(408), Failure::kServer},
      {Response(500), Failure::kServer},
      {Response(503), Failure::kServer},
      {Response(504), Failure::kServer},
      {Response(400), Failure::kRefused},
      {Response(404), Failure::kRefused},
      {Response(302), Failure::kRefused},
      {Response(204), Failure::kRefused},
      {Response(206), Failure::kRefused},
  };
  for (const Row& row : rows) {
    EXPECT_EQ(ClassifyResponse(row.response, {}), row.want)
        << row.response.status << " " << row.response.transport;
  }
  ApiStatus too_new;
  too_new.version_too_large = true;
  EXPECT_EQ(ClassifyResponse(Response(504), too_new), Failure::kTooNew);
}

TEST(FailureRules, ErrorsInBand) {
  struct Row {
    int code;
    Failure want;
  };
  const Row rows[] = {{410, Failure::kGone},   {429, Failure::kThrottled},
                      {500, Failure::kServer}, {403, Failure::kUnauthorized},
                      {0, Failure::kServer},   {504, Failure::kServer},
                      {400, Failure::kRefused}};
  for (const Row& row : rows) {
    ApiStatus status;
    status.code = row.code;
    EXPECT_EQ(ClassifyStatus(status), row.want) << row.code;
  }
}

TEST(FailureRules, WhatFollows) {
  struct Row {
    Failure failure;
    RetryPace pace;
    bool list_again, newest, read_access;
  };
  const Row rows[] = {
      {Failure::kAccess, RetryPace::kSlow, false, false, true},
      {Failure::kConnection, RetryPace::kBackoff, false, false, true},
      {Failure::kTimeout, RetryPace::kBackoff, false, false, false},
      {Failure::kTls, RetryPace::kSlow, false, false, true},
      {Failure::kUnauthorized, RetryPace::kSlow, false, false, true},
      {Failure::kThrottled, RetryPace::kBackoff, false, false, false},
      {Failure::kServer, RetryPace::kBackoff, false, false, false},
      {Failure::kGone, RetryPace::kSpread, true, false, false},
      {Failure::kTooNew, RetryPace::kSpread, true, true, false},
      {Failure::kRefused, RetryPace::kSlow, true, false, false},
      {Failure::kTooLarge, RetryPace::kBackoff, true, true, false},
      {Failure::kMalformed, RetryPace::kBackoff, true, false, false},
      {Failure::kCut, RetryPace::kBackoff, false, false, false},
  };
  EXPECT_EQ(std::size(rows), kPodWatchFailures);
  std::set<std::string> names;
  for (const Row& row : rows) {
    const FailureRule rule = RuleOf(row.failure);
    const std::string name(PodWatchFailureName(row.failure));
    EXPECT_EQ(rule.pace, row.pace) << name;
    EXPECT_EQ(rule.list_again, row.list_again) << name;
    EXPECT_EQ(rule.newest, row.newest) << name;
    EXPECT_EQ(rule.read_access, row.read_access) << name;
    EXPECT_TRUE(names.insert(name).second) << name;
  }
}

}  // namespace
}  // namespace ampari
