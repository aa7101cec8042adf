#include "gateway/destination_config.h"

#include <algorithm>
#include <iterator>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/config/http_client_block.h"
#include "common/config/relabel_block.h"
#include "common/labels/quote.h"

namespace ampari {
namespace {

constexpr char kTenantHeader[] = "X-Scope-OrgID";
constexpr char kDefaultName[] = "remote";
constexpr size_t kMaxDestinationName = 128;  // bytes

struct UnsupportedField {
  const char* key;
  const char* allowed;  // the value that means what is done here
  const char* why;
};
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

void RefuseUnsupported(MappingReader& block) {
  for (const UnsupportedField& field : kUnsupportedFields) {
    const YamlNode* value = block.Take(field.key);
    const bool allowed = value == nullptr ||
                         (value->kind == YamlNode::Kind::kScalar && value->text == field.allowed);
    if (!allowed) block.Unsupported(field.key, field.why);
  }
}

void RequirePositive(MappingReader& block, const char* key, bool positive) {
  if (!positive) block.Error(key, "must be greater than 0");
}

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

const HttpHeader* FindTenantHeader(const HttpClientOptions& http) {
  for (const HttpHeader& header : http.headers) {
    if (absl::EqualsIgnoreCase(header.name, kTenantHeader)) return &header;
  }
  return nullptr;
}

void ApplyTenantHeader(MappingReader& block, const std::string& tenant_id,
                       HttpClientOptions* http) {
  const HttpHeader* header = FindTenantHeader(*http);
  if (header == nullptr) {
    if (!tenant_id.empty()) http->headers.push_back({kTenantHeader, {tenant_id}, {}});
    return;
  }
  for (const std::string& value : header->values) {
    const std::string problem = TenantIdProblem(value);
    if (!problem.empty()) block.Error("headers", absl::StrCat(kTenantHeader, ": ", problem));
  }
}

void CheckHeaderNames(MappingReader& block, const HttpClientOptions& http) {
  for (size_t i = 0; i < http.headers.size(); ++i) {
    for (size_t j = 0; j < i; ++j) {
      if (absl::EqualsIgnoreCase(http.headers[i].name, http.headers[j].name)) {
        block.Error("headers",
                    absl::StrCat(Quoted(http.headers[i].name), " is given twice; keep one"));
      }
    }
  }
}

void ReadStart(MappingReader& block, RemoteWriteConfig* config) {
  std::string start = "end";
  block.Text("start", &start);
  if (start != "end" && start != "oldest") {
    block.Error("start", "use end (new samples only) or oldest (everything that is still stored)");
  }
  config->start_oldest = start == "oldest";
}

void WarnAboutTransport(MappingReader& block, const RemoteWriteConfig& config) {
  const bool credentials = config.http.has_basic_auth || !config.http.authorization_type.empty();
  if (credentials && absl::StartsWithIgnoreCase(config.url, "http://")) {
    block.Warning("url", "credentials travel in plaintext; use https");
  }
  if (config.http.tls.insecure_skip_verify) {
    block.Warning("tls_config", "insecure_skip_verify: the region's certificate is not checked");
  }
}

RemoteWriteConfig ReadRemoteWrite(MappingReader& block, const std::string& tenant_id) {
  RemoteWriteConfig config;
  block.Text("name", &config.name);
  if (config.name.size() > kMaxDestinationName) {
    block.Error("name", absl::StrCat("a name has at most ", kMaxDestinationName, " bytes"));
  }
  const bool has_url = block.Text("url", &config.url);
  if (!block.Has("url") || (has_url && config.url.empty())) {
    block.Error("url", "url for remote_write is empty; add url: https://host/api/v1/push");
  } else if (has_url) {
    CheckHttpUrl(block, "url", config.url);
  }
  config.http = ReadHttpClientOptions(block);
  ReadPlainHeaders(block, "headers", &config.http);
  CheckHeaderNames(block, config.http);
  ApplyTenantHeader(block, tenant_id, &config.http);
  block.Duration("remote_timeout", &config.remote_timeout);
  RequirePositive(block, "remote_timeout", config.remote_timeout > absl::ZeroDuration());
  config.queue = ReadQueue(block);
  config.metadata = ReadMetadata(block);
  config.write_relabel_rules = ReadRelabelRules(block, "write_relabel_configs");
  config.limits = ReadLimits(block);
  ReadStart(block, &config);
  block.Bool("send_frame_header", &config.send_frame_header);
  RefuseUnsupported(block);
  block.Finish();
  WarnAboutTransport(block, config);
  return config;
}

}  // namespace

std::vector<RemoteWriteConfig> ReadRemoteWrites(MappingReader& block,
                                                const std::string& tenant_id) {
  std::vector<RemoteWriteConfig> configs;
  std::vector<MappingReader> entries = block.Children("remote_write");
  for (MappingReader& entry : entries) {
    if (!entry.present()) continue;
    RemoteWriteConfig config = ReadRemoteWrite(entry, tenant_id);
    if (config.name.empty() && entries.size() > 1) {
      entry.Error("name",
                  "a name is needed where there are several destinations; it is their identity");
    } else if (config.name.empty()) {
      config.name = kDefaultName;
    }
    const bool known =
        std::any_of(configs.begin(), configs.end(),
                    [&](const RemoteWriteConfig& other) { return other.name == config.name; });
    if (known && !config.name.empty()) {
      entry.Error("name", absl::StrCat("found multiple remote_write entries with name ",
                                       Quoted(config.name), "; rename one"));
    }
    configs.push_back(std::move(config));
  }
  return configs;
}

}  // namespace ampari
