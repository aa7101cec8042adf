#include "forwarder/shipping/log_retirements.h"

#include <algorithm>
#include <utility>

namespace ampari {

void LogRetirements::PopFront() {
  keys_.erase(entries_.front().key);
  entries_.pop_front();
  if (told_ > 0) --told_;
}

void LogRetirements::Add(std::vector<std::string> keys, uint64_t after) {
  for (std::string& key : keys) {
    if (key.size() != kLogFileKeyBytes) continue;
    Cancel(key);
    keys_.insert(key);
    entries_.push_back({std::move(key), after});
    if (entries_.size() > kMaxFiles) PopFront();
  }
}

void LogRetirements::Cancel(const std::string& key) {
  if (keys_.erase(key) == 0) return;
  const auto entry = std::find_if(entries_.begin(), entries_.end(),
                                  [&key](const Entry& e) { return e.key == key; });
  if (static_cast<size_t>(entry - entries_.begin()) < told_) --told_;
  entries_.erase(entry);
}

std::vector<std::string> LogRetirements::Next(uint64_t acknowledged, uint64_t sent) {
  std::vector<std::string> due;
  for (; told_ < entries_.size() && due.size() < kFilesPerMessage; ++told_) {
    Entry& entry = entries_[told_];
    if (entry.after > acknowledged) break;
    entry.told_before = sent + 1;
    due.push_back(entry.key);
  }
  return due;
}

void LogRetirements::OnAcknowledged(uint64_t acknowledged) {
  while (told_ > 0 && entries_.front().told_before <= acknowledged) PopFront();
}

void LogRetirements::OnStream(const LogPlaces& stored, uint64_t acknowledged) {
  told_ = 0;
  std::deque<Entry> kept;
  for (Entry& entry : std::exchange(entries_, {})) {
    entry.told_before = 0;
    if (entry.after <= acknowledged && !stored.contains(entry.key)) {
      keys_.erase(entry.key);
    } else {
      kept.push_back(std::move(entry));
    }
  }
  entries_ = std::move(kept);
}

void LogRetirements::Truncate(uint64_t from) {
  for (Entry& entry : entries_) {
    entry.after = std::min(entry.after, from - 1);
    entry.told_before = std::min(entry.told_before, from);
  }
}

void LogRetirements::Renumber(uint64_t fall) {
  told_ = 0;
  for (Entry& entry : entries_) {
    entry.after -= std::min(entry.after, fall);
    entry.told_before = 0;
  }
}

}  // namespace ampari
