#include "forwarder/scrape/sample_times.h"

#include <limits>

namespace ampari {

TimeFate SampleTimes::Judge(const Sample& sample, int64_t scrape_ms, int64_t last_ms) {
  if (sample.timestamp_ms > scrape_ms + kMaxAheadMs) return TimeFate::kOutOfBounds;
  if (sample.timestamp_ms < scrape_ms - kMaxBehindMs) return TimeFate::kOutOfBounds;
  const auto [at, fresh] = last_.try_emplace(sample.series);
  Record& record = at->second;
  if (fresh) {
    touched_.push_back(sample.series);
    record.pending_ms = last_ms;
  } else if (sample.timestamp_ms == record.pending_ms && record.value_known) {
    return sample.bits == record.pending_bits ? TimeFate::kSame : TimeFate::kDuplicate;
  }
  if (sample.timestamp_ms < record.pending_ms) return TimeFate::kOutOfOrder;
  if (sample.timestamp_ms == record.pending_ms) return TimeFate::kDuplicate;
  if (!fresh) touched_.push_back(sample.series);
  record.pending_ms = sample.timestamp_ms;
  record.pending_bits = sample.bits;
  record.value_known = true;
  return TimeFate::kStore;
}

void SampleTimes::Commit() {
  for (const uint64_t series : touched_) {
    const auto at = last_.find(series);
    if (at == last_.end()) continue;
    at->second.stored_ms = at->second.pending_ms;
    at->second.stored_bits = at->second.pending_bits;
    at->second.stored = true;
  }
  touched_.clear();
}

void SampleTimes::RollBack() {
  for (const uint64_t series : touched_) {
    const auto at = last_.find(series);
    if (at == last_.end()) continue;
    if (!at->second.stored) {
      last_.erase(at);
      continue;
    }
    at->second.pending_ms = at->second.stored_ms;
    at->second.pending_bits = at->second.stored_bits;
  }
  touched_.clear();
}

void SampleTimes::Prune(const std::function<bool(uint64_t series)>& keep) {
  absl::erase_if(last_, [&](const auto& entry) { return !keep(entry.first); });
}

void SampleTimes::Clear() { *this = SampleTimes(); }

}  // namespace ampari
