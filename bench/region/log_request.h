// Loki push requests as a strict receiver reads them: logproto.PushRequest (grafana/loki,
// pkg/push/push.proto), decompressed.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "bench/region/write_request.h"

namespace ampari::bench {

struct LogEntryView {
  int64_t time_ns = 0;
  std::string_view line;
  std::string_view bytes;  // all of the entry as sent: equal when time, line and metadata are
  size_t metadata_begin = 0, metadata_end = 0;  // in LogBatch::metadata
};

struct LogStreamView {
  std::string_view selector;
  size_t begin = 0, end = 0;  // in LogBatch::entries
};

// A whole request; views into its bytes.
struct LogBatch {
  std::vector<LogStreamView> streams;
  std::vector<LogEntryView> entries;
  std::vector<LabelView> metadata;
};

// InvalidArgument names the rule that is broken: unknown fields, a stream without labels or
// entries, a time that is none, a line or metadata that is not UTF-8.
absl::Status ReadLogRequest(std::string_view plain, LogBatch* batch);

using StreamLabels = std::map<std::string, std::string, std::less<>>;

// A stream's labels: {a="x", b="y"} with Go's quoting, as senders write it: names valid, sorted and
// unique, values not empty. InvalidArgument names the rule that is broken.
absl::StatusOr<StreamLabels> ParseSelector(std::string_view text);

}  // namespace ampari::bench
