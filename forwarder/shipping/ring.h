// Ring: the frames of one instance that may still have to be sent, in the order of their sequences.
//
// Frames stay after their acknowledgement, until the space is needed, so that a gateway that lost
// its disk can be answered. Space is made in this order: the oldest acknowledged frames go (the
// settled ones are the oldest of them); then the oldest frames that were never sent on the living
// stream become a gap: the sequence and the count stay, the bytes go. Frames sent and not
// acknowledged are never touched, as the gateway may have them.
//
// Pure bookkeeping: no thread, no clock. Not thread-safe.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>

#include "absl/time/time.h"

namespace ampari {

enum class GapReason : uint8_t { kRingFull = 1, kOversize = 2, kMalformed = 3 };  // as in v1::Gap

struct RingEntry {
  std::shared_ptr<const std::string> frame;  // null: expired, only its count is left
  uint64_t samples = 0;
  absl::Duration enqueued;  // monotonic
  GapReason reason = GapReason::kRingFull;
};

// What becomes of frames that are not acknowledged when the ring is full.
enum class RingFull {
  kExpire,  // the oldest that were not sent become a gap
  kKeep     // nothing; whoever pushes looks at unacknowledged_bytes() first
};

class Ring {
 public:
  // `max_bytes` bounds frames and bookkeeping together; frames in flight may exceed it.
  explicit Ring(size_t max_bytes, RingFull full = RingFull::kExpire)
      : max_bytes_(max_bytes), full_(full) {}

  // Told of acknowledged frames that go for want of room, while they are still there.
  void set_on_crowded_out(std::function<void(uint64_t sequence)> tell) {
    on_crowded_out_ = std::move(tell);
  }

  // Sequences in the ring are [first(), next()), contiguous; all below first() are acknowledged.
  uint64_t first() const { return next_ - entries_.size(); }
  uint64_t next() const { return next_; }
  uint64_t last() const { return next_ - 1; }
  uint64_t acknowledged() const { return acknowledged_; }
  uint64_t settled() const { return settled_; }
  const RingEntry& At(uint64_t sequence) const { return entries_[sequence - first()]; }
  // Lowest sequence whose frame is here; next() when there is none.
  uint64_t first_frame() const;
  size_t bytes() const { return bytes_; }
  uint64_t frames() const { return frames_; }
  // Of the frames here that are not acknowledged.
  uint64_t samples() const { return samples_; }
  size_t unacknowledged_bytes() const { return unacknowledged_bytes_; }
  // Of gaps: those whose acknowledgement came as an acknowledgement, and those that wait.
  uint64_t expired_frames() const { return expired_frames_; }
  uint64_t expired_samples() const { return expired_samples_; }

  // Adds the frame numbered next(). `now` never decreases. After kMaxEntries expired frames in a
  // row its samples are added to the last gap, and it takes no number.
  void Push(std::string frame, uint64_t samples, absl::Duration now);
  // Frames in (acknowledged, upto] were sent on the living stream. 0: there is none.
  void Protect(uint64_t upto);
  // Both only move forward here, and never beyond last().
  void Acknowledge(uint64_t upto);
  void Settle(uint64_t upto);
  // The gateway has only what is up to `mark`: what follows is to be sent again, as far as it is
  // here.
  void RollBack(uint64_t mark);
  // Turns a frame that the gateway will not take into a gap.
  void Expire(uint64_t sequence, GapReason reason);
  // Forgets the frames from `from` on, which is not acknowledged; their numbers are free again.
  void Truncate(uint64_t from);
  // A new instance: forgets everything up to `upto` and numbers the rest from 1. Returns how much
  // each number fell.
  uint64_t Renumber(uint64_t upto);

  static constexpr size_t kMaxEntries = size_t{1} << 20;  // 12 days of one frame a second

 private:
  void MakeRoom();
  void PopFront();
  size_t Size(const RingEntry& entry) const;

  const size_t max_bytes_;
  const RingFull full_;
  std::function<void(uint64_t)> on_crowded_out_;
  std::deque<RingEntry> entries_;
  uint64_t next_ = 1;
  uint64_t acknowledged_ = 0, settled_ = 0, protected_ = 0;
  uint64_t next_expiry_ =
      1;  // everything between acknowledged_ and here that is not protected is expired
  size_t bytes_ = 0, unacknowledged_bytes_ = 0;
  uint64_t frames_ = 0, samples_ = 0;
  uint64_t expired_frames_ = 0, expired_samples_ = 0;
};

}  // namespace ampari
