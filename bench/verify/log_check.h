// Every line that simulated containers wrote against every line that a region holds.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "bench/mesh/written_log.h"

namespace ampari::bench {

// One stream of a region, in the order of arrival.
struct DeliveredStream {
  struct Line {
    int64_t time_ns = 0;
    uint64_t hash = 0;  // XXH3-64 of the text
  };
  std::string namespace_name, pod, container;
  std::string selector;  // for people
  std::vector<Line> lines;
};

// Which labels of a stream tell its container. Streams without all of `only` are somebody else's
// and passed over.
struct LogLabelNames {
  std::string namespace_name = "namespace", pod = "pod", container = "container";
  std::map<std::string, std::string> only;
};

struct DeliveredLogs {
  std::vector<DeliveredStream> streams;
  uint64_t doubles = 0;  // lines that the region was sent in two frames
};

// From a Region's control port: GET /line_hashes and /report.
absl::StatusOr<DeliveredLogs> ReadRegionLogs(const std::string& control_url,
                                             const std::string& tenant, const LogLabelNames& names);

struct LogVerifyCounts {
  static constexpr size_t kMaxExamples = 20;

  uint64_t written = 0, delivered = 0, verified = 0;
  uint64_t missing = 0;           // their files are still there
  uint64_t missing_gone = 0;      // their files were removed
  uint64_t missing_dangling = 0;  // lines without an end
  uint64_t doubled = 0;
  uint64_t wrong_time = 0;    // the text was written, at another time
  uint64_t unknown = 0;       // never written
  uint64_t out_of_order = 0;  // came after a later line of its container in its stream
  std::vector<std::string> examples;

  std::string ToJson() const;
};

LogVerifyCounts VerifyLogs(const std::vector<WrittenContainer>& written,
                           const DeliveredLogs& delivered);

}  // namespace ampari::bench
