#include "gateway/delivery/stream_book.h"

namespace ampari {

StreamBook::Entry& StreamBook::At(const std::string& selector) {
  const auto known = entries_.find(selector);
  if (known != entries_.end()) return known->second;
  if (entries_.size() >= kMaxBookedStreams || bytes_ + selector.size() > kMaxBookedBytes) {
    entries_.clear();
    bytes_ = 0;
  }
  bytes_ += selector.size();
  return entries_[selector];
}

bool StreamBook::IsKnown(const std::string& selector, absl::Duration now) {
  Entry& entry = At(selector);
  if (now - entry.used > kStreamKnownFor) entry.delivered = false;
  entry.used = now;
  return entry.delivered;
}

void StreamBook::OnDelivered(const std::string& selector) {
  Entry& entry = At(selector);
  entry.delivered = true;
  entry.refused_in_a_row = 0;
}

bool StreamBook::OnRefused(const std::string& selector) {
  return ++At(selector).refused_in_a_row > kMaxRefusedInARow;
}

void StreamBook::ForgetRefused() {
  for (auto& [selector, entry] : entries_) entry.refused_in_a_row = 0;
}

}  // namespace ampari
