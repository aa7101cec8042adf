// Recovery: opens a store's directory after whatever happened to it, and says what was found.
//
// Layout of the directory: db/ (RocksDB), lock, wal-aside/ (hard links of the write-ahead logs
// while a start is under way), wal-damaged/ (the last damaged set of them), ballast.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "gateway/store/audit.h"
#include "gateway/store/database.h"
#include "gateway/store/meta.h"
#include "gateway/store/state.h"

namespace ampari {

// One process at a time: an advisory lock on <directory>/lock, held until destruction.
class DirectoryLock {
 public:
  // FailedPrecondition: another process holds it.
  static absl::StatusOr<std::unique_ptr<DirectoryLock>> Take(const std::string& directory);
  ~DirectoryLock();
  DirectoryLock(const DirectoryLock&) = delete;
  DirectoryLock& operator=(const DirectoryLock&) = delete;

 private:
  explicit DirectoryLock(int fd) : fd_(fd) {}
  int fd_;
};

struct Recovered {
  std::shared_ptr<Database> database;
  std::unique_ptr<StoreState> state;
  StoredClock clock;
};

// The directory's lock must be held. DataLoss names `queue repair`.
absl::StatusOr<Recovered> RecoverStore(const StoreOptions& options, uint64_t max_bytes,
                                       const Moment& now, rocksdb::Env& env,
                                       AuditDepth depth = AuditDepth::kFileBounds);

}  // namespace ampari
