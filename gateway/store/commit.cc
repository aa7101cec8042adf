#include "gateway/store/commit.h"

#include <algorithm>

#include "gateway/store/keys.h"

namespace ampari {

absl::StatusOr<RecordPtr> FindRecord(const Commit& commit, const QueueRecord& queue,
                                     uint64_t sequence) {
  if (RecordPtr record = commit.cache.Find(queue.generation, sequence)) return record;
  FamilyPtr family = commit.database.queue(queue.generation);
  if (family == nullptr || sequence < queue.floor) return absl::NotFoundError("trimmed");
  absl::StatusOr<std::string> value = commit.database.Get(family, SequenceKey(sequence));
  if (!value.ok()) return value.status();
  return DecodeRecord(*value, sequence);
}

uint64_t SettledEverywhere(StoreState& state, const Instance& instance) {
  uint64_t settled = instance.mark;
  QueueRecord* queue = state.FindQueue(instance.tenant, instance.signal);
  if (queue == nullptr) return settled;
  for (const auto& destination : queue->destinations) {
    if (destination->removed_at_ms != 0) continue;
    if (destination->lanes[instance.lane].first_pending == kNothingPending) continue;
    auto it = destination->settled.find(instance.number);
    settled = std::min(settled, it == destination->settled.end() ? 0 : it->second);
  }
  return settled;
}

}  // namespace ampari
