// Alignment: no lane runs more than 30 minutes of origin time ahead of the slowest healthy one,
// because receivers refuse samples, and above all new series, that are older than their head
// allows. Pure.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "gateway/store/record.h"

namespace ampari {

inline constexpr int64_t kAlignmentWindowMs = int64_t{30} * 60 * 1000;

struct LaneStand {
  // Origin stamp of the next unsettled frame, or of the oldest frame that its connected forwarders
  // announce; nullopt: the lane has nothing and nobody.
  std::optional<int64_t> origin_ms;
  bool healthy = true;
};

// Thread-compatible. All times are milliseconds of the persisted clock.
class Alignment {
 public:
  // Takes where all lanes stand now.
  void Update(const std::array<LaneStand, kLanes>& lanes, int64_t now_ms);
  // Whether the lane may send a frame of that origin.
  bool May(uint32_t lane, int64_t origin_ms) const;
  bool left_out(uint32_t lane) const { return out_[lane]; }
  // The slowest lane that is aligned with; nullopt: none.
  std::optional<int64_t> slowest_ms() const { return slowest_; }

 private:
  // A lane is left out when it is unhealthy, or fell behind alone: it is over 30 minutes old while
  // at least half of the others are not. It comes back when it is within 30 minutes by itself.
  std::array<bool, kLanes> out_ = {};
  std::optional<int64_t> slowest_;
};

}  // namespace ampari
