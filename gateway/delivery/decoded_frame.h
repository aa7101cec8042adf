// FrameReader: from a stored frame to columns of samples with their rendered layouts. Values are
// decoded here and nowhere else in the gateway.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/frame/frame.h"
#include "gateway/layouts/layout_cache.h"
#include "gateway/remote_write/sample_column.h"
#include "gateway/store/record.h"

namespace ampari {

using SeriesRangeList = std::vector<std::pair<uint64_t, uint64_t>>;  // sorted [first, upto)

struct DecodedColumn {
  uint64_t layout_number = 0;
  std::shared_ptr<const RenderedLayout> layout;
  SampleColumn column;
  SeriesRangeList own_ranges;  // of a sparse column: the series that it holds
  bool begins_scrape = false;

  const SeriesRangeList& ranges() const {
    return column.sparse ? own_ranges : layout->series_ranges;
  }
};

struct DecodedFrame {
  uint64_t sequence = 0;  // of the queue
  InstanceNumber instance = 0;
  std::vector<DecodedColumn> columns;
  std::vector<FamilyMetadata> metadata;
};

inline constexpr size_t kMaxFrameRawBytes = size_t{256} << 20;

// Not thread-safe. `layouts` must outlive it.
class FrameReader {
 public:
  explicit FrameReader(LayoutCache& layouts) : layouts_(layouts) {}

  // DataLoss, NotFound (a layout), Unimplemented as FrameDecoder; DataLoss too when the samples are
  // not as many as the record's header says. Anything else may pass by itself.
  absl::StatusOr<DecodedFrame> Read(const Record& record, const RenderRules& rules);

 private:
  class Layouts;

  absl::Status AddScrape(Scrape scrape, const Layouts& layouts, DecodedFrame& out);

  LayoutCache& layouts_;
  FrameDecoder decoder_;
};

}  // namespace ampari
