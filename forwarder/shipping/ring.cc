#include "forwarder/shipping/ring.h"

#include <algorithm>

#include "common/frame/frame.h"
#include "common/runtime/check.h"

namespace ampari {

size_t Ring::Size(const RingEntry& entry) const {
  return sizeof(RingEntry) + (entry.frame == nullptr ? 0 : entry.frame->size());
}

uint64_t Ring::first_frame() const {
  if (frames_ == 0) return next_;
  // Gaps lie between frames in flight and newer ones: without the former, next_expiry_ is behind
  // them.
  const uint64_t begin =
      protected_ < first() && acknowledged_ < first() ? std::max(first(), next_expiry_) : first();
  for (uint64_t sequence = begin; sequence < next_; ++sequence) {
    if (At(sequence).frame != nullptr) return sequence;
  }
  return next_;
}

void Ring::Push(std::string frame, uint64_t samples, absl::Duration now) {
  if (entries_.size() >= kMaxEntries && entries_.back().frame == nullptr) {
    entries_.back().samples += samples;
    expired_samples_ += samples;
    return;
  }
  entries_.push_back({std::make_shared<const std::string>(std::move(frame)), samples, now});
  ++next_;
  ++frames_;
  samples_ += samples;
  bytes_ += Size(entries_.back());
  unacknowledged_bytes_ += entries_.back().frame->size();
  MakeRoom();
}

void Ring::Protect(uint64_t upto) {
  if (upto < protected_) next_expiry_ = acknowledged_ + 1;
  protected_ = upto;
}

void Ring::PopFront() {
  const RingEntry& entry = entries_.front();
  bytes_ -= Size(entry);
  if (entry.frame != nullptr) --frames_;
  entries_.pop_front();
}

void Ring::MakeRoom() {
  while (bytes_ > max_bytes_) {
    if (!entries_.empty() && first() <= acknowledged_) {
      if (on_crowded_out_) on_crowded_out_(first());
      PopFront();
      continue;
    }
    if (full_ == RingFull::kKeep) return;
    next_expiry_ = std::max({next_expiry_, acknowledged_ + 1, protected_ + 1});
    while (next_expiry_ < next_ && At(next_expiry_).frame == nullptr) ++next_expiry_;
    if (next_expiry_ >= next_) return;  // everything is in flight
    Expire(next_expiry_, GapReason::kRingFull);
  }
}

void Ring::Expire(uint64_t sequence, GapReason reason) {
  Check(sequence > acknowledged_ && sequence < next_, "only what waits can expire");
  RingEntry& entry = entries_[sequence - first()];
  if (entry.frame == nullptr) return;
  bytes_ -= entry.frame->size();
  unacknowledged_bytes_ -= entry.frame->size();
  entry.frame = nullptr;
  entry.reason = reason;
  --frames_;
  samples_ -= entry.samples;
  ++expired_frames_;
  expired_samples_ += entry.samples;
}

void Ring::Acknowledge(uint64_t upto) {
  upto = std::min(upto, last());
  for (uint64_t sequence = std::max(acknowledged_ + 1, first()); sequence <= upto; ++sequence) {
    const RingEntry& entry = At(sequence);
    if (entry.frame == nullptr) continue;
    samples_ -= entry.samples;
    unacknowledged_bytes_ -= entry.frame->size();
  }
  acknowledged_ = std::max(acknowledged_, upto);
  while (!entries_.empty() && first() <= acknowledged_ && entries_.front().frame == nullptr)
    PopFront();
}

void Ring::Settle(uint64_t upto) { settled_ = std::max(settled_, std::min(upto, acknowledged_)); }

void Ring::RollBack(uint64_t mark) {
  const uint64_t floor = std::max(mark, first() - 1);
  for (uint64_t sequence = floor + 1; sequence <= acknowledged_; ++sequence) {
    const RingEntry& entry = At(sequence);
    if (entry.frame == nullptr) continue;
    samples_ += entry.samples;
    unacknowledged_bytes_ += entry.frame->size();
  }
  acknowledged_ = std::min(acknowledged_, floor);
  settled_ = std::min(settled_, acknowledged_);
  next_expiry_ = acknowledged_ + 1;
}

void Ring::Truncate(uint64_t from) {
  Check(from > acknowledged_, "what is acknowledged is not forgotten by its number");
  while (next_ > from) {
    const RingEntry& entry = entries_.back();
    bytes_ -= Size(entry);
    if (entry.frame != nullptr) {
      --frames_;
      samples_ -= entry.samples;
      unacknowledged_bytes_ -= entry.frame->size();
    }
    entries_.pop_back();
    --next_;
  }
  protected_ = std::min(protected_, last());
  next_expiry_ = std::min(next_expiry_, next_);
}

uint64_t Ring::Renumber(uint64_t upto) {
  upto = std::min(upto, last());
  Acknowledge(upto);
  while (!entries_.empty() && first() <= upto) PopFront();
  const uint64_t fall = first() - 1;
  next_ -= fall;
  acknowledged_ = settled_ = protected_ = 0;
  next_expiry_ = 1;
  samples_ = unacknowledged_bytes_ = 0;
  uint64_t sequence = 1;
  for (RingEntry& entry : entries_) {
    if (entry.frame != nullptr) {
      samples_ += entry.samples;
      entry.frame = std::make_shared<const std::string>(WithSequence(*entry.frame, sequence));
      unacknowledged_bytes_ += entry.frame->size();
    }
    ++sequence;
  }
  return fall;
}

}  // namespace ampari
