#include "gateway/store/trims.h"

#include <algorithm>
#include <optional>

#include "gateway/store/keys.h"
#include "gateway/store/meta.h"

namespace ampari {
namespace {

// Cumulative bytes below `sequence`; nullopt when that cannot be told now.
std::optional<uint64_t> BytesBelow(Commit& commit, QueueRecord& queue, uint64_t sequence,
                                   bool read_disk) {
  if (sequence >= queue.next) return queue.cumulative_bytes;
  RecordPtr record = commit.cache.Find(queue.generation, sequence);
  if (record != nullptr) {
    return record->header.cumulative_bytes - record->frame.size() - kRecordHeaderBytes;
  }
  if (!read_disk) return std::nullopt;
  std::optional<uint64_t> below;
  commit.database
      .Scan(commit.database.queue(queue.generation), SequenceKey(sequence), SequenceKey(queue.next),
            nullptr,
            [&](std::string_view key, std::string_view value) {
              auto header = DecodeRecordHeader(value, ParseSequenceKey(key).value_or(0));
              if (header.ok()) below = header->cumulative_bytes - value.size();
              return !header.ok();
            })
      .IgnoreError();
  return below ? below : queue.cumulative_bytes;
}

void RemoveRetiredBlocks(Commit& commit, const QueueRecord& queue) {
  for (InstanceNumber number : commit.state.registrations.WithRetired()) {
    const Instance* instance = commit.state.producers.Find(number);
    if (instance == nullptr || instance->tenant != queue.tenant ||
        instance->signal != queue.signal) {
      continue;
    }
    for (uint64_t block : commit.state.registrations.TakeRetired(number, queue.floor)) {
      commit.batch.Delete(commit.database.series(), BlockKey(number, block));
      commit.batch.Delete(commit.database.meta(), MetaKey(MetaKind::kRetired, number, block));
    }
  }
}

void ForgetHoles(Commit& commit, QueueRecord& queue) {
  while (!queue.holes.empty() && queue.holes.begin()->second.upto <= queue.floor) {
    commit.batch.Delete(commit.database.meta(),
                        MetaKey(MetaKind::kHole, queue.generation, queue.holes.begin()->first));
    queue.holes.erase(queue.holes.begin());
  }
}

}  // namespace

void TrimQueue(Commit& commit, QueueRecord& queue, TrimWhen when) {
  uint64_t upto = queue.FirstPending();
  absl::Duration since = commit.now.monotonic - queue.trimmed_at;
  if (upto <= queue.floor) {
    if (since >= kTrimInterval) {
      queue.trimmed_at = commit.now.monotonic;
      RemoveRetiredBlocks(commit, queue);
    }
    return;
  }
  bool due = when == TrimWhen::kNow || since >= kTrimInterval;
  bool read_disk = due || commit.now.monotonic - queue.trim_looked_at >= kTrimLook;
  std::optional<uint64_t> below = BytesBelow(commit, queue, upto, read_disk);
  if (read_disk) queue.trim_looked_at = commit.now.monotonic;
  if (!below || (!due && *below - queue.floor_bytes < kTrimBytes)) return;
  commit.batch.DeleteRange(commit.database.queue(queue.generation), SequenceKey(queue.floor),
                           SequenceKey(upto));
  queue.floor = upto;
  queue.floor_bytes = std::max(queue.floor_bytes, *below);
  queue.trimmed_at = commit.now.monotonic;
  commit.state.dirty.queues.insert(queue.generation);
  RemoveRetiredBlocks(commit, queue);
  ForgetHoles(commit, queue);
}

}  // namespace ampari
