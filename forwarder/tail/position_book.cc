#include "forwarder/tail/position_book.h"

#include <utility>

namespace ampari {

void PositionBook::TakeOver(const LogDirections& directions, absl::Time now) {
  round_ = directions.round;
  if (directions.all) {
    told_ = true;
    first_contact_ = now - directions.producer_age;
    absl::erase_if(positions_, [](const auto& entry) { return !entry.second.used; });
    for (auto& [key, booked] : positions_) booked.known = false;
  }
  for (const FileStart& start : directions.files) {
    const auto key = FileKeyFromBytes(start.key);
    if (!key) continue;
    BookedPosition& booked = positions_[*key];
    booked.at = start.from;
    booked.known = start.known;
  }
}

const BookedPosition* PositionBook::Find(const FileKey& key) const {
  const auto found = positions_.find(key);
  return found == positions_.end() ? nullptr : &found->second;
}

void PositionBook::Begin(const FileKey& key, const LogPosition& at) {
  positions_[key] = BookedPosition{at, false, true, false, {}};
}

void PositionBook::Use(const FileKey& key) {
  const auto found = positions_.find(key);
  if (found == positions_.end()) return;
  found->second.used = true;
  found->second.gone_at.reset();
}

void PositionBook::Leave(const FileKey& key) {
  const auto found = positions_.find(key);
  if (found == positions_.end()) return;
  found->second.used = false;
  found->second.used_lately = true;
}

void PositionBook::Pushed(const FileKey& key, const LogPosition& upto) {
  positions_[key] = BookedPosition{upto, true, true, false, {}};
}

void PositionBook::Lose(const FileKey& key, absl::Duration now) {
  const auto found = positions_.find(key);
  if (found == positions_.end()) return;
  Leave(key);
  found->second.gone_at = now;
  gone_.emplace_back(now, key);
}

std::vector<FileKey> PositionBook::TakeGone(absl::Duration now) {
  std::vector<FileKey> gone;
  while (!gone_.empty() && (now - gone_.front().first >= kKeepGone ||
                            positions_.size() > kCrowded || gone_.size() > kCrowded)) {
    const auto [since, key] = gone_.front();
    gone_.pop_front();
    const auto found = positions_.find(key);
    if (found == positions_.end() || found->second.gone_at != since) continue;
    positions_.erase(found);
    gone.push_back(key);
  }
  return gone;
}

std::vector<FileKey> PositionBook::TakeUnused() {
  std::vector<FileKey> unused;
  for (auto& [key, booked] : positions_) {
    const bool lately = std::exchange(booked.used_lately, false);
    if (!booked.used && !lately) unused.push_back(key);
  }
  for (const FileKey& key : unused) positions_.erase(key);
  return unused;
}

}  // namespace ampari
