// The effective configuration as YAML.
#include "common/config/http_client_block.h"
#include "common/config/yaml_writer.h"
#include "gateway/config.h"

namespace ampari {
namespace {

MappingWriter QueueBlock(const QueueConfig& queue) {
  MappingWriter block;
  block.Number("max_shards", queue.max_shards)
      .Number("max_samples_per_send", queue.max_samples_per_send)
      .Duration("batch_send_deadline", queue.batch_send_deadline)
      .Duration("min_backoff", queue.min_backoff)
      .Duration("max_backoff", queue.max_backoff)
      .Bool("retry_on_http_429", queue.retry_on_http_429)
      .Duration("sample_age_limit", queue.sample_age_limit);
  return block;
}

MappingWriter MetadataBlock(const MetadataConfig& metadata) {
  MappingWriter block;
  block.Bool("send", metadata.send).Duration("send_interval", metadata.send_interval);
  block.Number("max_samples_per_send", metadata.max_samples_per_send);
  return block;
}

MappingWriter LimitsBlock(const DestinationLimits& limits) {
  MappingWriter block;
  block.Number("max_label_names_per_series", limits.max_label_names_per_series)
      .Number("max_label_name_length", limits.max_label_name_length)
      .Number("max_label_value_length", limits.max_label_value_length);
  return block;
}

MappingWriter RemoteWriteBlock(const RemoteWriteConfig& config) {
  MappingWriter block;
  block.Text("name", config.name)
      .Text("url", RedactedUrl(config.url))
      .Duration("remote_timeout", config.remote_timeout)
      .HttpClient(config.http)
      .Child("queue_config", QueueBlock(config.queue))
      .Child("metadata_config", MetadataBlock(config.metadata))
      .RelabelRules("write_relabel_configs", config.write_relabel_rules)
      .Child("limits", LimitsBlock(config.limits))
      .Text("start", config.start_oldest ? "oldest" : "end")
      .Bool("send_frame_header", config.send_frame_header);
  return block;
}

MappingWriter LogLimitsBlock(const LogLimits& limits) {
  MappingWriter block;
  block.Size("max_line_size", limits.max_line_bytes)
      .Bool("max_line_size_truncate", limits.cut_long_lines)
      .Number("max_label_names_per_series", limits.max_label_names)
      .Number("max_label_name_length", limits.max_label_name_length)
      .Number("max_label_value_length", limits.max_label_value_length);
  return block;
}

MappingWriter LokiWriteBlock(const LokiWriteConfig& config) {
  MappingWriter block;
  block.Text("name", config.name)
      .Text("url", RedactedUrl(config.url))
      .Duration("remote_timeout", config.remote_timeout)
      .HttpClient(config.http)
      .Duration("batch_wait", config.batch_wait)
      .Size("batch_size", config.batch_bytes)
      .Duration("min_backoff_period", config.min_backoff)
      .Duration("max_backoff_period", config.max_backoff)
      .Number("max_in_flight", config.max_in_flight)
      .Number("max_streams_per_request", config.max_streams)
      .Child("limits", LogLimitsBlock(config.limits))
      .Text("start", config.start_oldest ? "oldest" : "end")
      .Bool("send_frame_header", config.send_frame_header);
  return block;
}

std::vector<MappingWriter> EntryBlocks(const GatewayConfig& config, const std::string& tenant) {
  std::vector<MappingWriter> blocks;
  for (const ForwarderEntry& entry : config.forwarders) {
    if (entry.tenant != tenant) continue;
    blocks.emplace_back()
        .Text("name", entry.name)
        .SecretOf("token", entry.token)
        .LabelSet("labels", entry.labels);
  }
  return blocks;
}

// What the short form holds at the top level and the long form in each tenant.
void WriteTenant(const GatewayConfig& config, const TenantConfig& tenant, MappingWriter* block) {
  std::vector<MappingWriter> remotes, lokis;
  for (const RemoteWriteConfig& remote : tenant.remote_write)
    remotes.push_back(RemoteWriteBlock(remote));
  for (const LokiWriteConfig& loki : tenant.loki_write) lokis.push_back(LokiWriteBlock(loki));
  block->Children("forwarders", EntryBlocks(config, tenant.id))
      .Children("remote_write", std::move(remotes))
      .Children("loki_write", std::move(lokis));
}

void WriteTenants(const GatewayConfig& config, MappingWriter* root) {
  if (config.tenants.size() == 1 && config.tenants[0].id.empty())
    return WriteTenant(config, config.tenants[0], root);
  std::vector<MappingWriter> tenants;
  for (const TenantConfig& tenant : config.tenants) {
    MappingWriter& block = tenants.emplace_back().Text("id", tenant.id);
    if (tenant.budget_bytes != 0) block.Size("budget", tenant.budget_bytes);
    WriteTenant(config, tenant, &block);
  }
  root->Children("tenants", std::move(tenants));
}

MappingWriter GrpcBlock(const GrpcConfig& config) {
  MappingWriter block, tls;
  tls.Text("cert_file", config.cert_file).Text("key_file", config.key_file);
  block.Text("listen_address", config.listen_address).Bool("insecure", config.insecure);
  block.Child("tls_config", std::move(tls));
  return block;
}

}  // namespace

std::string PrintGatewayConfig(const GatewayConfig& config) {
  MappingWriter root, global, storage, http, log;
  global.LabelSet("external_labels", config.external_labels);
  storage.Text("directory", config.storage.directory)
      .Size("max_bytes", config.storage.max_bytes)
      .Duration("max_age", config.storage.max_age);
  http.Text("listen_address", config.http_listen_address).SecretOf("token", config.http_token);
  log.Text("level", config.log_level);
  root.Child("global", std::move(global))
      .Child("storage", std::move(storage))
      .Child("grpc", GrpcBlock(config.grpc))
      .Child("http", std::move(http))
      .Child("log", std::move(log));
  WriteTenants(config, &root);
  return root.ToYaml();
}

}  // namespace ampari
