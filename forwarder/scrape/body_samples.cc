// How a pass registers new series and records samples.
#include <algorithm>
#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "forwarder/scrape/body_pass.h"

namespace ampari {

// Prometheus' cache is keyed by the text alone.
bool BodyPass::IsCachedInOtherFormat(Hash128 text, size_t length) const {
  if (!both_formats_) return false;
  text.low ^= kOpenMetricsKey;
  const EntryId id = memory_.table.Find(text, length);
  if (id == kNoEntry || (memory_.table[id].flags & kDroppedByRules) != 0) return false;
  return memory_.table[id].seen >= rules_.cached_since && memory_.table[id].seen != 0;
}

EntryId BodyPass::Register(const Hash128& text, size_t length, Labels labels) {
  const EntryId id = memory_.table.Add(text, length);
  const uint64_t hash = KeyedHash64(labels.bytes()) | 1;
  const EntryId first = memory_.table.SetLabels(id, hash);
  SeriesEntry& entry = memory_.table[id];
  const auto inherited = memory_.inherited.find(hash);
  if (inherited != memory_.inherited.end()) inherited->second.seen = rules_.scrape;
  if (first != id) {
    entry.number = memory_.table[first].number;
    uint32_t& seen = shared_seen[hash];
    seen = std::max(seen, memory_.table[first].seen);
  } else if (inherited != memory_.inherited.end() && inherited->second.number != 0) {
    entry.number = inherited->second.number;
  } else {
    entry.number = (kMaxSeriesNumber + 1 + new_labels.size()) & (2 * kMaxSeriesNumber + 1);
    new_labels.push_back(std::move(labels));
  }
  fresh.push_back(id);
  return id;
}

bool BodyPass::AtLimit() {
  if (stored_ < cap_) return false;
  if (limit_error_.empty()) {
    limit_error_ = cap_ == rules_.sample_limit
                       ? "sample limit exceeded"
                       : absl::StrCat("more than ", cap_, " samples cannot fit a frame");
  }
  return true;
}

void BodyPass::Record(EntryId id, const LexedTail& tail, bool cached) {
  SeriesEntry& entry = memory_.table[id];
  const bool again = entry.seen == rules_.scrape;
  entry.seen = rules_.scrape;
  if ((entry.flags & kDroppedByRules) != 0) return Push(id, kSkipBit);
  ++counts_.post_relabel;
  const bool stamped = tail.has_timestamp && rules_.honor_timestamps;
  if (again && !stamped) {
    ++counts_.duplicates;
    return Push(id, kSkipBit);
  }
  if (AtLimit()) return Push(id, kSkipBit);
  ++stored_;
  if (!again && (stamped && !rules_.track_timestamps) != ((entry.flags & kUntracked) != 0)) {
    toggled.push_back(id);
  }
  RecordStored(id, tail, cached);
}

TimeFate BodyPass::Judge(const SeriesEntry& entry, const LexedTail& tail) {
  const bool stamped = tail.has_timestamp && rules_.honor_timestamps;
  if (!stamped && (entry.flags & kUntracked) == 0) return TimeFate::kStore;
  const bool known = entry.position != kNoPosition && (entry.flags & kUntracked) == 0;
  const int64_t last = known ? rules_.last_good_ms : std::numeric_limits<int64_t>::min();
  const int64_t time = stamped ? tail.timestamp_ms : rules_.timestamp_ms;
  return memory_.times.Judge({entry.labels, time, tail.value_bits}, rules_.timestamp_ms, last);
}

void BodyPass::CountFate(TimeFate fate) {
  if (fate == TimeFate::kDuplicate) ++counts_.duplicates;
  if (fate == TimeFate::kOutOfOrder) ++counts_.out_of_order;
  if (fate == TimeFate::kOutOfBounds) ++counts_.out_of_bounds;
}

void BodyPass::RecordStored(EntryId id, const LexedTail& tail, bool cached) {
  const SeriesEntry& entry = memory_.table[id];
  const bool stamped = tail.has_timestamp && rules_.honor_timestamps;
  if ((entry.flags & kSharedLabels) != 0) {
    uint32_t& seen = shared_seen[entry.labels];
    const bool twice = std::exchange(seen, rules_.scrape) == rules_.scrape;
    if (twice && !stamped) {
      ++counts_.duplicates;
      if (!cached) ++counts_.added;
      return Push(id, kSkipBit);
    }
  }
  const TimeFate fate = Judge(entry, tail);
  CountFate(fate);
  if (!cached && (fate == TimeFate::kStore || fate == TimeFate::kSame)) ++counts_.added;
  if (fate == TimeFate::kStore) {
    values.push_back(tail.value_bits);
    if (stamped) timestamps.push_back({positions_, tail.timestamp_ms});
  } else {
    absent.push_back(positions_);
  }
  ++positions_;
  Push(id, 0);
}

}  // namespace ampari
