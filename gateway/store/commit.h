// Commit: one batch in the making: the state it changes, what it writes, and what is to be told
// once it is durable.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <set>
#include <utility>
#include <vector>

#include "gateway/store/database.h"
#include "gateway/store/live_cache.h"
#include "gateway/store/state.h"
#include "gateway/store/write_batch.h"

namespace ampari {

// Lives on the committer thread for one batch, while the store's lock is held.
struct Commit {
  StoreState& state;
  Database& database;
  const LiveCache& cache;
  const StoreOptions& options;
  Moment now;
  WriteBatch batch = {};
  std::vector<std::function<void()>> replies = {};  // run in order after the sync, without the lock
  std::set<StreamId> acknowledge = {};
  std::set<Generation> wake = {};  // destinations
  std::vector<std::pair<Generation, RecordPtr>> stored = {};
  std::set<Generation> thinned = {};  // queues out of which single frames were taken
};

// A stored record, from the cache or the disk; NotFound when it is not there.
absl::StatusOr<RecordPtr> FindRecord(const Commit& commit, const QueueRecord& queue,
                                     uint64_t sequence);

// What an instance is acknowledged as settled: at every destination of its queue that is
// configured.
uint64_t SettledEverywhere(StoreState& state, const Instance& instance);

}  // namespace ampari
