// GatewayConfig: gateway.yaml as validated values.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/config/http_client_options.h"
#include "common/labels/labels.h"
#include "common/relabel/relabel.h"

namespace ampari {

struct StorageConfig {
  std::string directory;
  uint64_t max_bytes = uint64_t{50} << 30;  // at least 512 MiB
  absl::Duration max_age = absl::Hours(72);
};

struct GrpcConfig {
  std::string listen_address = "127.0.0.1:4750";
  bool insecure = false;
  std::string cert_file, key_file;  // re-read when they change
};

// A named entry: the identity of whoever connects with one of its tokens.
struct ForwarderEntry {
  std::string name;
  Secret token;   // a token file may hold two tokens on two lines, old and new
  Labels labels;  // enforced; they override
  std::string tenant;
};

// remote_write's queue_config: Prometheus' names. capacity and min_shards are accepted and have no
// effect here.
struct QueueConfig {
  uint32_t max_shards = 50;  // requests in flight of the destination
  uint32_t max_samples_per_send = 2000;
  absl::Duration batch_send_deadline = absl::Seconds(5);
  absl::Duration min_backoff = absl::Milliseconds(30);
  absl::Duration max_backoff = absl::Seconds(5);
  bool retry_on_http_429 = true;                           // Prometheus: false
  absl::Duration sample_age_limit = absl::ZeroDuration();  // 0: none
};

struct MetadataConfig {
  bool send = true;
  absl::Duration send_interval = absl::Minutes(1);
  uint32_t max_samples_per_send = 2000;
};

// Limits of the region, 0 means off.
struct DestinationLimits {
  uint32_t max_label_names_per_series = 0;
  uint32_t max_label_name_length = 0;   // bytes
  uint32_t max_label_value_length = 0;  // bytes
};

struct RemoteWriteConfig {
  std::string name;
  std::string url;
  HttpClientOptions http;
  absl::Duration remote_timeout = absl::Seconds(30);
  QueueConfig queue;
  MetadataConfig metadata;
  std::vector<RelabelRule> write_relabel_rules;  // as written; part of the generation
  DestinationLimits limits;
  bool start_oldest =
      false;  // a new destination begins with the oldest stored frame instead of the end
  bool send_frame_header =
      false;  // diagnosis: X-Ampari-Frames: queue, lane, first and last sequence
};

// Limits of a Loki-like region, enforced before sending; 0 means off.
struct LogLimits {
  uint32_t max_line_bytes = 0;
  bool cut_long_lines = false;  // else they are refused
  uint32_t max_label_names = 0;
  uint32_t max_label_name_length = 0;   // bytes
  uint32_t max_label_value_length = 0;  // bytes
  friend bool operator==(const LogLimits&, const LogLimits&) = default;
};

// One entry of loki_write: names as in Alloy's loki.write endpoint.
struct LokiWriteConfig {
  std::string name;
  std::string url;
  HttpClientOptions http;
  absl::Duration remote_timeout = absl::Seconds(10);
  absl::Duration batch_wait = absl::Seconds(1);
  uint64_t batch_bytes = uint64_t{1} << 20;  // of lines and metadata
  absl::Duration min_backoff = absl::Milliseconds(500);
  absl::Duration max_backoff = absl::Minutes(5);
  uint32_t max_in_flight = 16;  // requests
  uint32_t max_streams = 0;     // of one request; 0: as many as a Loki tells the truth about
  LogLimits limits;
  bool start_oldest = false;
  bool send_frame_header = false;
};

struct TenantConfig {
  std::string id;             // empty: the one tenant of the short form
  uint64_t budget_bytes = 0;  // 0: its share is what the disk has
  std::vector<RemoteWriteConfig> remote_write;
  std::vector<LokiWriteConfig> loki_write;
};

struct GatewayConfig {
  StorageConfig storage;
  GrpcConfig grpc;
  std::string http_listen_address = "127.0.0.1:4751";
  Secret http_token;  // for what changes state over HTTP from elsewhere than loopback
  Labels external_labels;
  std::vector<ForwarderEntry> forwarders;  // empty: loopback only, everyone is entry "default"
  std::vector<TenantConfig> tenants;       // the short form gives exactly one
  std::string log_level = "info";
  std::vector<std::string> warnings;  // loads, but may not do what it seems to
};

// All errors of the file at once, each `file:line: what, where and what to do`, joined by newlines,
// as InvalidArgument.
// ${ENV} expands; an unset variable is an error.
absl::StatusOr<GatewayConfig> LoadGatewayConfig(const std::string& file);
absl::StatusOr<GatewayConfig> ParseGatewayConfig(const std::string& yaml,
                                                 const std::string& file_name);
// The effective configuration as YAML, every secret as <secret>.
std::string PrintGatewayConfig(const GatewayConfig& config);

}  // namespace ampari
