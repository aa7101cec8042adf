#include "gateway/destination_config.h"

#include "common/config/relabel_block.h"
#include "gateway/destination_fields.h"

namespace ampari {
namespace {

constexpr char kDefaultName[] = "remote";

constexpr UnsupportedField kUnsupportedFields[] = {
    {"protobuf_message", "prometheus.WriteRequest",
     "only prometheus.WriteRequest (remote write 1.0) is supported yet"},
    {"send_exemplars", "false", "exemplars are not supported yet; remove it"},
    {"send_native_histograms", "false", "native histograms are not supported yet; remove it"},
    {"round_robin_dns", "false", "not supported; remove it"},
    {"sigv4", "", "not supported; use authorization or basic_auth"},
    {"azuread", "", "not supported; use authorization or basic_auth"},
    {"google_iam", "", "not supported; use authorization or basic_auth"},
};

QueueConfig ReadQueue(MappingReader& destination) {
  QueueConfig queue;
  uint32_t capacity = 10000, min_shards = 1;  // without effect here: the queue is on disk
  MappingReader block = destination.Child("queue_config");
  block.Unsigned("capacity", &capacity);
  block.Unsigned("max_shards", &queue.max_shards);
  block.Unsigned("min_shards", &min_shards);
  block.Unsigned("max_samples_per_send", &queue.max_samples_per_send);
  block.Duration("batch_send_deadline", &queue.batch_send_deadline);
  block.Duration("min_backoff", &queue.min_backoff);
  block.Duration("max_backoff", &queue.max_backoff);
  block.Bool("retry_on_http_429", &queue.retry_on_http_429);
  block.Duration("sample_age_limit", &queue.sample_age_limit);
  block.Finish();
  RequirePositive(block, "max_shards", queue.max_shards > 0);
  RequirePositive(block, "max_samples_per_send", queue.max_samples_per_send > 0);
  RequirePositive(block, "min_backoff", queue.min_backoff > absl::ZeroDuration());
  if (min_shards > queue.max_shards)
    block.Error("min_shards", "must not be greater than max_shards");
  if (queue.min_backoff > queue.max_backoff)
    block.Error("min_backoff", "must not be greater than max_backoff");
  return queue;
}

MetadataConfig ReadMetadata(MappingReader& destination) {
  MetadataConfig metadata;
  MappingReader block = destination.Child("metadata_config");
  block.Bool("send", &metadata.send);
  block.Duration("send_interval", &metadata.send_interval);
  block.Unsigned("max_samples_per_send", &metadata.max_samples_per_send);
  block.Finish();
  RequirePositive(block, "send_interval", metadata.send_interval > absl::ZeroDuration());
  RequirePositive(block, "max_samples_per_send", metadata.max_samples_per_send > 0);
  return metadata;
}

DestinationLimits ReadLimits(MappingReader& destination) {
  DestinationLimits limits;
  MappingReader block = destination.Child("limits");
  block.Unsigned("max_label_names_per_series", &limits.max_label_names_per_series);
  block.Unsigned("max_label_name_length", &limits.max_label_name_length);
  block.Unsigned("max_label_value_length", &limits.max_label_value_length);
  block.Finish();
  return limits;
}

RemoteWriteConfig ReadRemoteWrite(MappingReader& block, const std::string& tenant_id) {
  RemoteWriteConfig config;
  ReadName(block, &config.name);
  ReadUrl(block, "remote_write", "https://host/api/v1/push", &config.url);
  config.http = ReadTransport(block, tenant_id);
  block.Duration("remote_timeout", &config.remote_timeout);
  RequirePositive(block, "remote_timeout", config.remote_timeout > absl::ZeroDuration());
  config.queue = ReadQueue(block);
  config.metadata = ReadMetadata(block);
  config.write_relabel_rules = ReadRelabelRules(block, "write_relabel_configs");
  config.limits = ReadLimits(block);
  config.start_oldest = ReadStartOldest(block, "samples");
  block.Bool("send_frame_header", &config.send_frame_header);
  for (const UnsupportedField& field : kUnsupportedFields) RefuseUnsupported(block, field);
  block.Finish();
  WarnAboutTransport(block, config.url, config.http);
  return config;
}

}  // namespace

std::vector<RemoteWriteConfig> ReadRemoteWrites(MappingReader& block,
                                                const std::string& tenant_id) {
  return ReadDestinations(block, "remote_write", kDefaultName, tenant_id, ReadRemoteWrite);
}

}  // namespace ampari
