// The effective configuration as YAML.
#include "common/config/yaml_writer.h"
#include "forwarder/config.h"
#include "forwarder/job_sources_config.h"
#include "forwarder/log_job_config.h"
#include "forwarder/scrape_job_config.h"

namespace ampari {
namespace {

void WriteLimits(const ScrapeJob& job, MappingWriter* block) {
  if (job.body_size_limit != 0) block->Size("body_size_limit", job.body_size_limit);
  const auto limit = [block](const char* key, uint64_t value) {
    if (value != 0) block->Number(key, value);
  };
  limit("sample_limit", job.sample_limit);
  limit("label_limit", job.label_limit);
  limit("label_name_length_limit", job.label_name_length_limit);
  limit("label_value_length_limit", job.label_value_length_limit);
  limit("target_limit", job.target_limit);
  limit("keep_dropped_targets", job.keep_dropped_targets);
}

MappingWriter JobBlock(const ScrapeJobConfig& config) {
  const ScrapeJob& job = *config.job;
  MappingWriter block, params;
  for (const auto& [name, values] : job.params) params.Texts(name, values);
  std::vector<std::string> protocols;
  for (const ScrapeProtocol protocol : job.scrape_protocols)
    protocols.push_back(ScrapeProtocolName(protocol));
  block.Text("job_name", job.job_name)
      .Duration("scrape_interval", job.scrape_interval)
      .Duration("scrape_timeout", job.scrape_timeout)
      .Text("metrics_path", job.metrics_path)
      .Text("scheme", job.scheme)
      .Child("params", std::move(params))
      .Bool("honor_labels", job.honor_labels)
      .Bool("honor_timestamps", job.honor_timestamps)
      .Bool("track_timestamps_staleness", job.track_timestamps_staleness)
      .Bool("enable_compression", job.enable_compression)
      .Bool("extra_scrape_metrics", job.extra_scrape_metrics)
      .Texts("scrape_protocols", protocols);
  if (job.has_fallback_protocol)
    block.Text("fallback_scrape_protocol", ScrapeProtocolName(job.fallback_protocol));
  WriteLimits(job, &block);
  block.HttpClient(job.http);
  WriteJobSources(config, &block);
  block.RelabelRules("relabel_configs", config.relabel_rules);
  block.RelabelRules("metric_relabel_configs", config.metric_relabel_rules);
  return block;
}

MappingWriter GatewayBlock(const GatewayClientConfig& config) {
  MappingWriter block;
  block.Texts("addresses", config.addresses)
      .Text("name", config.name)
      .Bool("insecure", config.insecure);
  block.SecretOf("token", config.token)
      .Tls("tls_config", config.tls)
      .Size("ring_bytes", config.ring_bytes)
      .Size("log_ring_bytes", config.log_ring_bytes);
  return block;
}

}  // namespace

std::string PrintForwarderConfig(const ForwarderConfig& config) {
  MappingWriter root, global, http, log;
  global.LabelSet("external_labels", config.external_labels);
  std::vector<MappingWriter> jobs;
  for (const ScrapeJobConfig& job : config.jobs) jobs.push_back(JobBlock(job));
  http.Text("listen_address", config.http_listen_address).SecretOf("token", config.http_token);
  log.Text("level", config.log_level);
  root.Child("global", std::move(global))
      .Children("scrape_configs", std::move(jobs))
      .Children("log_configs", LogJobBlocks(config.log_jobs))
      .WrittenText("kubernetes_node", config.kubernetes_node)
      .Child("gateway", GatewayBlock(config.gateway))
      .Child("http", std::move(http))
      .Child("log", std::move(log));
  return root.ToYaml();
}

}  // namespace ampari
