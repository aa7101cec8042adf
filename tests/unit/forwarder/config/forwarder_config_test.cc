// forwarder.yaml as a whole.
#include <stdlib.h>

#include <string>

#include "forwarder/config.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"

namespace ampari {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

constexpr char kGateway[] = "gateway: {address: 'g:4750', name: n}\n";

absl::StatusOr<ForwarderConfig> Parse(const std::string& yaml, bool skip = false) {
  return ParseForwarderConfig(yaml, "f.yaml", {skip});
}

TEST(ForwarderConfigTest, TheDocumentedExample) {
  const auto config = Parse(R"(
global: {scrape_interval: 15s, scrape_timeout: 10s, external_labels: {mesh: prod}}
scrape_configs:
  - job_name: istio-mesh
    file_sd_configs: [{files: [/etc/ampari/targets/*.yaml]}]
    relabel_configs:
      - {source_labels: [__meta_kubernetes_pod_annotation_prometheus_io_scrape], action: keep, regex: "true"}
gateway: {addresses: ["ampari-gateway-0.ampari:4750"], token_file: /etc/ampari/token, tls_config: {ca_file: /etc/ampari/ca.pem}}
http: {listen_address: "127.0.0.1:4752"}
)");
  ASSERT_THAT(config, IsOk());
  ASSERT_EQ(config->jobs.size(), 1u);
  EXPECT_EQ(config->jobs[0].job->scrape_interval, absl::Seconds(15));
  EXPECT_EQ(config->external_labels, Labels({{"mesh", "prod"}}));
  EXPECT_THAT(config->gateway.addresses, ElementsAre("ampari-gateway-0.ampari:4750"));
  EXPECT_EQ(config->gateway.token.file, "/etc/ampari/token");
  EXPECT_FALSE(config->gateway.insecure);
  // The job keeps pods by annotation, but its port and path rules are missing.
  EXPECT_THAT(config->warnings,
              ElementsAre(AllOf(HasSubstr("f.yaml:6:"), HasSubstr("prometheus.io/port"),
                                HasSubstr("__address__}")),
                          AllOf(HasSubstr("f.yaml:6:"), HasSubstr("prometheus.io/path"),
                                HasSubstr("__metrics_path__}"))));
}

TEST(ForwarderConfigTest, JobsOfLogsAlone) {
  const auto config = Parse(std::string(kGateway) + R"(kubernetes_node: node-1
log_configs:
  - job_name: integrations/istio
    kubernetes_sd_configs: [{role: pod}]
    relabel_configs:
      - {source_labels: [__meta_kubernetes_namespace], target_label: namespace}
      - {source_labels: [__meta_kubernetes_pod_uid, __meta_kubernetes_pod_container_name], separator: /, target_label: __path__, replacement: /var/log/pods/*$1/*.log}
)");
  ASSERT_THAT(config, IsOk());
  EXPECT_THAT(config->jobs, IsEmpty());
  ASSERT_EQ(config->log_jobs.size(), 1u);
  EXPECT_EQ(config->gateway.log_ring_bytes, uint64_t{32} << 20);
  EXPECT_THAT(config->warnings, IsEmpty());
  const std::string printed = PrintForwarderConfig(*config);
  const auto again = Parse(printed);
  ASSERT_THAT(again, IsOk()) << printed;
  EXPECT_EQ(PrintForwarderConfig(*again), printed);
  // Without a node the pods of all of them would be read.
  unsetenv("NODE_NAME");
  const auto nowhere = Parse(std::string(kGateway) +
                             "log_configs: [{job_name: a, kubernetes_sd_configs: [{role: pod}], "
                             "relabel_configs: [{target_label: __path__, replacement: /a/b}]}]");
  ASSERT_THAT(nowhere, IsOk());
  EXPECT_THAT(nowhere->warnings, ElementsAre(HasSubstr("kubernetes_node")));
}

TEST(ForwarderConfigTest, Defaults) {
  setenv("NODE_NAME", "node-7", 1);
  const auto config = Parse("gateway: {address: 'g:4750'}");
  ASSERT_THAT(config, IsOk());
  EXPECT_EQ(config->gateway.name, "node-7");
  EXPECT_EQ(config->gateway.ring_bytes, uint64_t{64} << 20);
  EXPECT_EQ(config->http_listen_address, "127.0.0.1:4752");
  EXPECT_EQ(config->log_level, "info");
  EXPECT_THAT(config->warnings, IsEmpty());
  unsetenv("NODE_NAME");
  const auto by_host = Parse("gateway: {address: 'g:4750'}");
  ASSERT_THAT(by_host, IsOk());
  EXPECT_NE(by_host->gateway.name, "");
}

TEST(ForwarderConfigTest, TheNameMayComeFromTheEnvironment) {
  setenv("AMPARI_TEST_NODE", "node-1", 1);
  EXPECT_EQ(Parse("gateway: {address: 'g:1', name: '${AMPARI_TEST_NODE}'}")->gateway.name,
            "node-1");
}

TEST(ForwarderConfigTest, Refuses) {
  unsetenv("AMPARI_TEST_UNSET");
  const struct {
    std::string yaml;
    const char* message;
  } rows[] = {
      {"", "f.yaml:1: gateway: the section is missing"},
      {"gateway: {name: n}", "f.yaml:1: gateway: no gateway is named"},
      {"gateway: {addresses: []}", "no gateway is named"},
      {"gateway: {address: 'a:1', addresses: ['b:1']}",
       "gateway.address: give either address or addresses"},
      {"gateway: {addresses: ['a:1', 'a:1']}", "gateway.addresses: \"a:1\" is given twice"},
      {"gateway: {address: a}", "gateway.address: \"a\" is not an address"},
      {"gateway: {address: ':4750'}", "gateway.address: \":4750\" needs a host and a port"},
      {"gateway: {address: 'a:0'}", "\"a:0\" needs a host and a port"},
      {"gateway: {address: 'http://a:1'}", "is not an address"},
      {"gateway: {address: 'a:1', name: ''}", "gateway.name: a name of 1 to 253 bytes"},
      {"gateway: {address: 'a:1', name: '${AMPARI_TEST_UNSET}'}", "AMPARI_TEST_UNSET is not set"},
      {"gateway: {address: 'a:1', token: x, token_file: y}", "at most one of token and token_file"},
      {"gateway: {address: 'a:1', insecure: true, tls_config: {ca_file: x}}",
       "gateway.insecure: insecure: true means"},
      {"gateway: {address: 'a:1', tls_config: {cert_file: c, key_file: k}}",
       "gateway.tls_config: client certificates are not supported yet; use tokens"},
      {"gateway: {address: 'a:1', tls_config: {insecure_skip_verify: true}}",
       "gateway.tls_config: insecure_skip_verify is not supported"},
      {"gateway: {address: 'a:1', tls_config: {min_version: TLS12}}",
       "gateway.tls_config: min_version and max_version are not supported"},
      {"gateway: {address: 'a:1', ring_bytes: 5}", "gateway.ring_bytes: must be at least 1MiB"},
      {"gateway: {adress: 'a:1'}", "gateway: unknown key \"adress\"; did you mean \"address\"?"},
      {std::string(kGateway) + "http: {listen_address: x}",
       "f.yaml:2: http.listen_address: \"x\" is not an address"},
      {std::string(kGateway) + "log: {level: loud}",
       "f.yaml:2: log.level: \"loud\" is not a level"},
      {std::string(kGateway) + "log_configs: [{job_name: ''}]",
       "f.yaml:2: log_configs[0].job_name: job_name is empty"},
      {"gateway: {address: 'g:4750', name: n, log_ring_bytes: 1KiB}",
       "f.yaml:1: gateway.log_ring_bytes: must be at least 1MiB"},
      {std::string(kGateway) + "scrape_config_files: [a.yml]",
       "f.yaml:2: scrape_config_files: not supported"},
      {std::string(kGateway) + "scrape_config: []",
       "unknown key \"scrape_config\"; did you mean \"scrape_configs\"?"},
      {std::string(kGateway) + "global: {scrape_interval: 5s, scrape_timeout: 6s}",
       "greater than scrape interval"},
      {std::string(kGateway) + "global: {scrape_intervall: 5s}",
       "did you mean \"scrape_interval\"?"},
      {std::string(kGateway) + "global: {metric_name_validation_scheme: utf8}",
       "only the legacy naming scheme"},
      {std::string(kGateway) + "global: {external_labels: {a-b: c}}",
       "global.external_labels.a-b: not a valid label"},
      {std::string(kGateway) + "scrape_configs:\n- job_name: a\n- job_name: a\n",
       "f.yaml:4: scrape_configs[1].job_name: found multiple scrape configs with job name \"a\", "
       "first in line 3"},
  };
  for (const auto& row : rows) {
    EXPECT_THAT(Parse(row.yaml),
                StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(row.message)))
        << row.yaml;
  }
}

TEST(ForwarderConfigTest, SectionsOfOthersAreLeftWithOneLineEach) {
  const auto config = Parse(std::string(kGateway) +
                            "global: {evaluation_interval: 1m}\nalerting: {a: b}\nrule_files: "
                            "[x]\nremote_write: [{url: x}]\n"
                            "remote_read: [{url: x}]\nstorage: {tsdb: {}}\ntracing: {a: b}\n");
  ASSERT_THAT(config, IsOk());
  EXPECT_THAT(
      config->warnings,
      ElementsAre(
          "f.yaml:2: global.evaluation_interval: left out: this section belongs to Prometheus",
          "f.yaml:3: alerting: left out: this section belongs to Prometheus",
          "f.yaml:4: rule_files: left out: this section belongs to Prometheus",
          "f.yaml:5: remote_write: left out: this section belongs to ampari-gateway",
          "f.yaml:6: remote_read: left out: this section belongs to Prometheus",
          "f.yaml:7: storage: left out: this section belongs to ampari-gateway (or Prometheus)",
          "f.yaml:8: tracing: left out: this section belongs to Prometheus"));
}

TEST(ForwarderConfigTest, PlaintextIsWarnedOf) {
  EXPECT_THAT(Parse("gateway: {address: 'a:1', insecure: true}")->warnings,
              ElementsAre(HasSubstr("plaintext")));
  EXPECT_THAT(Parse("gateway: {address: 'a:1', insecure: true, token: x}")->warnings,
              ElementsAre(HasSubstr("the token travel")));
}

TEST(ForwarderConfigTest, UnsupportedJobsCanBeLeftOut) {
  const std::string yaml = std::string(kGateway) +
                           "scrape_configs:\n"
                           "- {job_name: good, static_configs: [{targets: ['a:1']}]}\n"
                           "- {job_name: consul, consul_sd_configs: [{server: x}]}\n";
  EXPECT_THAT(Parse(yaml), StatusIs(absl::StatusCode::kInvalidArgument,
                                    HasSubstr("f.yaml:4: scrape_configs[1].consul")));
  const auto config = Parse(yaml, true);
  ASSERT_THAT(config, IsOk());
  ASSERT_EQ(config->jobs.size(), 1u);
  EXPECT_EQ(config->jobs[0].job->job_name, "good");
  EXPECT_THAT(config->warnings, ElementsAre(HasSubstr("f.yaml:4: job \"consul\" is left out")));
  // What is wrong stays wrong.
  EXPECT_FALSE(
      Parse(yaml + "- {job_name: bad, consul_sd_configs: [{server: x}], schemee: http}\n", true)
          .ok());
}

TEST(ForwarderConfigTest, PrintedConfigurationLoadsAgainWithoutSecrets) {
  const auto config = Parse(
      "global: {external_labels: {cost: 5$, mesh: '$${x}'}}\n"
      "scrape_configs:\n- job_name: a\n  params: {m: ['{a=\"b\"}', '$x']}\n  body_size_limit: "
      "10MB\n  sample_limit: 5\n"
      "  basic_auth: {username: user, password: canary1}\n  http_headers: {X-Token: {values: "
      "[canary2]}}\n"
      "  fallback_scrape_protocol: PrometheusText0.0.4\n  metrics_path: '/a b'\n"
      "  static_configs: [{targets: ['h:1', 'h:2'], labels: {a: b}}]\n  file_sd_configs: [{files: "
      "[x/*.json]}]\n"
      "  relabel_configs: [{source_labels: [a, b], separator: '', regex: '(.*)x$', target_label: "
      "c, replacement: '${1}-$2'},\n"
      "    {action: labeldrop, regex: 'q|\"'}]\n"
      "  metric_relabel_configs: [{action: hashmod, source_labels: [a], modulus: 3, target_label: "
      "b}]\n"
      "gateway: {address: 'g:1', name: n, token: canary3, insecure: true}\nhttp: {token: "
      "canary4}\nlog: {level: debug}\n");
  ASSERT_THAT(config, IsOk());
  const std::string printed = PrintForwarderConfig(*config);
  EXPECT_THAT(printed, Not(HasSubstr("canary")));
  const auto again = Parse(printed);
  ASSERT_THAT(again, IsOk()) << printed;
  EXPECT_EQ(PrintForwarderConfig(*again), printed);
  EXPECT_EQ(again->external_labels, config->external_labels);
  EXPECT_EQ(again->jobs[0].job->params, config->jobs[0].job->params);
  EXPECT_EQ(again->jobs[0].relabel_rules[0].replacement, "${1}-$2");
}

TEST(ForwarderConfigTest, FilesAreLoadedAndMissingOnesNamed) {
  const TempDir dir;
  const std::string file =
      dir.Write("f.yaml", "gateway: {address: 'g:1', token_file: token, name: n}\n");
  const auto config = LoadForwarderConfig(file, {});
  ASSERT_THAT(config, IsOk());
  EXPECT_EQ(config->gateway.token.file, dir.File("token"));
  EXPECT_THAT(LoadForwarderConfig(dir.File("none.yaml"), {}),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("none.yaml")));
}

}  // namespace
}  // namespace ampari
