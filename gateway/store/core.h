// Store::Core: the wiring of the store's parts. Started sink first, stopped source first.
#pragma once

#include <atomic>
#include <memory>
#include <string>

#include "gateway/store/committer.h"
#include "gateway/store/housekeeping.h"
#include "gateway/store/inbox.h"
#include "gateway/store/recovery.h"
#include "gateway/store/store.h"
#include "gateway/store/vault.h"

namespace ampari {

class Store::Core {
 public:
  Core(StoreOptions options, const Clock& clock, std::unique_ptr<DirectoryLock> lock);
  ~Core();

  // Recovers the directory and starts the threads.
  absl::Status Start();

  std::unique_ptr<DirectoryLock> lock;
  Vault vault;
  Inbox inbox;
  Committer committer;
  Housekeeping housekeeping;
  std::atomic<StreamId> next_stream{1};
};

// Shared with offline inspection: what the state shows, but for what needs the disk.
StoreStatus StatusOf(const StoreState& state);
// Adds the producers seen in the hour before the stop to those that are awaited.
void AwaitProducers(StoreState& state, int64_t stopped_ms);

}  // namespace ampari
