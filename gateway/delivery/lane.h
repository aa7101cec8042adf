// Lane: where one of the 64 lanes stands in the delivery of one destination. A plain value,
// confined to the loop's thread.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <set>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "common/frame/frame.h"
#include "common/runtime/backoff.h"
#include "gateway/delivery/lane_health.h"
#include "gateway/delivery/lane_range.h"
#include "gateway/store/record.h"

namespace ampari {

inline constexpr uint32_t kMaxFramesAhead = 16;       // of the durable cursor
inline constexpr size_t kBufferedBytes = 256u << 10;  // read ahead per lane, besides the last frame
inline constexpr size_t kRememberedInstances = 1024;  // per lane

// Frames whose composition is stored with the cursor, so that it is the same after a stop, or is on
// its way there.
struct IntendedRange {
  static constexpr uint64_t kUnmerged = 0;

  uint64_t upto = 0;                // queue sequence after the last of them
  uint64_t generation = kUnmerged;  // what composes them the same; kUnmerged: each by itself
};

struct Lane {
  uint32_t number = 0;
  // Frames that were read and not yet taken into a range, and the first queue sequence not looked
  // at.
  std::deque<RecordPtr> buffer;
  size_t buffer_bytes = 0;
  uint64_t next_read = 0;
  // Bytes before compression that a range is made of when there are so many, and how many the
  // buffer has; 0: a range does not wait, and nothing is counted.
  uint64_t batch_bytes = 0, buffer_raw_bytes = 0;

  uint64_t cursor = 0;            // all of the lane below was handed to the store as settled
  std::deque<uint32_t> settling;  // frames of each settlement that is not durable yet
  uint32_t frames_ahead = 0;      // their sum and those of `range`
  uint32_t range_frames = 0;
  uint64_t range_items = 0;
  int64_t range_origin_ms = 0;  // of the range's first frame
  std::unique_ptr<LaneRange> range;
  IntendedRange intended;    // of `range`, or of frames that an earlier one has attempted
  bool intending = false;    // `intended` is not durable yet: nothing of `range` is sent
  bool give_up_due = false;  // `range` is composed anew once nothing of it is in flight
  uint32_t attempted_left =
      kMaxFramesAhead;           // unsettled frames that may have been sent before the last stop
  uint64_t attempted_below = 0;  // so may frames below: their range was given up
  std::set<InstanceNumber> instances;  // seen here: a new one begins a range of its own

  Backoff backoff;            // after timeouts and 5xx
  absl::Duration not_before;  // monotonic
  LaneHealth health;
  uint32_t blind_halvings = 0;  // of `range`

  bool ReadyToSend() const { return range != nullptr && !intending && range->ready(); }
  // The next frames were attempted as one merged range, and some of them are still to be read.
  bool AwaitsIntended() const {
    return intended.upto > cursor && intended.generation != IntendedRange::kUnmerged &&
           range == nullptr && next_read < intended.upto && buffer.size() < kMaxFramesAhead;
  }
  bool HasRoom() const {
    return buffer.empty() || AwaitsIntended() ||
           (buffer.size() < kMaxFramesAhead && buffer_bytes < kBufferedBytes);
  }
  bool Hungry() const {
    return AwaitsIntended() || (HasRoom() && (buffer.size() < 2 || buffer_raw_bytes < batch_bytes));
  }
  // A range of its frames need not wait for more.
  bool Full() const { return buffer_raw_bytes >= batch_bytes || !HasRoom(); }
  void PushBack(RecordPtr record) {
    buffer_bytes += record->frame.size();
    buffer_raw_bytes += RawBytes(*record);
    buffer.push_back(std::move(record));
  }
  void PopFront() {
    buffer_bytes -= buffer.front()->frame.size();
    buffer_raw_bytes -= RawBytes(*buffer.front());
    buffer.pop_front();
  }
  void ClearBuffer() {
    buffer.clear();
    buffer_bytes = buffer_raw_bytes = 0;
  }
  // 0 where nothing is counted, and of bytes that are no frame.
  uint64_t RawBytes(const Record& record) const {
    if (batch_bytes == 0) return 0;
    const absl::StatusOr<FrameHeader> header = ParseFrameHeader(record.frame);
    return header.ok() ? header->raw_bytes : 0;
  }
};

using Lanes = std::vector<Lane>;  // kLanes of them

}  // namespace ampari
