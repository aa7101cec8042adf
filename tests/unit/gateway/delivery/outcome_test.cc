// The outcome table of remote write, row by row.
#include "gateway/delivery/outcome.h"

#include <gtest/gtest.h>

#include <string>

#include "gateway/config.h"
#include "gateway/delivery/redaction.h"

namespace ampari {
namespace {

const absl::Time kNow = absl::FromUnixSeconds(1'700'000'000);  // Tue, 14 Nov 2023 22:13:20 GMT

HttpResponse Answer(int status) {
  HttpResponse response;
  response.status = status;
  return response;
}

TEST(Outcome, Statuses) {
  struct Row {
    int status;
    Fate fate;
    Brake brake;
    bool unanswered;
  };
  const Row rows[] = {
      {200, Fate::kDelivered, Brake::kNone, false}, {202, Fate::kDelivered, Brake::kNone, false},
      {204, Fate::kDelivered, Brake::kNone, false}, {299, Fate::kDelivered, Brake::kNone, false},
      {301, Fate::kHold, Brake::kNone, false},      {302, Fate::kHold, Brake::kNone, false},
      {304, Fate::kHold, Brake::kNone, false},      {307, Fate::kHold, Brake::kNone, false},
      {308, Fate::kHold, Brake::kNone, false},      {400, Fate::kRefused, Brake::kNone, false},
      {401, Fate::kHold, Brake::kNone, false},      {402, Fate::kHold, Brake::kNone, false},
      {403, Fate::kHold, Brake::kNone, false},      {404, Fate::kHold, Brake::kNone, false},
      {405, Fate::kHold, Brake::kNone, false},      {408, Fate::kRetry, Brake::kLane, true},
      {409, Fate::kRefused, Brake::kNone, false},   {410, Fate::kHold, Brake::kNone, false},
      {413, Fate::kSplit, Brake::kNone, false},     {415, Fate::kHold, Brake::kNone, false},
      {422, Fate::kRefused, Brake::kNone, false},   {429, Fate::kRetry, Brake::kDestination, false},
      {451, Fate::kHold, Brake::kNone, false},      {499, Fate::kHold, Brake::kNone, false},
      {500, Fate::kRetry, Brake::kLane, true},      {501, Fate::kRetry, Brake::kLane, true},
      {502, Fate::kRetry, Brake::kLane, true},      {503, Fate::kRetry, Brake::kDestination, true},
      {504, Fate::kRetry, Brake::kLane, true},      {507, Fate::kRetry, Brake::kLane, true},
      {529, Fate::kRetry, Brake::kLane, true},      {599, Fate::kRetry, Brake::kLane, true},
  };
  for (const Row& row : rows) {
    const Outcome outcome = ClassifyAnswer(Answer(row.status), true, kNow);
    EXPECT_EQ(outcome.fate, row.fate) << row.status;
    EXPECT_EQ(outcome.brake, row.brake) << row.status;
    EXPECT_EQ(outcome.unanswered, row.unanswered) << row.status;
    EXPECT_EQ(outcome.retry_after, std::nullopt) << row.status;
  }
  EXPECT_EQ(ClassifyAnswer(Answer(429), false, kNow).fate, Fate::kHold) << "never dropped";
}

// Loki's answers (grafana/loki, docs/operations/request-validation-rate-limits.md) mean the same
// but for 260.
TEST(Outcome, StatusesOfAPush) {
  const struct {
    int status;
    Fate fate;
    Brake brake;
  } rows[] = {
      {204, Fate::kDelivered, Brake::kNone}, {200, Fate::kDelivered, Brake::kNone},
      {260, Fate::kBlocked, Brake::kNone},   {400, Fate::kRefused, Brake::kNone},
      {401, Fate::kHold, Brake::kNone},      {403, Fate::kHold, Brake::kNone},
      {404, Fate::kHold, Brake::kNone},      {413, Fate::kSplit, Brake::kNone},
      {422, Fate::kRefused, Brake::kNone},   {429, Fate::kRetry, Brake::kDestination},
      {500, Fate::kRetry, Brake::kLane},     {503, Fate::kRetry, Brake::kDestination},
  };
  for (const auto& row : rows) {
    const Outcome outcome = ClassifyPushAnswer(Answer(row.status), kNow);
    EXPECT_EQ(outcome.fate, row.fate) << row.status;
    EXPECT_EQ(outcome.brake, row.brake) << row.status;
  }
  HttpResponse none;
  none.transport = absl::UnavailableError("refused");
  EXPECT_TRUE(ClassifyPushAnswer(none, kNow).unanswered);
}

TEST(Outcome, TooManyOfOneStreamBrakesItsLane) {
  const struct {
    const char* body;
    Brake brake;
  } rows[] = {
      {"Per stream rate limit exceeded (limit: 3MB/sec) while attempting to ingest for stream "
       "'{a=\"b\"}'",
       Brake::kLane},
      {"Maximum active stream limit exceeded when trying to create stream {a=\"b\"}", Brake::kLane},
      {"ingestion rate limit exceeded for user acme (limit: 4194304 bytes/sec)",
       Brake::kDestination},
      {"upstream request limit", Brake::kDestination},  // of a proxy
  };
  for (const auto& row : rows) {
    HttpResponse response = Answer(429);
    response.body = row.body;
    EXPECT_EQ(ClassifyPushAnswer(response, kNow).brake, row.brake) << row.body;
  }
}

TEST(Outcome, Transports) {
  struct Row {
    absl::Status transport;
    Fate fate;
    Brake brake;
    bool unanswered;
  };
  const Row rows[] = {
      {absl::UnavailableError("refused"), Fate::kRetry, Brake::kDestination, true},
      {absl::DeadlineExceededError("slow"), Fate::kRetry, Brake::kLane, true},
      {absl::CancelledError(""), Fate::kRetry, Brake::kLane, true},
      {absl::ResourceExhaustedError("endless"), Fate::kRetry, Brake::kLane, true},
      {absl::InternalError(""), Fate::kRetry, Brake::kLane, true},
      {absl::PermissionDeniedError("certificate"), Fate::kHold, Brake::kNone, false},
      {absl::InvalidArgumentError("URL"), Fate::kHold, Brake::kNone, false},
  };
  for (const Row& row : rows) {
    HttpResponse response;
    response.transport = row.transport;
    const Outcome outcome = ClassifyAnswer(response, true, kNow);
    EXPECT_EQ(outcome.fate, row.fate) << row.transport;
    EXPECT_EQ(outcome.brake, row.brake) << row.transport;
    EXPECT_EQ(outcome.unanswered, row.unanswered) << row.transport;
  }
}

// Its status came, only its words are too many: an endless error page changes no outcome.
TEST(Outcome, AnEndlessBodyIsJudgedByItsStatus) {
  HttpResponse response = Answer(400);
  response.transport = absl::ResourceExhaustedError("more than 64 KiB");
  EXPECT_EQ(ClassifyAnswer(response, true, kNow).fate, Fate::kRefused);
}

TEST(Outcome, RetryAfter) {
  struct Row {
    const char* value;
    std::optional<absl::Duration> wait;
  };
  const Row rows[] = {
      {"", std::nullopt},
      {"7", absl::Seconds(7)},
      {" 7 ", absl::Seconds(7)},
      {"0", std::nullopt},
      {"300", absl::Minutes(5)},
      {"301", absl::Minutes(5)},
      {"99999999999999999999", absl::Minutes(5)},
      {"-5", std::nullopt},
      {"1.5", std::nullopt},
      {"soon", std::nullopt},
      {"Tue, 14 Nov 2023 22:13:50 GMT", absl::Seconds(30)},
      {"Tue, 14 Nov 2023 22:13:10 GMT", std::nullopt},
      {"Fri, 14 Nov 2053 22:13:50 GMT", absl::Minutes(5)},
      {"Tue, 14 Nov 2023", std::nullopt},
  };
  for (const Row& row : rows) EXPECT_EQ(ParseRetryAfter(row.value, kNow), row.wait) << row.value;
  HttpResponse response = Answer(503);
  response.headers = {{"retry-after", "9"}};
  EXPECT_EQ(ClassifyAnswer(response, true, kNow).retry_after, absl::Seconds(9));
}

TEST(Outcome, WordsAreOneBoundedLine) {
  HttpResponse response = Answer(400);
  response.body = "bad\nline\x01\n";
  EXPECT_EQ(AnswerWords(response, {}), "400: bad line");
  response.body = std::string(10'000, 'x');
  EXPECT_EQ(AnswerWords(response, {}).size(), kMaxWordsBytes);
  HttpResponse none;
  none.transport = absl::UnavailableError("connection refused");
  EXPECT_EQ(AnswerWords(none, {}), "no answer: connection refused");
}

// A region may repeat what it was sent.
TEST(Outcome, WordsAreWithoutSecrets) {
  struct Row {
    const char* said;
    const char* words;
  };
  RemoteWriteConfig config;
  config.url = "https://u:url-pass@region/push?key=in-query";
  config.http.has_basic_auth = true;
  config.http.username.value = "tenant";
  config.http.password.value = "pass";
  config.http.credentials.value = "password-token";
  config.http.headers = {{"X-Key", {"plain-key"}, {{"secret-key", ""}}},
                         {"X-Scope-OrgID", {"acme"}, {}}};
  const std::string at_the_cut = std::string(kMaxWordsBytes - 10, 'x') + "password-token";
  const Row rows[] = {
      {"you sent Bearer password-token", "401: you sent Bearer <secret>"},
      {"pass", "401: <secret>"},
      {"Basic dGVuYW50OnBhc3M=", "401: Basic <secret>"},
      {"X-Key: plain-key, secret-key", "401: X-Key: <secret>, <secret>"},
      {"at https://u:url-pass@region/push?key=in-query",
       "401: at https://<secret>@region/push?<secret>"},
      {"acme: tenant unknown", "401: acme: tenant unknown"},
      {"password-toke", "401: <secret>word-toke"},  // holds the other
  };
  DestinationSecrets secrets(config.url, config.http);
  for (const Row& row : rows) {
    HttpResponse response = Answer(401);
    response.body = row.said;
    EXPECT_EQ(AnswerWords(response, secrets.Current()), row.words);
  }
  HttpResponse cut = Answer(401);
  cut.body = at_the_cut;
  EXPECT_EQ(AnswerWords(cut, secrets.Current()).find("pass"), std::string::npos);
}

}  // namespace
}  // namespace ampari
