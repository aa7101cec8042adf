// Target and ScrapeJob: what discovery and relabelling produce and the scraper consumes. Plain
// values.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "common/config/http_client_options.h"
#include "common/labels/labels.h"
#include "common/relabel/relabel.h"

namespace ampari {

enum class ScrapeProtocol : uint8_t { kText004, kText100, kOpenMetrics001, kOpenMetrics100 };

// One scrape_config after validation, names and defaults as in Prometheus 3; 0 means no limit.
// Immutable, shared.
struct ScrapeJob {
  std::string job_name;
  absl::Duration scrape_interval = absl::Minutes(1);
  absl::Duration scrape_timeout = absl::Seconds(10);
  std::string metrics_path = "/metrics";
  std::string scheme = "http";
  std::vector<std::pair<std::string, std::vector<std::string>>> params;  // sorted by name
  bool honor_labels = false;
  bool honor_timestamps = true;
  bool track_timestamps_staleness = false;
  bool enable_compression = false;  // differs from Prometheus on purpose
  bool extra_scrape_metrics = false;
  std::vector<ScrapeProtocol> scrape_protocols;  // in order of preference
  bool has_fallback_protocol = false;
  ScrapeProtocol fallback_protocol = ScrapeProtocol::kText004;
  uint64_t body_size_limit = 0;  // bytes, uncompressed
  uint64_t sample_limit = 0;
  uint64_t label_limit = 0;
  uint64_t label_name_length_limit = 0;   // bytes
  uint64_t label_value_length_limit = 0;  // bytes
  uint64_t target_limit = 0;
  uint64_t keep_dropped_targets = 0;
  Relabeler relabel;
  Relabeler metric_relabel;
  HttpClientOptions http;  // credentials, TLS, headers, redirects
};

// One thing to scrape. `id` is equal for equal (labels, URL): targets are deduplicated by it.
struct Target {
  std::shared_ptr<const ScrapeJob> job;
  Labels labels;             // what its samples carry (no name beginning with __)
  Labels internal_labels;    // with the names beginning with __, after relabelling
  Labels discovered_labels;  // before relabelling
  std::string url;
  std::string id;
  absl::Duration interval;
  absl::Duration timeout;
};

// What relabelling dropped, for /targets.
struct DroppedTarget {
  std::string job_name;
  Labels discovered_labels;
  std::string reason;
};

// The whole of what should be scraped now; replaces the set before it.
struct TargetSet {
  std::vector<Target> targets;
  std::vector<DroppedTarget> dropped;  // at most keep_dropped_targets a job, else 1,000
  uint64_t dropped_total = 0;
};

}  // namespace ampari
