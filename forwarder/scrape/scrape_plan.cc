#include "forwarder/scrape/scrape_plan.h"

namespace ampari {

void ScrapePlan::Enqueue(const std::string& id, Entry& entry, absl::Time due) {
  queue_.erase({entry.due, id});
  entry.due = due;
  queue_.emplace(due, id);
}

void ScrapePlan::Put(const std::string& id, absl::Duration interval, absl::Duration offset,
                     absl::Time now) {
  const auto [it, added] = entries_.try_emplace(id);
  Entry& entry = it->second;
  if (!added && !entry.leaving && entry.interval == interval && entry.offset == offset) return;
  entry.interval = interval;
  entry.offset = offset;
  entry.leaving = false;
  Enqueue(id, entry, SlotAfter(now, interval, offset));
}

void ScrapePlan::Leave(const std::string& id, absl::Time now) {
  const auto it = entries_.find(id);
  if (it == entries_.end() || it->second.leaving) return;
  Entry& entry = it->second;
  const EndOfRunTimes times = EndOfRun(now, entry.interval, entry.offset);
  entry.leaving = true;
  entry.end_stamp = times.stamp;
  Enqueue(id, entry, times.write);
}

std::optional<ScrapePlan::Due> ScrapePlan::Pop(absl::Time now) {
  if (queue_.empty() || queue_.begin()->first > now) return std::nullopt;
  const std::string id = queue_.begin()->second;
  Entry& entry = entries_.at(id);
  if (entry.leaving) {
    Due due{id, true, entry.end_stamp};
    queue_.erase(queue_.begin());
    entries_.erase(id);
    return due;
  }
  const absl::Time slot = SlotAt(now, entry.interval, entry.offset);
  Enqueue(id, entry, slot + entry.interval);
  return Due{id, false, AlignTimestamp(now, slot, entry.interval)};
}

void ScrapePlan::Postpone(const Due& due, absl::Time at) {
  const auto [it, added] = entries_.try_emplace(due.id);
  if (!added) return;
  it->second.leaving = true;
  it->second.end_stamp = due.timestamp;
  it->second.interval = absl::Seconds(1);  // only matters if the clock jumps while it waits
  Enqueue(due.id, it->second, at);
}

void ScrapePlan::Replan(absl::Time now) {
  for (auto& [id, entry] : entries_) {
    if (!entry.leaving) {
      Enqueue(id, entry, SlotAfter(now, entry.interval, entry.offset));
      continue;
    }
    const EndOfRunTimes times = EndOfRun(now, entry.interval, entry.offset);
    entry.end_stamp = times.stamp;
    Enqueue(id, entry, times.write);
  }
}

absl::Time ScrapePlan::next() const {
  return queue_.empty() ? absl::InfiniteFuture() : queue_.begin()->first;
}

}  // namespace ampari
