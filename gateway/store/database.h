// Database: one open RocksDB with the options that the store needs, its families by generation, and
// nothing of what they mean. Hides RocksDB from the rest of the store.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/runtime/mutex.h"
#include "gateway/store/record.h"
#include "gateway/store/write_batch.h"

namespace rocksdb {
class Env;
class Snapshot;
}  // namespace rocksdb

namespace ampari {

inline constexpr uint64_t kWriteBufferBytes = uint64_t{64} << 20;  // all families together
inline constexpr uint64_t kMaxWalBytes = uint64_t{256} << 20;

// min(256 MiB, max_bytes / 8): what a restart replays at most.
uint64_t WalCap(uint64_t max_bytes);

enum class WalRecovery { kTolerateCorruptedTail, kSkipAnyCorrupted };

struct KeyValue {
  std::string key, value;
};

// Reads of one moment; keep it short-lived, it pins files.
using SnapshotPtr = std::shared_ptr<const rocksdb::Snapshot>;

// Thread-safe, but for CreateFamily/DropFamily, which only the committer calls. Share it by
// shared_ptr: the last user closes.
class Database {
 public:
  // Creates what is missing. DataLoss: RocksDB finds it corrupt; FailedPrecondition: another
  // process has it open.
  static absl::StatusOr<std::shared_ptr<Database>> Open(const std::string& directory,
                                                        uint64_t max_bytes, WalRecovery recovery,
                                                        rocksdb::Env& env);
  ~Database();

  const FamilyPtr& meta() const { return meta_; }
  const FamilyPtr& series() const { return series_; }
  FamilyPtr queue(Generation generation) const;  // null when there is none
  FamilyPtr aside(Generation tenant) const;
  std::vector<Generation> queues() const;
  std::vector<Generation> asides() const;

  absl::Status CreateQueue(Generation generation);
  absl::Status CreateAside(Generation tenant);
  absl::Status DropQueue(Generation generation);  // OK when there is none
  absl::Status DropAside(Generation tenant);

  absl::Status WriteSynced(WriteBatch& batch);
  SnapshotPtr Snapshot() const;

  // NotFound when there is none.
  absl::StatusOr<std::string> Get(const FamilyPtr& family, std::string_view key) const;
  // Calls `visit` for each key in [first, end) in order until it returns false; keys and values
  // live during the call only.
  using Visitor = std::function<bool(std::string_view key, std::string_view value)>;
  absl::Status Scan(const FamilyPtr& family, std::string_view first, std::string_view end,
                    const SnapshotPtr& snapshot, const Visitor& visit) const;
  absl::StatusOr<std::optional<KeyValue>> Last(const FamilyPtr& family) const;

  // What the files' own tables say of a family, by first key.
  struct FileRange {
    std::string first, last;
    uint64_t entries = 0;
    uint64_t deletions = 0;  // of single keys
    uint64_t range_deletions = 0;
  };
  std::vector<FileRange> Files(const FamilyPtr& family) const;

  // Drops whole files below `end`. Only for keys below a durable floor.
  absl::Status DropFilesBelow(const FamilyPtr& family, std::string_view end) const;
  absl::Status FlushAll() const;
  absl::Status Compact(const FamilyPtr& family, std::string_view end) const;

 private:
  Database() = default;
  absl::Status Create(const std::string& name);
  absl::Status Drop(const std::string& name);
  FamilyPtr Find(const std::string& name) const;
  std::vector<Generation> Generations(std::string_view prefix) const;

  std::shared_ptr<rocksdb::DB> db_;
  FamilyPtr meta_, series_, default_;
  mutable Mutex mu_;
  std::map<std::string, FamilyPtr> families_ ABSL_GUARDED_BY(mu_);
};

}  // namespace ampari
