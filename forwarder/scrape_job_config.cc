#include "forwarder/scrape_job_config.h"

#include <algorithm>
#include <iterator>

#include "absl/strings/str_cat.h"
#include "common/config/http_client_block.h"
#include "common/labels/quote.h"
#include "forwarder/job_sources_config.h"

namespace ampari {
namespace {

struct ProtocolName {
  const char* name;
  ScrapeProtocol protocol;
};
// In Prometheus' order of preference.
constexpr ProtocolName kProtocols[] = {{"OpenMetricsText1.0.0", ScrapeProtocol::kOpenMetrics100},
                                       {"OpenMetricsText0.0.1", ScrapeProtocol::kOpenMetrics001},
                                       {"PrometheusText1.0.0", ScrapeProtocol::kText100},
                                       {"PrometheusText0.0.4", ScrapeProtocol::kText004}};

std::optional<ScrapeProtocol> CheckedProtocol(MappingReader& block, const char* key,
                                              const std::string& name) {
  const std::optional<ScrapeProtocol> protocol = ScrapeProtocolOf(name);
  if (name == "PrometheusProto") {
    block.Unsupported(key, "PrometheusProto is not supported, text is scraped; remove it");
  } else if (!protocol) {
    block.Error(
        key, absl::StrCat("unknown scrape protocol ", Quoted(name), "; use PrometheusText0.0.4, ",
                          "PrometheusText1.0.0, OpenMetricsText0.0.1 or OpenMetricsText1.0.0"));
  }
  return protocol;
}

void ReadProtocols(MappingReader& block, std::vector<ScrapeProtocol>* out) {
  constexpr char kKey[] = "scrape_protocols";
  if (!block.Has(kKey)) return;
  std::vector<std::string> names;
  block.Texts(kKey, &names);
  if (names.empty()) block.Error(kKey, "scrape_protocols cannot be empty; name one or remove it");
  out->clear();
  for (const std::string& name : names) {
    const std::optional<ScrapeProtocol> protocol = CheckedProtocol(block, kKey, name);
    if (!protocol) continue;
    if (std::find(out->begin(), out->end(), *protocol) != out->end()) {
      block.Error(kKey, absl::StrCat(Quoted(name), " is given twice; keep one"));
    }
    out->push_back(*protocol);
  }
}

void ReadFallbackProtocol(MappingReader& block, ScrapeJob* job) {
  std::string name;
  block.Text("fallback_scrape_protocol", &name);
  if (name.empty()) return;
  const std::optional<ScrapeProtocol> protocol =
      CheckedProtocol(block, "fallback_scrape_protocol", name);
  if (!protocol) return;
  job->has_fallback_protocol = true;
  job->fallback_protocol = *protocol;
}

// Limits that `global` and a job spell alike. 0 takes the default.
template <typename Limits>
void ReadLimits(MappingReader& block, const ScrapeDefaults& defaults, Limits* out) {
  const auto count = [&](const char* key, uint64_t fallback, uint64_t* limit) {
    *limit = 0;
    block.Unsigned(key, limit);
    if (*limit == 0) *limit = fallback;
  };
  out->body_size_limit = 0;
  block.Size("body_size_limit", &out->body_size_limit);
  if (out->body_size_limit == 0) out->body_size_limit = defaults.body_size_limit;
  count("sample_limit", defaults.sample_limit, &out->sample_limit);
  count("label_limit", defaults.label_limit, &out->label_limit);
  count("label_name_length_limit", defaults.label_name_length_limit, &out->label_name_length_limit);
  count("label_value_length_limit", defaults.label_value_length_limit,
        &out->label_value_length_limit);
  count("target_limit", defaults.target_limit, &out->target_limit);
  count("keep_dropped_targets", defaults.keep_dropped_targets, &out->keep_dropped_targets);
}

void ReadTimes(MappingReader& block, const ScrapeDefaults& defaults, ScrapeJob* job) {
  absl::Duration interval, timeout;
  block.Duration("scrape_interval", &interval);
  block.Duration("scrape_timeout", &timeout);
  job->scrape_interval = interval > absl::ZeroDuration() ? interval : defaults.scrape_interval;
  if (timeout > job->scrape_interval) {
    block.Error("scrape_timeout",
                "scrape timeout greater than scrape interval; lower it or raise scrape_interval");
  }
  job->scrape_timeout = timeout > absl::ZeroDuration()
                            ? timeout
                            : std::min(defaults.scrape_timeout, job->scrape_interval);
}

void ReadRequest(MappingReader& block, ScrapeJob* job) {
  block.Text("metrics_path", &job->metrics_path);
  block.Text("scheme", &job->scheme);
  if (job->scheme != "http" && job->scheme != "https") block.Error("scheme", "use http or https");
  job->params = block.TextLists("params");
  std::sort(job->params.begin(), job->params.end());
  block.Bool("enable_compression", &job->enable_compression);
  ReadFallbackProtocol(block, job);
  job->http = ReadHttpClientOptions(block);
}

}  // namespace

std::optional<ScrapeProtocol> ScrapeProtocolOf(const std::string& name) {
  for (const ProtocolName& known : kProtocols) {
    if (name == known.name) return known.protocol;
  }
  return std::nullopt;
}

std::string ScrapeProtocolName(ScrapeProtocol protocol) {
  for (const ProtocolName& known : kProtocols) {
    if (protocol == known.protocol) return known.name;
  }
  return "";
}

ScrapeDefaults ReadScrapeDefaults(MappingReader& global) {
  ScrapeDefaults defaults;
  absl::Duration interval, timeout;
  global.Duration("scrape_interval", &interval);
  global.Duration("scrape_timeout", &timeout);
  if (interval > absl::ZeroDuration()) defaults.scrape_interval = interval;
  if (timeout > defaults.scrape_interval) {
    global.Error("scrape_timeout", "global scrape timeout greater than scrape interval; lower it");
  }
  defaults.scrape_timeout = timeout > absl::ZeroDuration()
                                ? timeout
                                : std::min(defaults.scrape_timeout, defaults.scrape_interval);
  for (const ProtocolName& known : kProtocols) defaults.scrape_protocols.push_back(known.protocol);
  ReadProtocols(global, &defaults.scrape_protocols);
  global.Bool("extra_scrape_metrics", &defaults.extra_scrape_metrics);
  ReadLimits(global, ScrapeDefaults(), &defaults);
  RefuseUnsupportedFields(global);
  return defaults;
}

ScrapeJobConfig ReadScrapeJob(MappingReader& block, const ScrapeDefaults& defaults) {
  ScrapeJobConfig config;
  auto job = std::make_shared<ScrapeJob>();
  block.Text("job_name", &job->job_name);
  if (job->job_name.empty())
    block.Error("job_name", "job_name is empty; every scrape_config needs one");
  ReadTimes(block, defaults, job.get());
  ReadRequest(block, job.get());
  block.Bool("honor_labels", &job->honor_labels);
  block.Bool("honor_timestamps", &job->honor_timestamps);
  block.Bool("track_timestamps_staleness", &job->track_timestamps_staleness);
  job->extra_scrape_metrics = defaults.extra_scrape_metrics;
  block.Bool("extra_scrape_metrics", &job->extra_scrape_metrics);
  job->scrape_protocols = defaults.scrape_protocols;
  ReadProtocols(block, &job->scrape_protocols);
  ReadLimits(block, defaults, job.get());
  job->relabel = ReadRelabeler(block, "relabel_configs", &config.relabel_rules);
  job->metric_relabel =
      ReadRelabeler(block, "metric_relabel_configs", &config.metric_relabel_rules);
  ReadJobSources(
      block, config.relabel_rules.empty() ? StaticTargets::kAddresses : StaticTargets::kRelabelled,
      &config);
  RefuseUnsupportedFields(block);
  block.Finish();
  config.job = std::move(job);
  return config;
}

}  // namespace ampari
