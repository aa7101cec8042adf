#include "gateway/store/vault.h"

#include <rocksdb/env.h>

#include <chrono>
#include <thread>
#include <utility>

namespace ampari {

Vault::Vault(StoreOptions store_options, const Clock& the_clock)
    : options(std::move(store_options)),
      clock(the_clock),
      env(NewWatchedEnv(syncs)),
      cache(options.live_cache_bytes),
      max_bytes(options.max_bytes),
      max_age_ms(absl::ToInt64Milliseconds(options.max_age)),
      started(the_clock.Monotonic()) {}

Vault::~Vault() = default;

std::shared_ptr<Database> Vault::db() const {
  MutexLock lock(database_mu);
  return database;
}

void Vault::SetDatabase(std::shared_ptr<Database> opened) {
  MutexLock lock(database_mu);
  database = std::move(opened);
}

void Vault::CloseDatabase() {
  std::weak_ptr<Database> closing;
  {
    MutexLock lock(database_mu);
    closing = database;
    database.reset();
  }
  while (!closing.expired()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
}

}  // namespace ampari
