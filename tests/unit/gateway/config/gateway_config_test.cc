// gateway.yaml as a whole.
#include <string>

#include "gateway/config.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"

namespace ampari {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

const std::string kStorage = "storage: {directory: /d}\n";
const std::string kGrpc = "grpc: {insecure: true}\n";
const std::string kRemote = "remote_write: [{url: 'https://r/push'}]\n";

absl::StatusOr<GatewayConfig> Parse(const std::string& yaml) {
  return ParseGatewayConfig(yaml, "/etc/g.yaml");
}

TEST(GatewayConfigTest, TheDocumentedExample) {
  const auto config = Parse(R"(
storage: {directory: /var/lib/ampari, max_bytes: 50GiB, max_age: 72h}
grpc: {listen_address: "0.0.0.0:4750", tls_config: {cert_file: c.pem, key_file: /k.pem}}
http: {listen_address: "127.0.0.1:4751"}
forwarders: [{name: cluster-a, token_file: tokens/cluster-a, labels: {cluster: a}}]
remote_write:
  - name: region
    url: https://region.example.com/api/v1/push
    headers: {X-Scope-OrgID: tenant-1}
    basic_auth: {password: api-token}
)");
  ASSERT_THAT(config, IsOk());
  EXPECT_EQ(config->storage.directory, "/var/lib/ampari");
  EXPECT_EQ(config->storage.max_bytes, uint64_t{50} << 30);
  EXPECT_EQ(config->storage.max_age, absl::Hours(72));
  EXPECT_EQ(config->grpc.cert_file, "/etc/c.pem");
  ASSERT_EQ(config->forwarders.size(), 1u);
  EXPECT_EQ(config->forwarders[0].token.file, "/etc/tokens/cluster-a");
  EXPECT_EQ(config->forwarders[0].labels, Labels({{"cluster", "a"}}));
  EXPECT_EQ(config->forwarders[0].tenant, "");
  ASSERT_EQ(config->tenants.size(), 1u);
  EXPECT_EQ(config->tenants[0].id, "");
  ASSERT_EQ(config->tenants[0].remote_write.size(), 1u);
  EXPECT_EQ(config->tenants[0].remote_write[0].name, "region");
  EXPECT_EQ(config->tenants[0].remote_write[0].http.password.value, "api-token");
  EXPECT_THAT(config->warnings, IsEmpty());
}

TEST(GatewayConfigTest, TheFirstTry) {
  const auto config =
      Parse(kStorage + "grpc: {listen_address: '127.0.0.1:4750', insecure: true}\n" + kRemote);
  ASSERT_THAT(config, IsOk());
  EXPECT_THAT(config->forwarders, IsEmpty());
  EXPECT_TRUE(config->grpc.insecure);
  EXPECT_EQ(config->tenants[0].remote_write[0].name, "remote");
  EXPECT_THAT(
      config->warnings,
      ElementsAre(HasSubstr("/etc/g.yaml:2: grpc.insecure: forwarders' samples and tokens")));
}

TEST(GatewayConfigTest, Tenants) {
  const auto config = Parse(
      kStorage + kGrpc +
      "tenants:\n"
      "- {id: alpha, budget: 10GiB, forwarders: [{name: a, token: x}], remote_write: [{url: "
      "'https://r'}]}\n"
      "- {id: beta, forwarders: [{name: b, token: y}], remote_write: [{url: 'https://r', headers: "
      "{x-scope-orgid: other}}]}\n");
  ASSERT_THAT(config, IsOk());
  ASSERT_EQ(config->tenants.size(), 2u);
  EXPECT_EQ(config->tenants[0].id, "alpha");
  EXPECT_EQ(config->tenants[0].budget_bytes, uint64_t{10} << 30);
  EXPECT_EQ(config->forwarders[0].tenant, "alpha");
  EXPECT_EQ(config->forwarders[1].tenant, "beta");
  const auto& own = config->tenants[0].remote_write[0].http.headers;
  ASSERT_EQ(own.size(), 1u);
  EXPECT_EQ(own[0].name, "X-Scope-OrgID");
  EXPECT_THAT(own[0].values, ElementsAre("alpha"));
  const auto& given = config->tenants[1].remote_write[0].http.headers;
  ASSERT_EQ(given.size(), 1u);
  EXPECT_THAT(given[0].values, ElementsAre("other"));
}

TEST(GatewayConfigTest, Refuses) {
  const std::string good = kStorage + kGrpc + kRemote;
  const std::string open =
      kStorage + "grpc: {listen_address: '0.0.0.0:1', insecure: true}\n" + kRemote;
  const std::string tenant = kStorage + kGrpc + "tenants:\n";
  const struct {
    std::string yaml;
    const char* message;
  } rows[] = {
      {kGrpc + kRemote, "g.yaml:1: storage.directory: name the directory"},
      {"storage: {directory: /d, max_bytes: 511MiB}\n" + kGrpc + kRemote,
       "storage.max_bytes: must be at least 512MiB"},
      {"storage: {directory: /d, max_age: 0s}\n" + kGrpc + kRemote,
       "storage.max_age: must be greater than 0"},
      {"storage: {directry: /x}\n" + kGrpc + kRemote,
       "unknown key \"directry\"; did you mean \"directory\"?"},
      {kStorage + kRemote, "grpc: the section is missing"},
      {kStorage + kRemote + "grpc: {}", "grpc: forwarders would connect in plaintext"},
      {kStorage + kRemote + "grpc: {tls_config: {cert_file: a}}",
       "cert_file and key_file must be given together"},
      {kStorage + kRemote + "grpc: {insecure: true, tls_config: {cert_file: a, key_file: b}}",
       "keep one"},
      {kStorage + kRemote + "grpc: {insecure: true, listen_address: x}",
       "grpc.listen_address: \"x\" is not an address"},
      {kStorage + kRemote + "grpc: {tls_config: {cert_file: a, key_file: b, client_ca_file: c}}",
       "grpc.tls_config.client_ca_file: client certificates are not supported yet"},
      {open, "g.yaml:2: grpc.listen_address: \"0.0.0.0:1\" is open to others"},
      {kStorage + kGrpc, "remote_write: there is nowhere to deliver to"},
      {good + "http: {listen_address: ''}", "http.listen_address: \"\" is not an address"},
      {good + "log: {level: x}", "log.level: \"x\" is not a level"},
      {good + "remotewrite: []", "unknown key \"remotewrite\"; did you mean \"remote_write\"?"},
      {good + "forwarders: [{token: x}]", "forwarders[0].name: a name of 1 to 128 bytes is needed"},
      {good + "forwarders: [{name: a}]", "forwarders[0].token: an entry without a token"},
      {good + "forwarders: [{name: a, token: x, token_file: y}]",
       "at most one of token and token_file"},
      {good + "forwarders: [{name: a, token: x, labels: {a-b: c}}]",
       "labels.a-b: not a valid label name"},
      {good + "forwarders: [{name: a, token: x, labels: {__a: c}}]",
       "\"__a\": names that begin with __ are internal"},
      {good + "forwarders: [{name: a, token: x, tenant: t}]",
       "forwarders[0]: unknown key \"tenant\""},
      {good + "forwarders:\n- {name: a, token: x}\n- {name: a, token: y}",
       "g.yaml:6: forwarders[1].name: \"a\" is the name of another entry, in line 5"},
      {good + "forwarders:\n- {name: a, token: x}\n- {name: b, token: x}",
       "g.yaml:6: forwarders[1].token: the same token as that of the entry in line 5"},
      {good + "tenants: [{id: a}]", "remote_write: with tenants this belongs inside each tenant"},
      {tenant + "- {remote_write: [{url: 'https://r'}]}",
       "tenants[0].id: a tenant id must not be empty"},
      {tenant + "- {id: 'a/b', remote_write: [{url: 'https://r'}]}",
       "tenants[0].id: \"a/b\" is not a tenant id"},
      {tenant + "- {id: a|b, remote_write: [{url: 'https://r'}]}", "\"a|b\" is not a tenant id"},
      {tenant + "- {id: ..}", "tenants[0].id: \"..\" is reserved"},
      {tenant + "- {id: " + std::string(151, 'a') + "}",
       "tenants[0].id: a tenant id has at most 150 bytes"},
      {tenant + "- {id: a}", "tenants[0].remote_write: there is nowhere to deliver to"},
      {tenant + "- {id: a, remote_write: [{url: 'https://r'}]}\n- {id: a, remote_write: [{url: "
                "'https://r'}]}",
       "tenants[1].id: tenant \"a\" is given twice"},
      {tenant + "- {id: a, remote_write: [{url: 'https://r'}]}\n- {id: b, remote_write: [{url: "
                "'https://r'}]}",
       "tenants: without forwarders entries nobody's tenant can be told"},
      {tenant + "- {id: a, forwarders: [{name: x, token: t}], remote_write: [{url: 'https://r'}]}\n"
                "- {id: b, forwarders: [{name: x, token: u}], remote_write: [{url: 'https://r'}]}",
       "tenants[1].forwarders[0].name: \"x\" is the name of another entry"},
  };
  for (const auto& row : rows) {
    EXPECT_THAT(Parse(row.yaml),
                StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(row.message)))
        << row.yaml;
  }
}

TEST(GatewayConfigTest, NoErrorTellsASecret) {
  const auto config = Parse(
      "storage: {}\ngrpc: {}\nforwarders: [{name: a, token: canary1}, {name: a, token: canary1}]\n"
      "remote_write: [{url: 'ftp://u:canary2@x', basic_auth: {password: canary3, password_file: f, "
      "passwort: "
      "canary4}, authorization: {credentials: canary5}}]\n");
  EXPECT_THAT(config, StatusIs(absl::StatusCode::kInvalidArgument, Not(HasSubstr("canary"))));
}

TEST(GatewayConfigTest, SectionsOfOthersAreLeftWithOneLineEach) {
  const auto config = Parse(
      kStorage + kGrpc + kRemote +
      "global: {scrape_interval: 15s, external_labels: {a: b}}\nscrape_configs: [{job_name: a}]\n"
      "gateway: {address: x}\nalerting: {a: b}\n");
  ASSERT_THAT(config, IsOk());
  EXPECT_EQ(config->external_labels, Labels({{"a", "b"}}));
  EXPECT_THAT(
      config->warnings,
      ElementsAre(
          HasSubstr("grpc.insecure"),
          "/etc/g.yaml:4: global.scrape_interval: left out: this section belongs to "
          "ampari-forwarder",
          "/etc/g.yaml:5: scrape_configs: left out: this section belongs to ampari-forwarder",
          "/etc/g.yaml:6: gateway: left out: this section belongs to ampari-forwarder",
          "/etc/g.yaml:7: alerting: left out: this section belongs to Prometheus"));
}

TEST(GatewayConfigTest, PrintedConfigurationLoadsAgainWithoutSecrets) {
  const std::string shorts =
      kStorage + "grpc: {listen_address: '0.0.0.0:1', tls_config: {cert_file: a, key_file: b}}\n" +
      "http: {token: canary1}\nforwarders: [{name: a, token: canary2, labels: {c: d$}}]\n"
      "remote_write: [{url: 'https://u:canary3@r', basic_auth: {password: canary4}, start: oldest, "
      "limits: {max_label_names_per_series: 30}, queue_config: {max_shards: 7}, "
      "write_relabel_configs: [{regex: 'x$', action: drop, source_labels: [a]}]}]\n";
  const std::string longs =
      kStorage + kGrpc +
      "tenants: [{id: a, budget: 1GiB, forwarders: [{name: a, token_file: canary}], "
      "remote_write: [{name: x, url: 'https://r'}, {name: y, url: 'https://r'}]},\n"
      "  {id: b, forwarders: [{name: b, token_file: canary}], loki_write: [{url: "
      "'https://u:canary3@l', "
      "basic_auth: {password: canary4}, tenant_id: other, batch_wait: 2s, batch_size: 512KiB, "
      "limits: {max_line_size: 256KiB, max_line_size_truncate: true, max_label_names_per_series: "
      "15}, "
      "start: oldest, send_frame_header: true}]}]\n";
  for (const std::string& yaml : {shorts, longs}) {
    const auto config = Parse(yaml);
    ASSERT_THAT(config, IsOk());
    const std::string printed = PrintGatewayConfig(*config);
    for (const char* secret : {"canary1", "canary2", "canary3", "canary4"})
      EXPECT_THAT(printed, Not(HasSubstr(secret)));
    const auto again = Parse(printed);
    ASSERT_THAT(again, IsOk()) << printed;
    EXPECT_EQ(PrintGatewayConfig(*again), printed);
  }
}

TEST(GatewayConfigTest, FilesAreLoadedAndMissingOnesNamed) {
  const TempDir dir;
  EXPECT_THAT(LoadGatewayConfig(dir.Write("g.yaml", kStorage + kGrpc + kRemote)), IsOk());
  EXPECT_THAT(LoadGatewayConfig(dir.File("none.yaml")),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("none.yaml")));
}

}  // namespace
}  // namespace ampari
