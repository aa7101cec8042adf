// Remote write 1.0 requests as a strict receiver reads them
// (https://prometheus.io/docs/specs/prw/remote_write_spec/).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace ampari::bench {

inline constexpr size_t kMaxPlainBytes = size_t{128} << 20;  // of one request after decompression

struct SampleView {
  int64_t timestamp_ms = 0;
  uint64_t value_bits = 0;
};

// One TimeSeries. `label_bytes` are its label fields as sent, the key of a cache; views into the
// request.
struct SeriesView {
  std::string_view label_bytes;
  std::vector<SampleView> samples;
};

struct MetadataView {
  uint64_t type = 0;
  std::string_view family, help, unit;
};

struct LabelView {
  std::string_view name, value;
};

// Snappy block format. InvalidArgument when it is not, or would be larger than kMaxPlainBytes
// (nothing is allocated then).
absl::Status DecompressRequest(std::string_view body, std::string* plain);

// Reads a request series by series, so that one of any size needs no memory of its own.
class WriteRequestReader {
 public:
  explicit WriteRequestReader(std::string_view plain);

  // False at the end or when malformed. After true exactly one of series and metadata was filled.
  bool Next();
  bool has_series() const { return has_series_; }
  const SeriesView& series() const { return series_; }
  const MetadataView& metadata() const { return metadata_; }
  // Why it ended: OK at the end of the request.
  const absl::Status& status() const { return status_; }

 private:
  bool ReadSeries(std::string_view message);
  bool ReadMetadata(std::string_view message);
  bool Malformed(const char* why);

  std::string_view rest_;
  SeriesView series_;
  MetadataView metadata_;
  bool has_series_ = false;
  absl::Status status_;
};

// The labels of SeriesView::label_bytes; InvalidArgument names the rule they break: sorted, unique,
// no empty name or value, valid names, valid UTF-8, a metric name.
absl::StatusOr<std::vector<LabelView>> ReadLabels(std::string_view label_bytes);

// {__name__="x",a="b"}; backslash, quote, newline and tab are escaped.
std::string CanonicalLabels(const std::vector<LabelView>& labels);

}  // namespace ampari::bench
