// What a BodyPass is told before a body, and what it counts. Plain values.
#pragma once

#include <cstddef>
#include <cstdint>

namespace ampari {

// Counted as Prometheus counts them; they keep what was reached when the body turns out bad.
struct BodyCounts {
  uint64_t scraped = 0, post_relabel = 0, added = 0;
  uint64_t duplicates = 0, out_of_order = 0, out_of_bounds = 0, exemplars = 0;
  uint64_t predicted = 0, looked_up = 0, parsed = 0;
};

// What a pass needs to know beforehand.
struct BodyPassRules {
  bool open_metrics = false;
  bool honor_timestamps = true;
  bool track_timestamps = false;  // explicit timestamps do not exempt from staleness
  uint64_t sample_limit = 0;      // 0: none
  size_t max_samples = 0;         // what could never fit a frame
  uint32_t scrape = 0;            // its count, larger than that of every scrape before
  uint32_t cached_since = 0;      // series seen in or after this scrape are in Prometheus' cache
  int64_t timestamp_ms = 0;
  int64_t last_good_ms = 0;  // when series without timestamps were last stored
};

// Texts are keyed per format, because the formats accept different ones: this is mixed into those
// of OpenMetrics.
inline constexpr uint64_t kOpenMetricsKey = 0x9e3779b97f4a7c15;

}  // namespace ampari
