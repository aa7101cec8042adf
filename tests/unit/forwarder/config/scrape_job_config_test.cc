// scrape_configs, field by field.
#include <string>

#include "forwarder/config.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"

namespace ampari {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;

// The job's fields, given in flow style or as indented lines.
absl::StatusOr<ForwarderConfig> ParseJob(const std::string& fields,
                                         const std::string& global = "") {
  const std::string yaml =
      "gateway: {address: 'g:1', name: n}\nglobal: {" + global +
      "}\nscrape_configs:\n- job_name: a\n  static_configs: [{targets: ['t:1']}]\n  " + fields +
      "\n";
  return ParseForwarderConfig(yaml, "f.yaml", {});
}

ScrapeJob Job(const std::string& fields, const std::string& global = "") {
  const auto config = ParseJob(fields, global);
  EXPECT_THAT(config, IsOk()) << fields;
  return config.ok() ? *config->jobs.at(0).job : ScrapeJob();
}

TEST(ScrapeJobConfigTest, DefaultsOfPrometheus3) {
  const ScrapeJob job = Job("");
  EXPECT_EQ(job.scrape_interval, absl::Minutes(1));
  EXPECT_EQ(job.scrape_timeout, absl::Seconds(10));
  EXPECT_EQ(job.metrics_path, "/metrics");
  EXPECT_EQ(job.scheme, "http");
  EXPECT_FALSE(job.honor_labels);
  EXPECT_TRUE(job.honor_timestamps);
  EXPECT_FALSE(job.track_timestamps_staleness);
  EXPECT_FALSE(job.enable_compression);  // the documented difference
  EXPECT_FALSE(job.extra_scrape_metrics);
  EXPECT_FALSE(job.has_fallback_protocol);
  EXPECT_TRUE(job.http.follow_redirects);
  EXPECT_THAT(job.scrape_protocols,
              ElementsAre(ScrapeProtocol::kOpenMetrics100, ScrapeProtocol::kOpenMetrics001,
                          ScrapeProtocol::kText100, ScrapeProtocol::kText004));
}

TEST(ScrapeJobConfigTest, IntervalsAndTimeouts) {
  const struct {
    const char* global;
    const char* job;
    absl::Duration interval, timeout;
  } rows[] = {
      {"", "", absl::Minutes(1), absl::Seconds(10)},
      {"scrape_interval: 15s", "", absl::Seconds(15), absl::Seconds(10)},
      {"scrape_interval: 5s", "", absl::Seconds(5), absl::Seconds(5)},
      {"scrape_interval: 15s, scrape_timeout: 7s", "", absl::Seconds(15), absl::Seconds(7)},
      {"scrape_interval: 15s", "scrape_interval: 5s", absl::Seconds(5), absl::Seconds(5)},
      {"scrape_interval: 15s", "scrape_timeout: 15s", absl::Seconds(15), absl::Seconds(15)},
      {"", "scrape_interval: 0s", absl::Minutes(1), absl::Seconds(10)},
      {"", "scrape_interval: 1d", absl::Hours(24), absl::Seconds(10)},
  };
  for (const auto& row : rows) {
    const ScrapeJob job = Job(row.job, row.global);
    EXPECT_EQ(job.scrape_interval, row.interval) << row.global << " / " << row.job;
    EXPECT_EQ(job.scrape_timeout, row.timeout) << row.global << " / " << row.job;
  }
}

TEST(ScrapeJobConfigTest, LimitsComeFromGlobalUnlessSaid) {
  const std::string global =
      "body_size_limit: 1MB, sample_limit: 2, label_limit: 3, label_name_length_limit: 4, "
      "label_value_length_limit: 5, "
      "target_limit: 6, keep_dropped_targets: 7";
  const ScrapeJob inherited = Job("", global);
  EXPECT_EQ(inherited.body_size_limit, uint64_t{1} << 20);
  EXPECT_EQ(inherited.sample_limit, 2u);
  EXPECT_EQ(inherited.label_limit, 3u);
  EXPECT_EQ(inherited.label_name_length_limit, 4u);
  EXPECT_EQ(inherited.label_value_length_limit, 5u);
  EXPECT_EQ(inherited.target_limit, 6u);
  EXPECT_EQ(inherited.keep_dropped_targets, 7u);
  EXPECT_EQ(Job("sample_limit: 9", global).sample_limit, 9u);
  EXPECT_EQ(Job("body_size_limit: 90MB", global).body_size_limit, uint64_t{90} << 20);
}

TEST(ScrapeJobConfigTest, FieldsThatWork) {
  const ScrapeJob job = Job(
      "honor_labels: true\n  honor_timestamps: false\n  track_timestamps_staleness: true\n  "
      "enable_compression: true\n"
      "  extra_scrape_metrics: true\n  metrics_path: /stats/prometheus\n  scheme: https\n  "
      "follow_redirects: false\n"
      "  params: {z: [1], module: [a, b]}\n  scrape_protocols: [PrometheusText0.0.4]\n"
      "  fallback_scrape_protocol: OpenMetricsText1.0.0\n  authorization: {credentials_file: /t}\n"
      "  tls_config: {insecure_skip_verify: true}\n");
  EXPECT_TRUE(job.honor_labels);
  EXPECT_FALSE(job.honor_timestamps);
  EXPECT_TRUE(job.track_timestamps_staleness);
  EXPECT_TRUE(job.enable_compression);
  EXPECT_TRUE(job.extra_scrape_metrics);
  EXPECT_EQ(job.metrics_path, "/stats/prometheus");
  EXPECT_EQ(job.scheme, "https");
  EXPECT_FALSE(job.http.follow_redirects);
  EXPECT_THAT(job.params,
              ElementsAre(Pair("module", ElementsAre("a", "b")), Pair("z", ElementsAre("1"))));
  EXPECT_THAT(job.scrape_protocols, ElementsAre(ScrapeProtocol::kText004));
  EXPECT_TRUE(job.has_fallback_protocol);
  EXPECT_EQ(job.fallback_protocol, ScrapeProtocol::kOpenMetrics100);
  EXPECT_EQ(job.http.credentials.file, "/t");
  EXPECT_TRUE(job.http.tls.insecure_skip_verify);
}

TEST(ScrapeJobConfigTest, FieldsAtTheirDefaultAreAccepted) {
  for (const char* field :
       {"scrape_failure_log_file: ''", "metric_name_validation_scheme: legacy",
        "metric_name_escaping_scheme: underscores", "native_histogram_bucket_limit: 0",
        "native_histogram_min_bucket_factor: 0", "scrape_native_histograms: false",
        "convert_classic_histograms_to_nhcb: false", "always_scrape_classic_histograms: false",
        "enable_http2: true", "kubernetes_sd_configs: []",
        "consul_sd_configs:", "proxy_from_environment: false"}) {
    EXPECT_THAT(ParseJob(field), IsOk()) << field;
  }
}

TEST(ScrapeJobConfigTest, Refuses) {
  const struct {
    const char* field;
    const char* message;
  } rows[] = {
      {"scrape_timeout: 2m",
       "f.yaml:6: scrape_configs[0].scrape_timeout: scrape timeout greater than scrape interval"},
      {"scheme: ftp", "scheme: use http or https"},
      {"params: {a: b}", "params.a: expected a list"},
      {"scrape_protocols: []", "scrape_protocols cannot be empty"},
      {"scrape_protocols: [PrometheusText0.0.4, PrometheusText0.0.4]",
       "\"PrometheusText0.0.4\" is given twice"},
      {"scrape_protocols: [PrometheusProto]", "scrape_protocols: PrometheusProto is not supported"},
      {"scrape_protocols: [Text]", "unknown scrape protocol \"Text\""},
      {"fallback_scrape_protocol: text/plain", "unknown scrape protocol \"text/plain\""},
      {"body_size_limit: 10 MB", "body_size_limit: \"10 MB\" is not a size"},
      {"sample_limit: -1", "sample_limit: \"-1\" is not a whole number"},
      {"metric_name_validation_scheme: utf8",
       "metric_name_validation_scheme: only the legacy naming scheme"},
      {"metric_name_escaping_scheme: allow-utf-8", "metric_name_escaping_scheme: only underscores"},
      {"scrape_native_histograms: true",
       "scrape_native_histograms: native histograms are not supported yet"},
      {"native_histogram_bucket_limit: 10",
       "native_histogram_bucket_limit: native histograms are not supported yet"},
      {"convert_classic_histograms_to_nhcb: true",
       "convert_classic_histograms_to_nhcb: native histograms"},
      {"scrape_failure_log_file: /x", "scrape_failure_log_file: not supported"},
      {"kubernetes_sd_configs: [{role: node}]",
       "kubernetes_sd_configs[0].role: role node is not supported"},
      {"dns_sd_configs: [{names: [a]}]", "dns_sd_configs: not supported; use file_sd_configs"},
      {"http_sd_configs: [{url: a}]", "http_sd_configs: not supported"},
      {"oauth2: {client_id: a}", "oauth2: not supported"},
      {"file_sd_configs: [{files: [a.txt]}]", "\"a.txt\" is not valid for file discovery"},
      {"file_sd_configs: [{files: ['*/a.json']}]", "\"*/a.json\" is not valid for file discovery"},
      {"file_sd_configs: [{files: ['a**.json']}]", "\"a**.json\" is not valid for file discovery"},
      {"file_sd_configs: [{files: []}]", "file discovery needs at least one file"},
      {"file_sd_configs: [{files: [a.json], refresh_interval: 0s}]",
       "refresh_interval: must be greater than 0"},
      {"relabel_configs: [{action: kep}]",
       "relabel_configs[0].action: unknown relabel action \"kep\""},
      {"relabel_configs: [{regex: '('}]",
       "relabel_configs[0]: relabel configuration for replace action requires"},
      {"relabel_configs: [{regex: '(', target_label: a}]",
       "relabel_configs[0]: invalid regex \"(\""},
      {"metric_relabel_configs: [{source_label: [a]}]", "did you mean \"source_labels\"?"},
      {"scrape_intervall: 5s",
       "f.yaml:6: scrape_configs[0]: unknown key \"scrape_intervall\"; did you mean"},
      {"headers: {a: b}", "did you mean \"http_headers\"?"},
  };
  for (const auto& row : rows) {
    EXPECT_THAT(ParseJob(row.field),
                StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(row.message)))
        << row.field;
  }
}

TEST(ScrapeJobConfigTest, AJobNeedsAName) {
  const auto config = ParseForwarderConfig(
      "gateway: {address: 'g:1', name: n}\nscrape_configs: [{}, {job_name: ''}]", "f.yaml", {});
  EXPECT_THAT(config, StatusIs(absl::StatusCode::kInvalidArgument,
                               HasSubstr("scrape_configs[0].job_name: job_name is empty")));
  EXPECT_THAT(config, StatusIs(absl::StatusCode::kInvalidArgument,
                               HasSubstr("scrape_configs[1].job_name: job_name is empty")));
}

TEST(ScrapeJobConfigTest, StaticTargetsAreAddressesUnlessRelabelled) {
  const std::string before = "gateway: {address: 'g:1', name: n}\nscrape_configs:\n- job_name: a\n";
  const std::string target = "  static_configs: [{targets: ['http://h:1/x']}]\n";
  EXPECT_THAT(ParseForwarderConfig(before + target, "f.yaml", {}),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("is not a valid hostname")));
  EXPECT_THAT(ParseForwarderConfig(
                  before + target + "  relabel_configs: [{target_label: a, replacement: b}]\n",
                  "f.yaml", {}),
              IsOk());
}

TEST(ScrapeJobConfigTest, RelabelTextsAreNotExpanded) {
  const auto config = ParseJob(
      "relabel_configs: [{source_labels: [a], regex: '(.*)${x}$$', target_label: '${1}', "
      "replacement: '${name}$$1'}, {source_labels: [b], regex: true, action: keep}]");
  ASSERT_THAT(config, IsOk());
  EXPECT_EQ(config->jobs[0].relabel_rules[0].regex, "(.*)${x}$$");
  EXPECT_EQ(config->jobs[0].relabel_rules[0].target_label, "${1}");
  EXPECT_EQ(config->jobs[0].relabel_rules[0].replacement, "${name}$$1");
  EXPECT_EQ(config->jobs[0].relabel_rules[1].regex, "true");
}

TEST(ScrapeJobConfigTest, IstiosRulesBringNoWarning) {
  const auto config = ParseJob(R"(relabel_configs:
  - {action: keep, regex: true, source_labels: [__meta_kubernetes_pod_annotation_prometheus_io_scrape]}
  - {action: replace, regex: (.+), source_labels: [__meta_kubernetes_pod_annotation_prometheus_io_path], target_label: __metrics_path__}
  - {action: replace, regex: '(\d+);((([0-9]+?)(\.|$)){4})', replacement: '$2:$1', source_labels: [__meta_kubernetes_pod_annotation_prometheus_io_port, __meta_kubernetes_pod_ip], target_label: __address__}
  - {action: labelmap, regex: __meta_kubernetes_pod_annotation_prometheus_io_param_(.+), replacement: __param_$1}
  - {action: labelmap, regex: __meta_kubernetes_pod_label_(.+)})");
  ASSERT_THAT(config, IsOk());
  EXPECT_THAT(config->warnings, IsEmpty());
}

TEST(ScrapeJobConfigTest, AJobWithoutTargetsIsWarnedOf) {
  const auto config = ParseForwarderConfig(
      "gateway: {address: 'g:1', name: n}\nscrape_configs: [{job_name: a}]", "f.yaml", {});
  ASSERT_THAT(config, IsOk());
  EXPECT_THAT(config->warnings,
              ElementsAre(HasSubstr("f.yaml:2: scrape_configs[0]: the job has no targets")));
}

}  // namespace
}  // namespace ampari
