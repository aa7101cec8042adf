// Vault: the open database, its image in memory and the locks between them; what the store's parts
// share.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

#include "common/runtime/clock.h"
#include "common/runtime/mutex.h"
#include "gateway/store/database.h"
#include "gateway/store/file_system.h"
#include "gateway/store/live_cache.h"
#include "gateway/store/persisted_clock.h"
#include "gateway/store/state.h"

namespace ampari {

// Thread-safe through its locks. Lock order: files_mu, mu, database_mu.
struct Vault {
  Vault(StoreOptions store_options, const Clock& the_clock);
  ~Vault();

  // Null while the store is being reopened.
  std::shared_ptr<Database> db() const;
  void SetDatabase(std::shared_ptr<Database> opened);
  // Closes the database: waits until the last reader has let it go.
  void CloseDatabase();
  Moment Now() const { return {persisted->NowMs(), clock.Monotonic()}; }

  const StoreOptions options;
  const Clock& clock;
  SyncCounters syncs;
  std::unique_ptr<rocksdb::Env> env;
  std::unique_ptr<PersistedClock> persisted;  // set before any thread starts
  LiveCache cache;
  std::atomic<uint64_t> max_bytes;
  std::atomic<int64_t> max_age_ms;
  std::atomic<uint64_t> disk_bytes{0};
  absl::Duration started;

  mutable Mutex mu;
  std::unique_ptr<StoreState> state ABSL_GUARDED_BY(mu) ABSL_PT_GUARDED_BY(mu);

  // Held while whole files are dropped, and while a recount reads: it has a floor of its own.
  mutable Mutex files_mu;

  mutable Mutex database_mu;
  std::shared_ptr<Database> database ABSL_GUARDED_BY(database_mu);
};

}  // namespace ampari
