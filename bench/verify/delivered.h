// Delivered: the samples that a receiver holds, by target, whatever receiver they were read from.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "bench/verify/body_reader.h"

namespace ampari::bench {

struct DeliveredSample {
  int64_t timestamp_ms = 0;
  uint64_t value_bits = 0;
};

// One target's series by canonical labels, samples in the order of time.
using DeliveredTarget = std::unordered_map<std::string, std::vector<DeliveredSample>>;

class Delivered {
 public:
  // Series without all of the labels `only` are somebody else's and passed over.
  explicit Delivered(LabelMap only = {}) : only_(std::move(only)) {}
  // A series' samples, in any number of calls; its instance label names the target.
  void Add(const std::string& canonical, const std::vector<DeliveredSample>& samples);
  // Empty for a target of which nothing arrived.
  const DeliveredTarget& target(const std::string& instance) const;

 private:
  const LabelMap only_;
  std::map<std::string, DeliveredTarget, std::less<>> targets_;
};

// From a Region's control port (GET /samples?format=compact).
absl::Status ReadRegion(const std::string& control_url, const std::string& tenant, Delivered* out);

// From a Prometheus: one range selector per instance, `window_s` seconds back from `until_ms` (0:
// now). Prometheus leaves out staleness markers.
absl::Status ReadPrometheus(const std::string& url, const std::vector<std::string>& instances,
                            int64_t window_s, int64_t until_ms, Delivered* out);

}  // namespace ampari::bench
