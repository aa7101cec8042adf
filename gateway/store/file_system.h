// WatchedFileSystem: RocksDB's file system with an eye on syncs. It counts them, measures them, and
// remembers whether one failed: after a failed fsync the kernel may have dropped the pages, so what
// a retry reports means nothing and the process has to end; after any other error the store can be
// reopened in place.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>

namespace rocksdb {
class Env;
}

namespace ampari {

// Exit code after a failed fsync.
inline constexpr int kExitSyncFailed = 5;

// Thread-safe counters, written by RocksDB's threads.
struct SyncCounters {
  std::atomic<uint64_t> syncs{0};
  std::atomic<uint64_t> nanoseconds{0};
  std::atomic<uint64_t> failed{0};
  // For tests: the next syncs fail without reaching the disk.
  std::atomic<uint64_t> fail_next{0};
};

// An Env over the machine's file system; `counters` must outlive it and every file opened through
// it.
std::unique_ptr<rocksdb::Env> NewWatchedEnv(SyncCounters& counters);

}  // namespace ampari
