// What delivery hands back to the store. Plain values.
#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "gateway/store/record.h"

namespace ampari {

struct DestinationId {
  std::string tenant;
  Signal signal = Signal::kMetrics;
  std::string name;
  friend auto operator<=>(const DestinationId&, const DestinationId&) = default;
};

struct DeadLetter {
  uint64_t sequence = 0;  // of the queue
  uint64_t samples = 0;
  int http_status = 0;
  std::string series;    // the label set, or the first of them, bounded
  std::string response;  // the region's words, bounded
};

enum class AsideReason : uint8_t { kQuarantined = 1, kTooOld = 2, kParked = 3 };

struct AsideFrame {
  uint64_t sequence = 0;
  AsideReason reason = AsideReason::kQuarantined;
  uint64_t samples = 0;  // that stay pending
  std::string words;     // why, for people
  // Encoded requests that hold exactly what is set aside, of this frame and perhaps the lane's next
  // ones; empty: the whole frame is.
  std::vector<std::string> requests = {};
};

// What became of the frames [from, upto) of one lane at one destination. Their items are exactly
// delivered + rejected + dropped + uncertain + set aside (a count that differs is a bug and is
// refused).
struct Settlement {
  DestinationId destination;
  uint32_t lane = 0;
  uint64_t from = 0;  // the lane's cursor when the frames were claimed
  uint64_t upto = 0;  // the new cursor: queue sequence after the last settled frame of the lane
  uint64_t delivered = 0;
  std::map<std::string, uint64_t> rejected;  // by reason
  std::map<std::string, uint64_t> expired;   // by reason; sample_age_limit
  uint64_t dropped = 0;                      // write_relabel_configs
  uint64_t uncertain = 0;
  std::vector<DeadLetter> dead_letters;
  std::vector<AsideFrame> aside;
  // Highest frame sequence settled here per instance.
  std::vector<std::pair<InstanceNumber, uint64_t>> settled;
};

struct LaneState {
  uint64_t cursor = 0;  // durable: every frame of the lane below is settled
  // The lane's frames [cursor, merged_upto) were perhaps sent as one merged range that was composed
  // under that generation; 0: none.
  uint64_t merged_upto = 0;
  uint64_t merged_generation = 0;
};

}  // namespace ampari
