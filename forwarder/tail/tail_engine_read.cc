// The second half of a step: reading in turns, pushing, and what is told to the shipper.
#include <algorithm>
#include <iterator>
#include <utility>

#include "forwarder/tail/tail_engine.h"

namespace ampari {

// A directory's turn. False: there is no room.
bool TailEngine::TakeTurn(DirectoryFollower& follower) {
  return follower.Turn() != TurnEnd::kFull || Push();
}

void TailEngine::ReadInTurns() {
  const bool was_blocked = std::exchange(blocked_, !options_.has_room());
  if (blocked_ || followers_.empty()) return MeasureAll();
  for (auto& [path, follower] : followers_) {
    if (was_blocked) follower->GoOn();
  }
  auto at = followers_.lower_bound(next_turn_);
  size_t turns = kStepBytes / DirectoryFollower::kTurnBytes;
  for (size_t seen = 0; seen < followers_.size(); ++seen) {
    if (at == followers_.end()) at = followers_.begin();
    DirectoryFollower& follower = *at->second;
    ++at;
    if (!follower.turn_due()) continue;
    next_turn_ = at == followers_.end() ? std::string() : at->first;
    if (!TakeTurn(follower)) return;
    // Quick ones, of files that had little to say, do not count.
    if (follower.turn_due() && --turns == 0) return;
  }
}

void TailEngine::MeasureAll() {
  for (auto& [path, follower] : followers_) {
    if (follower->turn_due()) follower->Measure();
  }
}

// False: there is no room, or what was read is of an older round.
bool TailEngine::Push() {
  blocked_ = !options_.has_room();
  if (blocked_) return false;
  const bool pushed = scope_.flush.Push(options_.push);
  if (pushed) return true;
  ++scope_.totals.rereads;
  for (auto& [path, follower] : followers_) {
    follower->LookSoon();
    follower->ReadSoon();
  }
  return false;
}

void TailEngine::PushIfDue() {
  if (scope_.flush.empty()) return;
  const bool full = scope_.flush.collector().raw_bytes() >= options_.flush_bytes;
  if (full || scope_.now - scope_.flush.since() >= options_.flush_interval) (void)Push();
}

void TailEngine::TellRetired() {
  if (!scope_.retired.empty()) options_.retire(std::exchange(scope_.retired, {}));
}

// Nobody else sees the space that deleted files take while they are open.
void TailEngine::BoundHeldFiles() {
  if (scope_.now < held_at_) return;
  held_at_ = scope_.now + absl::Seconds(1);
  uint64_t held = 0;
  for (const auto& [path, follower] : followers_) {
    for (const auto& [name, sequence] : follower->sequences()) held += sequence.files->held_bytes();
  }
  while (held > kMaxHeldBytes) {
    LogSequence* largest = nullptr;
    for (const auto& [path, follower] : followers_) {
      for (const auto& [name, sequence] : follower->sequences()) {
        const bool larger =
            largest == nullptr || sequence.files->held_bytes() > largest->held_bytes();
        if (larger) largest = sequence.files.get();
      }
    }
    const uint64_t before = largest == nullptr ? 0 : largest->held_bytes();
    if (largest == nullptr || !largest->GiveUpOldestHeld()) return;
    held -= before - largest->held_bytes();
  }
}

void TailEngine::RetireUnused() {
  for (const FileKey& key : scope_.book.TakeGone(scope_.now)) {
    scope_.retired.emplace_back(key.view());
  }
  if (scope_.now < unused_at_) return;
  unused_at_ = scope_.now + kRetireUnusedAfter;
  for (const FileKey& key : scope_.book.TakeUnused()) scope_.retired.emplace_back(key.view());
}

absl::Duration TailEngine::NextStep() const {
  absl::Duration due = std::min(find_at_, scope_.now + DirectoryFollower::kMaxPoll);
  for (const auto& [path, follower] : followers_) due = std::min(due, follower->due());
  if (!scope_.flush.empty() && !blocked_) {
    due = std::min(due, scope_.flush.since() + options_.flush_interval);
  }
  const absl::Duration wait = std::max(due - scope_.now, absl::ZeroDuration());
  return blocked_ ? std::max(wait, DirectoryFollower::kMinPoll) : wait;
}

}  // namespace ampari
