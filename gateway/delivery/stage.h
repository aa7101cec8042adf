// Stage: samples whose requests may be in flight together, since no series is in two of them.
// StageComposer cuts the frames of a range into stages, and merges scrapes of one layout into
// several samples per series where it may. Pure.
#pragma once

#include <cstdint>
#include <map>
#include <tuple>
#include <utility>
#include <vector>

#include "gateway/delivery/decoded_frame.h"
#include "gateway/remote_write/request_plan.h"

namespace ampari {

using Stage = std::vector<SampleGroup>;

enum class Merging : uint8_t { kOff, kOn };

// Thread-compatible.
class StageComposer {
 public:
  // `max_columns`: samples of one series in one request.
  StageComposer(Merging merging, size_t max_columns)
      : merging_(merging), max_columns_(max_columns) {}

  // Frames come in the lane's order.
  void Add(DecodedFrame frame);
  std::vector<Stage> Finish();

 private:
  using GroupKey = std::pair<InstanceNumber, uint64_t>;

  bool Joins(const SampleGroup& group, const DecodedColumn& column) const;
  bool Overlaps(InstanceNumber instance, const SeriesRangeList& ranges) const;
  void AddColumn(InstanceNumber instance, DecodedColumn column);
  void Cut();

  const Merging merging_;
  const size_t max_columns_;
  std::vector<Stage> done_;
  Stage stage_;
  std::map<GroupKey, size_t> groups_;  // dense groups of stage_
  std::map<std::pair<InstanceNumber, uint64_t>, uint64_t>
      taken_;  // series of stage_: (instance, first) -> upto
  bool previous_is_new_ = false;
};

}  // namespace ampari
