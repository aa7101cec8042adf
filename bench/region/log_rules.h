// What a Loki-like receiver refuses (grafana/loki, pkg/validation/limits.go and
// pkg/ingester/stream.go); the values are its defaults where it has them on. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "bench/region/log_request.h"

namespace ampari::bench {

// 0: no such limit.
struct LogRules {
  int64_t max_line_bytes = 256 << 10;
  int64_t max_label_names = 15;  // service_name not counted
  int64_t max_label_name_bytes = 1024;
  int64_t max_label_value_bytes = 2048;
  int64_t max_metadata_entries = 128;     // of a line
  int64_t max_metadata_bytes = 64 << 10;  // of a line, names and values
  int64_t far_behind_window_s = 3600;     // older than the stream's newest line less this
  int64_t max_age_s = 0;                  // older than now less this
  int64_t max_ahead_s = 0;                // newer than now and this
  int64_t max_streams = 0;                // of a tenant: lines of later ones get 429
  int64_t rate_bytes = 0;         // a second, of lines and metadata; a request above gets 429 whole
  int64_t stream_rate_bytes = 0;  // a second, of one stream's lines: those above get 429
  // As Loki's ingester (pkg/ingester/instance.go, Push): what it refuses of a stream (too far
  // behind, too many streams, their rates) is told only if it was the request's last one; else the
  // answer is as if it had been stored.
  bool forgetful = true;
  std::string reject_line;  // lines that contain this are refused
};

// One setting by its name above; false when there is none of that name or the value is unusable.
bool SetLogRule(std::string_view name, std::string_view value, LogRules* rules);

// Why all lines of a stream are refused, or empty.
std::string StreamRefusal(const StreamLabels& labels, const LogRules& rules);

// Why a line is refused, or empty.
std::string LineRefusal(const LogBatch& batch, const LogEntryView& entry, int64_t now_ns,
                        const LogRules& rules);

// Older than the stream allows; `newest_ns`: of the stream, 0 before its first line.
bool IsFarBehind(const LogEntryView& entry, int64_t newest_ns, const LogRules& rules);

// What may still come at a rate, with a burst of so many seconds of it.
class RateBucket {
 public:
  // False, and nothing is taken, when it is too much. A rate of 0 allows everything.
  bool Take(size_t bytes, int64_t rate_bytes, double burst_s, int64_t now_ns);

 private:
  double left_ = 0;
  int64_t at_ns_ = 0;
};

// Bytes that count against rates: line and metadata.
size_t CountedBytes(const LogBatch& batch, const LogEntryView& entry);

// The status in an access line of Istio's default text or JSON format ("0" for TCP), or empty.
std::string_view ResponseCode(std::string_view line);

}  // namespace ampari::bench
