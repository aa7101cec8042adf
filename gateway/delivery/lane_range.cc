#include "gateway/delivery/lane_range.h"

#include <algorithm>

#include "common/runtime/check.h"

namespace ampari {

void ParkRequest(uint64_t sequence, const Attempt& attempt, const std::string& words,
                 Settlement& settlement) {
  auto parked =
      std::find_if(settlement.aside.begin(), settlement.aside.end(),
                   [](const AsideFrame& frame) { return frame.reason == AsideReason::kParked; });
  if (parked == settlement.aside.end()) {
    parked = settlement.aside.insert(parked, {sequence, AsideReason::kParked, 0, words, {}});
  }
  parked->samples += attempt.items;
  parked->requests.push_back(*attempt.body);
}

void CheckCounts(const Settlement& settlement, uint64_t items) {
  uint64_t counted = settlement.delivered + settlement.dropped + settlement.uncertain;
  for (const auto& [reason, count] : settlement.rejected) counted += count;
  for (const auto& [reason, count] : settlement.expired) counted += count;
  for (const AsideFrame& frame : settlement.aside) counted += frame.samples;
  Check(counted == items, "a range was settled with other counts than its frames have");
}

}  // namespace ampari
