// Settling: applies what delivery made of a lane's frames: cursor, ledger, dead letters, frames set
// aside, within a commit.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "gateway/store/commit.h"

namespace ampari {

inline constexpr size_t kMaxDeadLetterText = 4096;  // bytes of a label set, or of an answer

struct PendingSettlement {
  Settlement settlement;
  std::function<void()> done;
};

struct PendingIntent {
  DestinationId destination;
  uint32_t lane = 0;
  uint64_t from = 0, upto = 0, generation = 0;
  std::function<void()> done;
};

// After the settlements of the same batch. One that does not begin at the lane's cursor is a bug:
// it is refused with an alarm, and `done` is never called.
void IntendRange(Commit& commit, PendingIntent& pending);

// A settlement whose counts differ from the frames it covers is a bug: it is refused with an alarm,
// and `done` is never called. One that is already durable (after the store was reopened) is only
// answered.
void SettleLane(Commit& commit, PendingSettlement& pending);

// Sums of what is stored of one lane in [from, upto).
struct LaneScan {
  FrameSum present;
  FrameSum running;  // the lane's running sums after the last of them
  bool any = false;
};
absl::StatusOr<LaneScan> ScanLane(const Database& database, const QueueRecord& queue, uint32_t lane,
                                  uint64_t from, uint64_t upto);

}  // namespace ampari
