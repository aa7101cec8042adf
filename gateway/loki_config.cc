// Reads one entry of loki_write; fields as Alloy's loki.write endpoint, limits as Loki's
// limits_config.
#include <limits>

#include "absl/strings/str_cat.h"
#include "common/labels/quote.h"
#include "gateway/destination_config.h"
#include "gateway/destination_fields.h"

namespace ampari {
namespace {

constexpr char kDefaultName[] = "loki";
constexpr uint64_t kMaxBatchBytes = uint64_t{16} << 20;
constexpr UnsupportedField kUnsupportedFields[] = {
    {"max_backoff_retries", "0", "lines are kept and tried again as long as max_age; remove it"},
    {"retry_on_http_429", "true", "429 is always tried again; remove it"},
    {"queue_config", "", "the queue is on disk; remove it"},
};

void ReadTenantId(MappingReader& block, std::string* tenant_id) {
  if (!block.Text("tenant_id", tenant_id)) return;
  const std::string problem = TenantIdProblem(*tenant_id);
  if (!problem.empty()) block.Error("tenant_id", problem);
}

void ReadBackoff(MappingReader& block, LokiWriteConfig* config) {
  block.Duration("min_backoff_period", &config->min_backoff);
  block.Duration("max_backoff_period", &config->max_backoff);
  RequirePositive(block, "min_backoff_period", config->min_backoff > absl::ZeroDuration());
  if (config->min_backoff > config->max_backoff)
    block.Error("min_backoff_period", "must not be greater than max_backoff_period");
}

LogLimits ReadLimits(MappingReader& destination) {
  LogLimits limits;
  uint64_t line_bytes = 0;
  MappingReader block = destination.Child("limits");
  block.Size("max_line_size", &line_bytes);
  block.Bool("max_line_size_truncate", &limits.cut_long_lines);
  block.Unsigned("max_label_names_per_series", &limits.max_label_names);
  block.Unsigned("max_label_name_length", &limits.max_label_name_length);
  block.Unsigned("max_label_value_length", &limits.max_label_value_length);
  block.Finish();
  if (line_bytes > std::numeric_limits<uint32_t>::max()) {
    block.Error("max_line_size", "must be less than 4GiB");
  } else {
    limits.max_line_bytes = static_cast<uint32_t>(line_bytes);
  }
  if (limits.cut_long_lines && line_bytes == 0)
    block.Error("max_line_size_truncate", "there is nothing to cut to; add max_line_size: 256KiB");
  return limits;
}

LokiWriteConfig ReadLokiWrite(MappingReader& block, const std::string& default_tenant) {
  LokiWriteConfig config;
  std::string tenant_id = default_tenant;
  ReadName(block, &config.name);
  ReadUrl(block, "loki_write", "https://host/loki/api/v1/push", &config.url);
  ReadTenantId(block, &tenant_id);
  config.http = ReadTransport(block, tenant_id);
  block.Duration("remote_timeout", &config.remote_timeout);
  RequirePositive(block, "remote_timeout", config.remote_timeout > absl::ZeroDuration());
  block.Duration("batch_wait", &config.batch_wait);
  block.Size("batch_size", &config.batch_bytes);
  if (config.batch_bytes == 0 || config.batch_bytes > kMaxBatchBytes)
    block.Error("batch_size", "must be greater than 0 and at most 16MiB");
  ReadBackoff(block, &config);
  block.Unsigned("max_in_flight", &config.max_in_flight);
  RequirePositive(block, "max_in_flight", config.max_in_flight > 0);
  block.Unsigned("max_streams_per_request", &config.max_streams);
  config.limits = ReadLimits(block);
  config.start_oldest = ReadStartOldest(block, "lines");
  block.Bool("send_frame_header", &config.send_frame_header);
  for (const UnsupportedField& field : kUnsupportedFields) RefuseUnsupported(block, field);
  block.Finish();
  WarnAboutTransport(block, config.url, config.http);
  return config;
}

}  // namespace

std::vector<LokiWriteConfig> ReadLokiWrites(MappingReader& block, const std::string& tenant_id) {
  return ReadDestinations(block, "loki_write", kDefaultName, tenant_id, ReadLokiWrite);
}

}  // namespace ampari
