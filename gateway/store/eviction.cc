#include "gateway/store/eviction.h"

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gateway/store/keys.h"
#include "gateway/store/meta.h"

namespace ampari {
namespace {

constexpr char kReason[] = "instances";

bool HasFrames(const QueueRecord& queue, const Instance& instance) {
  return instance.last_queue_sequence >= std::min(queue.floor, queue.FirstPending()) &&
         instance.last_queue_sequence != 0;
}

// Frames of one instance that are still stored: header by sequence.
std::map<uint64_t, RecordHeader> FramesOf(Commit& commit, const QueueRecord& queue,
                                          const Instance& instance) {
  std::map<uint64_t, RecordHeader> frames;
  FamilyPtr family = commit.database.queue(queue.generation);
  std::string end = SequenceKey(instance.last_queue_sequence + 1);
  commit.database
      .Scan(family, SequenceKey(std::max(queue.floor, queue.FirstPending())), end, nullptr,
            [&](std::string_view key, std::string_view value) {
              uint64_t sequence = ParseSequenceKey(key).value_or(0);
              auto header = DecodeRecordHeader(value, sequence);
              if (header.ok() && header->instance == instance.number) frames[sequence] = *header;
              return true;
            })
      .IgnoreError();
  return frames;
}

}  // namespace

void ForgetInstance(Commit& commit, InstanceNumber instance) {
  std::string first = BlockKey(instance, 0);
  commit.batch.DeleteRange(commit.database.series(), first, PrefixEnd(first.substr(0, 4)));
  EraseInstance(instance, commit.database.meta(), commit.batch);
  for (auto& [generation, queue] : commit.state.queues) {
    for (auto& destination : queue.destinations) {
      if (destination->settled.erase(instance) == 0) continue;
      commit.state.dirty.settled.erase({destination->generation, instance});
      commit.batch.Delete(commit.database.meta(),
                          MetaKey(MetaKind::kSettled, destination->generation, instance));
    }
  }
  commit.state.dirty.marks.erase(instance);
  commit.state.registrations.Forget(instance);
  commit.state.producers.Remove(instance);
}

bool EvictInstance(Commit& commit, InstanceNumber number) {
  const Instance* instance = commit.state.producers.Find(number);
  if (instance == nullptr) return false;
  QueueRecord* queue = commit.state.FindQueue(instance->tenant, instance->signal);
  if (queue == nullptr || !HasFrames(*queue, *instance)) {
    ForgetInstance(commit, number);
    return true;
  }
  for (const auto& destination : queue->destinations) {
    if (destination->lanes[instance->lane].claim) return false;
  }
  for (auto& destination : queue->destinations) {
    destination->lanes[instance->lane].reread = LaneCursor::Reread::kWhileWriting;
  }
  commit.thinned.insert(queue->generation);
  FamilyPtr family = commit.database.queue(queue->generation);
  for (const auto& [sequence, header] : FramesOf(commit, *queue, *instance)) {
    uint64_t bytes = 0;
    if (auto record = FindRecord(commit, *queue, sequence); record.ok()) {
      bytes = (*record)->frame.size() + kRecordHeaderBytes;
    }
    for (auto& destination : queue->destinations) {
      if (destination->lanes[header.lane].cursor > sequence) continue;
      AddExpired(destination->ledger, {header.items, 1, bytes}, kReason);
      commit.state.dirty.ledgers.insert(destination->generation);
    }
    Hole hole{sequence + 1, header.items, 1, kReason};
    commit.batch.Delete(family, SequenceKey(sequence));
    queue->holes[sequence] = hole;
    WriteHole(queue->generation, sequence, hole, commit.database.meta(), commit.batch);
  }
  commit.state.Alarm(absl::StrCat("forwarder ", instance->forwarder_name, " of ", instance->entry,
                                  " has too many instances: the frames of the oldest expired"));
  ForgetInstance(commit, number);
  return true;
}

void ForgetOldInstances(Commit& commit, int64_t max_age_ms) {
  for (InstanceNumber number :
       commit.state.producers.ForgottenBefore(commit.now.persisted_ms - max_age_ms)) {
    const Instance* instance = commit.state.producers.Find(number);
    QueueRecord* queue = commit.state.FindQueue(instance->tenant, instance->signal);
    if (queue != nullptr && HasFrames(*queue, *instance)) continue;
    ForgetInstance(commit, number);
  }
}

}  // namespace ampari
