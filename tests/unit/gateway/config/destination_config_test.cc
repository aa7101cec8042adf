// remote_write, field by field.
#include <string>

#include "gateway/config.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"

namespace ampari {
namespace {

using testing::HasSubstr;

absl::StatusOr<GatewayConfig> ParseDestination(const std::string& fields) {
  return ParseGatewayConfig(
      "storage: {directory: /d}\ngrpc: {insecure: true}\nremote_write:\n- url: https://r/push\n  " +
          fields,
      "g.yaml");
}

RemoteWriteConfig Destination(const std::string& fields) {
  const auto config = ParseDestination(fields);
  EXPECT_THAT(config, IsOk()) << fields;
  return config.ok() ? config->tenants.at(0).remote_write.at(0) : RemoteWriteConfig();
}

TEST(DestinationConfigTest, DefaultsOfPrometheusButFor429) {
  const RemoteWriteConfig config = Destination("");
  EXPECT_EQ(config.remote_timeout, absl::Seconds(30));
  EXPECT_EQ(config.queue.max_shards, 50u);
  EXPECT_EQ(config.queue.max_samples_per_send, 2000u);
  EXPECT_EQ(config.queue.batch_send_deadline, absl::Seconds(5));
  EXPECT_EQ(config.queue.min_backoff, absl::Milliseconds(30));
  EXPECT_EQ(config.queue.max_backoff, absl::Seconds(5));
  EXPECT_EQ(config.queue.sample_age_limit, absl::ZeroDuration());
  EXPECT_TRUE(config.queue.retry_on_http_429);
  EXPECT_TRUE(config.metadata.send);
  EXPECT_EQ(config.metadata.send_interval, absl::Minutes(1));
  EXPECT_EQ(config.limits.max_label_names_per_series, 0u);
  EXPECT_FALSE(config.start_oldest);
  EXPECT_FALSE(config.send_frame_header);
  EXPECT_TRUE(config.http.headers.empty());
}

TEST(DestinationConfigTest, FieldsThatWork) {
  const RemoteWriteConfig config = Destination(
      "name: region\n  remote_timeout: 10s\n  headers: {X-Scope-OrgID: t-1, X-Other: y}\n  "
      "proxy_url: http://p:1\n"
      "  basic_auth: {username: u, password_file: /p}\n  tls_config: {ca_file: /ca}\n"
      "  write_relabel_configs: [{source_labels: [__name__], regex: 'go_.*', action: drop}]\n"
      "  queue_config: {capacity: 5, max_shards: 4, min_shards: 2, max_samples_per_send: 500, "
      "batch_send_deadline: 1s, "
      "min_backoff: 1s, max_backoff: 10s, retry_on_http_429: false, sample_age_limit: 1h}\n"
      "  metadata_config: {send: false, send_interval: 5m, max_samples_per_send: 10}\n"
      "  limits: {max_label_names_per_series: 30, max_label_name_length: 1024, "
      "max_label_value_length: 2048}\n"
      "  start: oldest\n  send_frame_header: true\n  protobuf_message: prometheus.WriteRequest\n  "
      "send_exemplars: false\n");
  EXPECT_EQ(config.name, "region");
  EXPECT_EQ(config.remote_timeout, absl::Seconds(10));
  EXPECT_EQ(config.http.headers.size(), 2u);
  EXPECT_EQ(config.http.proxy_url, "http://p:1");
  EXPECT_EQ(config.http.password.file, "/p");
  EXPECT_EQ(config.http.tls.ca_file, "/ca");
  EXPECT_EQ(config.write_relabel_rules.at(0).regex, "go_.*");
  EXPECT_EQ(config.queue.max_shards, 4u);
  EXPECT_EQ(config.queue.max_samples_per_send, 500u);
  EXPECT_EQ(config.queue.sample_age_limit, absl::Hours(1));
  EXPECT_FALSE(config.queue.retry_on_http_429);
  EXPECT_FALSE(config.metadata.send);
  EXPECT_EQ(config.limits.max_label_names_per_series, 30u);
  EXPECT_EQ(config.limits.max_label_name_length, 1024u);
  EXPECT_EQ(config.limits.max_label_value_length, 2048u);
  EXPECT_TRUE(config.start_oldest);
  EXPECT_TRUE(config.send_frame_header);
}

TEST(DestinationConfigTest, Refuses) {
  const struct {
    const char* fields;
    const char* message;
  } rows[] = {
      {"protobuf_message: io.prometheus.write.v2.Request",
       "g.yaml:5: remote_write[0].protobuf_message: only prometheus."},
      {"send_exemplars: true", "send_exemplars: exemplars are not supported yet"},
      {"send_native_histograms: true",
       "send_native_histograms: native histograms are not supported yet"},
      {"sigv4: {region: x}", "sigv4: not supported"},
      {"azuread: {cloud: x}", "azuread: not supported"},
      {"google_iam: {a: b}", "google_iam: not supported"},
      {"oauth2: {client_id: x}", "oauth2: not supported"},
      {"remote_timeout: 0s", "remote_timeout: must be greater than 0"},
      {"start: begin", "start: use end"},
      {"queue_config: {max_shards: 0}", "queue_config.max_shards: must be greater than 0"},
      {"queue_config: {max_shards: 2, min_shards: 3}",
       "queue_config.min_shards: must not be greater than max_shards"},
      {"queue_config: {max_samples_per_send: 0}", "max_samples_per_send: must be greater than 0"},
      {"queue_config: {min_backoff: 10s}", "min_backoff: must not be greater than max_backoff"},
      {"queue_config: {max_shard: 1}", "did you mean \"max_shards\"?"},
      {"metadata_config: {send_interval: 0s}", "send_interval: must be greater than 0"},
      {"limits: {max_label_names: 1}",
       "remote_write[0].limits: unknown key \"max_label_names\"; did you mean"},
      {"headers: {X-Scope-OrgID: 'a/b'}", "X-Scope-OrgID: \"a/b\" is not a tenant id"},
      {"headers: {x-scope-orgid: 'a|b'}", "\"a|b\" is not a tenant id"},
      {"headers: {X-A: a, x-a: b}", "\"x-a\" is given twice"},
      {"headers: {Host: a}", "headers.Host: a reserved header"},
      {"headers: {Authorization: a}",
       "headers.Authorization: the Authorization header is set by basic_auth"},
      {"write_relabel_configs: [{action: hashmod, target_label: a}]",
       "write_relabel_configs[0]: relabel configuration"},
      {"uri: x", "remote_write[0]: unknown key \"uri\"; did you mean \"url\"?"},
  };
  for (const auto& row : rows) {
    EXPECT_THAT(ParseDestination(row.fields),
                StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(row.message)))
        << row.fields;
  }
}

TEST(DestinationConfigTest, UrlsAndNames) {
  const struct {
    const char* list;
    const char* message;  // null: loads
  } rows[] = {
      {"[{url: 'https://r'}]", nullptr},
      {"[{url: 'http://127.0.0.1:9009/api/v1/push?x=y'}]", nullptr},
      {"[{name: a, url: 'https://r'}, {name: b, url: 'https://r'}]", nullptr},
      {"[{}]", "remote_write[0].url: url for remote_write is empty"},
      {"[{url: ''}]", "url for remote_write is empty"},
      {"[{url: 'r/push'}]", "\"r/push\" is not a URL"},
      {"[{url: 'ftp://r'}]", "is not a URL"},
      {"[{url: 'https:///x'}]", "is not a URL"},
      {"[{url: 'https://r/a b'}]", "is not a URL"},
      {"[{url: 'https://r'}, {name: b, url: 'https://r'}]",
       "remote_write[0].name: a name is needed"},
      {"[{name: a, url: 'https://r'}, {name: a, url: 'https://q'}]",
       "remote_write[1].name: found multiple remote_write entries with name \"a\""},
  };
  for (const auto& row : rows) {
    const auto config = ParseGatewayConfig(
        std::string("storage: {directory: /d}\ngrpc: {insecure: true}\nremote_write: ") + row.list,
        "g.yaml");
    if (row.message == nullptr) {
      EXPECT_THAT(config, IsOk()) << row.list;
    } else {
      EXPECT_THAT(config, StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(row.message)))
          << row.list;
    }
  }
}

TEST(DestinationConfigTest, PlaintextCredentialsAreWarnedOf) {
  const auto config = ParseGatewayConfig(
      "storage: {directory: /d}\ngrpc: {insecure: true}\nremote_write: [{url: 'http://r', "
      "basic_auth: {password: x}}]",
      "g.yaml");
  ASSERT_THAT(config, IsOk());
  EXPECT_THAT(config->warnings,
              testing::Contains(HasSubstr("remote_write[0].url: credentials travel in plaintext")));
}

}  // namespace
}  // namespace ampari
