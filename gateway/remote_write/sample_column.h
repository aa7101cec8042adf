// SampleColumn: the samples that one scrape brings for one layout, as positions in that layout;
// ColumnCursor walks them.
#pragma once

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

#include "common/frame/scrape.h"

namespace ampari {

struct SampleColumn {
  uint64_t record = 0;  // queue sequence of its frame
  int64_t timestamp_ms = 0;
  bool sparse = false;              // `positions` are those with a sample; else those without
  bool stale = false;               // every sample is a staleness marker; `values` is empty
  std::vector<uint32_t> positions;  // ascending
  std::vector<uint64_t> values;     // bits, one per sample in order of positions
  std::vector<PositionTimestamp> timestamps;  // samples with a timestamp of their own, ascending

  // `layout_size`: positions of its layout.
  uint64_t samples(uint32_t layout_size) const {
    return sparse ? positions.size() : layout_size - positions.size();
  }
};

// Walks a column's samples in order of positions. The column must outlive it.
class ColumnCursor {
 public:
  struct Sample {
    uint64_t bits = 0;
    int64_t timestamp_ms = 0;
    bool own_timestamp = false;
  };

  // Starts at `first`, which Take() is then called with, and with every following position, one by
  // one.
  ColumnCursor(const SampleColumn& column, uint32_t first) : column_(&column) {
    const auto& listed = column.positions;
    listed_ =
        static_cast<size_t>(std::lower_bound(listed.begin(), listed.end(), first) - listed.begin());
    value_ = column.sparse ? listed_ : first - listed_;
    while (time_ < column.timestamps.size() && column.timestamps[time_].position < first) ++time_;
  }

  // True, with *sample, when the position has a sample.
  bool Take(uint32_t position, Sample* sample) {
    const bool listed =
        listed_ < column_->positions.size() && column_->positions[listed_] == position;
    listed_ += listed ? 1 : 0;
    if (listed != column_->sparse) return false;
    sample->bits = column_->stale ? kStaleNanBits : column_->values[value_];
    ++value_;
    sample->own_timestamp =
        time_ < column_->timestamps.size() && column_->timestamps[time_].position == position;
    sample->timestamp_ms =
        sample->own_timestamp ? column_->timestamps[time_++].timestamp_ms : column_->timestamp_ms;
    return true;
  }

 private:
  const SampleColumn* column_;
  size_t listed_ = 0, value_ = 0, time_ = 0;
};

}  // namespace ampari
