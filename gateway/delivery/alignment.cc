#include "gateway/delivery/alignment.h"

#include <algorithm>

namespace ampari {
namespace {

bool Old(const LaneStand& lane, int64_t now_ms) {
  return lane.origin_ms && *lane.origin_ms < now_ms - kAlignmentWindowMs;
}

}  // namespace

void Alignment::Update(const std::array<LaneStand, kLanes>& lanes, int64_t now_ms) {
  int active = 0, live = 0;
  for (const LaneStand& lane : lanes) {
    if (!lane.origin_ms) continue;
    ++active;
    live += Old(lane, now_ms) ? 0 : 1;
  }
  slowest_.reset();
  for (uint32_t i = 0; i < kLanes; ++i) {
    const bool old = Old(lanes[i], now_ms);
    const bool alone = old && live * 2 >= active - 1 && live > 0;
    out_[i] = old && (out_[i] || alone || !lanes[i].healthy);
    if (!lanes[i].healthy) out_[i] = true;
    if (out_[i] || !lanes[i].origin_ms) continue;
    slowest_ = std::min(slowest_.value_or(*lanes[i].origin_ms), *lanes[i].origin_ms);
  }
}

bool Alignment::May(uint32_t lane, int64_t origin_ms) const {
  return out_[lane] || !slowest_ || origin_ms <= *slowest_ + kAlignmentWindowMs;
}

}  // namespace ampari
