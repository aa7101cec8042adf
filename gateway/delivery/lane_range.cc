#include "gateway/delivery/lane_range.h"

#include "common/runtime/check.h"

namespace ampari {

void CheckCounts(const Settlement& settlement, uint64_t items) {
  uint64_t counted = settlement.delivered + settlement.dropped + settlement.uncertain;
  for (const auto& [reason, count] : settlement.rejected) counted += count;
  for (const auto& [reason, count] : settlement.expired) counted += count;
  for (const AsideFrame& frame : settlement.aside) counted += frame.samples;
  Check(counted == items, "a range was settled with other counts than its frames have");
}

}  // namespace ampari
