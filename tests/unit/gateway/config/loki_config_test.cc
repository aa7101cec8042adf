// loki_write, field by field.
#include <string>

#include "gateway/config.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"

namespace ampari {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

absl::StatusOr<GatewayConfig> ParseDestination(const std::string& fields) {
  return ParseGatewayConfig(
      "storage: {directory: /d}\ngrpc: {insecure: true}\nloki_write:\n- url: https://l/push\n  " +
          fields,
      "g.yaml");
}

LokiWriteConfig Destination(const std::string& fields) {
  const auto config = ParseDestination(fields);
  EXPECT_THAT(config, IsOk()) << fields;
  return config.ok() ? config->tenants.at(0).loki_write.at(0) : LokiWriteConfig();
}

TEST(LokiConfigTest, DefaultsOfAlloy) {
  const LokiWriteConfig config = Destination("");
  EXPECT_EQ(config.name, "loki");
  EXPECT_EQ(config.url, "https://l/push");
  EXPECT_EQ(config.remote_timeout, absl::Seconds(10));
  EXPECT_EQ(config.batch_wait, absl::Seconds(1));
  EXPECT_EQ(config.batch_bytes, uint64_t{1} << 20);
  EXPECT_EQ(config.min_backoff, absl::Milliseconds(500));
  EXPECT_EQ(config.max_backoff, absl::Minutes(5));
  EXPECT_EQ(config.max_in_flight, 16u);
  EXPECT_EQ(config.max_streams, 0u);
  EXPECT_EQ(config.limits, LogLimits());
  EXPECT_FALSE(config.start_oldest);
  EXPECT_FALSE(config.send_frame_header);
  EXPECT_THAT(config.http.headers, IsEmpty());
}

TEST(LokiConfigTest, FieldsThatWork) {
  const LokiWriteConfig config = Destination(
      "name: logs\n  remote_timeout: 20s\n  headers: {X-Scope-OrgID: t-1, X-Other: y}\n"
      "  authorization: {type: Bearer, credentials_file: /token}\n  tls_config: {ca_file: /ca}\n"
      "  proxy_url: http://p:1\n  batch_wait: 2s\n  batch_size: 512KiB\n"
      "  min_backoff_period: 1s\n  max_backoff_period: 1m\n  max_in_flight: 4\n  "
      "max_streams_per_request: 1\n"
      "  limits: {max_line_size: 256KiB, max_line_size_truncate: true, "
      "max_label_names_per_series: 15, max_label_name_length: 1024, max_label_value_length: 2048}\n"
      "  retry_on_http_429: true\n  start: oldest\n  send_frame_header: true\n");
  EXPECT_EQ(config.name, "logs");
  EXPECT_EQ(config.remote_timeout, absl::Seconds(20));
  EXPECT_EQ(config.http.headers.size(), 2u);
  EXPECT_EQ(config.http.authorization_type, "Bearer");
  EXPECT_EQ(config.http.credentials.file, "/token");
  EXPECT_EQ(config.http.tls.ca_file, "/ca");
  EXPECT_EQ(config.http.proxy_url, "http://p:1");
  EXPECT_EQ(config.batch_wait, absl::Seconds(2));
  EXPECT_EQ(config.batch_bytes, uint64_t{512} << 10);
  EXPECT_EQ(config.min_backoff, absl::Seconds(1));
  EXPECT_EQ(config.max_backoff, absl::Minutes(1));
  EXPECT_EQ(config.max_in_flight, 4u);
  EXPECT_EQ(config.max_streams, 1u);
  EXPECT_EQ(config.limits.max_line_bytes, 256u << 10);
  EXPECT_TRUE(config.limits.cut_long_lines);
  EXPECT_EQ(config.limits.max_label_names, 15u);
  EXPECT_EQ(config.limits.max_label_name_length, 1024u);
  EXPECT_EQ(config.limits.max_label_value_length, 2048u);
  EXPECT_TRUE(config.start_oldest);
  EXPECT_TRUE(config.send_frame_header);
}

TEST(LokiConfigTest, TheTenantIsSentUnlessAHeaderSaysOtherwise) {
  const struct {
    const char* fields;
    const char* sent;
  } rows[] = {
      {"tenant_id: other", "other"},
      {"headers: {x-scope-orgid: third}", "third"},
      {"tenant_id: other\n  headers: {X-Scope-OrgID: third}", "third"},
  };
  for (const auto& row : rows) {
    const LokiWriteConfig config = Destination(row.fields);
    ASSERT_EQ(config.http.headers.size(), 1u) << row.fields;
    EXPECT_THAT(config.http.headers[0].values, ElementsAre(row.sent)) << row.fields;
  }
}

TEST(LokiConfigTest, Refuses) {
  const struct {
    const char* fields;
    const char* message;
  } rows[] = {
      {"uri: x", "g.yaml:5: loki_write[0]: unknown key \"uri\"; did you mean \"url\"?"},
      {"oauth2: {client_id: x}", "loki_write[0].oauth2: not supported"},
      {"remote_timeout: 0s", "remote_timeout: must be greater than 0"},
      {"batch_size: 0", "batch_size: must be greater than 0 and at most 16MiB"},
      {"batch_size: 17MiB", "batch_size: must be greater than 0 and at most 16MiB"},
      {"min_backoff_period: 0s", "min_backoff_period: must be greater than 0"},
      {"min_backoff_period: 10m", "must not be greater than max_backoff_period"},
      {"max_in_flight: 0", "max_in_flight: must be greater than 0"},
      {"max_backoff_retries: 10", "max_backoff_retries: lines are kept and tried again"},
      {"retry_on_http_429: false", "retry_on_http_429: 429 is always tried again"},
      {"queue_config: {capacity: 1MiB}", "queue_config: the queue is on disk"},
      {"start: begin", "start: use end (new lines only)"},
      {"tenant_id: a/b", "tenant_id: \"a/b\" is not a tenant id"},
      {"headers: {X-Scope-OrgID: 'a/b'}", "X-Scope-OrgID: \"a/b\" is not a tenant id"},
      {"limits: {max_line_size_truncate: true}", "max_line_size_truncate: there is nothing to cut"},
      {"limits: {max_label_name: 1}", "loki_write[0].limits: unknown key \"max_label_name\""},
      {"name: a\n- url: https://l/push", "name: a name is needed where there are several"},
      {"name: a\n- {name: a, url: https://l}", "found multiple loki_write entries with name \"a\""},
  };
  for (const auto& row : rows) {
    EXPECT_THAT(ParseDestination(row.fields),
                StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(row.message)))
        << row.fields;
  }
  EXPECT_THAT(
      ParseGatewayConfig("storage: {directory: /d}\ngrpc: {insecure: true}\nloki_write: [{}]\n",
                         "g.yaml"),
      StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("url for loki_write is empty")));
}

TEST(LokiConfigTest, StandsBesideRemoteWriteOrAlone) {
  const auto config = ParseGatewayConfig(
      "storage: {directory: /d}\ngrpc: {insecure: true}\ntenants:\n"
      "- {id: a, forwarders: [{name: a, token: x}], remote_write: [{name: r, url: https://r}], "
      "loki_write: [{name: r, url: https://l}]}\n"
      "- {id: b, forwarders: [{name: b, token: y}], loki_write: [{url: https://l, basic_auth: "
      "{password: canary}}]}\n",
      "g.yaml");
  ASSERT_THAT(config, IsOk());
  EXPECT_EQ(config->tenants[0].loki_write[0].name, "r");
  EXPECT_EQ(config->tenants[1].loki_write[0].name, "loki");
  EXPECT_THAT(config->tenants[1].remote_write, IsEmpty());
  EXPECT_THAT(config->tenants[1].loki_write[0].http.headers[0].values, ElementsAre("b"));
  EXPECT_THAT(PrintGatewayConfig(*config), Not(HasSubstr("canary")));
}

}  // namespace
}  // namespace ampari
