#include "gateway/store/repair.h"

#include <rocksdb/db.h>

#include <filesystem>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"
#include "gateway/store/core.h"
#include "gateway/store/database_options.h"

namespace ampari {
namespace {

namespace fs = std::filesystem;

// Tables and logs are never changed in place, so a link keeps them.
absl::Status KeepCopy(const std::string& database, const std::string& copy) {
  std::error_code error;
  if (!fs::exists(database, error)) {
    return absl::FailedPreconditionError(absl::StrCat("no store in ", database));
  }
  if (!fs::create_directory(copy, error)) {
    return absl::FailedPreconditionError(
        absl::StrCat(copy, " is there already: move it away before another repair"));
  }
  for (const fs::directory_entry& entry : fs::directory_iterator(database, error)) {
    if (!entry.is_regular_file()) continue;
    fs::path to = fs::path(copy) / entry.path().filename();
    fs::path extension = entry.path().extension();
    if (extension == ".sst" || extension == ".log") {
      fs::create_hard_link(entry.path(), to, error);
    } else {
      fs::copy_file(entry.path(), to, error);
    }
    if (error) return absl::UnavailableError(absl::StrCat(to.string(), ": ", error.message()));
  }
  return absl::OkStatus();
}

absl::Status RepairDatabase(const std::string& directory, uint64_t max_bytes, rocksdb::Env& env) {
  rocksdb::DBOptions options = DatabaseOptions(max_bytes, WalRecovery::kSkipAnyCorrupted, env);
  std::vector<rocksdb::ColumnFamilyDescriptor> known;
  std::vector<std::string> names;
  if (!rocksdb::DB::ListColumnFamilies(options, directory, &names).ok()) {
    names = {"default", "meta", "series"};
  }
  for (const std::string& name : names) known.emplace_back(name, FamilyOptions(name));
  rocksdb::Status repaired = rocksdb::RepairDB(directory, options, known, FamilyOptions("q."));
  if (repaired.ok()) return absl::OkStatus();
  return absl::DataLossError(absl::StrCat("RocksDB's repair: ", repaired.ToString()));
}

absl::StatusOr<Recovered> RecoverOffline(const StoreOptions& options, Vault& vault,
                                         AuditDepth depth) {
  return RecoverStore(options, options.max_bytes, {0, vault.clock.Monotonic()}, *vault.env, depth);
}

}  // namespace

absl::StatusOr<std::vector<std::string>> RepairStore(const StoreOptions& options) {
  absl::StatusOr<std::unique_ptr<DirectoryLock>> lock = DirectoryLock::Take(options.directory);
  if (!lock.ok()) return lock.status();
  std::string database = options.directory + "/db";
  std::string copy = options.directory + "/db-before-repair";
  if (absl::Status kept = KeepCopy(database, copy); !kept.ok()) return kept;
  Vault vault(options, SystemClock());
  absl::Status repaired = RepairDatabase(database, options.max_bytes, *vault.env);
  if (!repaired.ok()) return repaired;
  auto recovered = RecoverOffline(options, vault, AuditDepth::kEverything);
  if (!recovered.ok()) return recovered.status();
  std::vector<std::string> words = {
      absl::StrCat("the database as it was is kept in ", copy),
      absl::StrCat("repaired: ", recovered->state->queues.size(), " queues, ",
                   recovered->state->producers.all().size(), " instances")};
  for (const std::string& alarm : recovered->state->alarms) words.push_back(alarm);
  return words;
}

absl::StatusOr<StoreStatus> InspectStore(const StoreOptions& options) {
  std::error_code ignored;
  if (!fs::exists(options.directory + "/db", ignored)) {
    return absl::NotFoundError(absl::StrCat("no store in ", options.directory));
  }
  absl::StatusOr<std::unique_ptr<DirectoryLock>> lock = DirectoryLock::Take(options.directory);
  if (!lock.ok()) return lock.status();
  Vault vault(options, SystemClock());
  auto recovered = RecoverOffline(options, vault, AuditDepth::kFileBounds);
  if (!recovered.ok()) return recovered.status();
  StoreStatus status = StatusOf(*recovered->state);
  status.max_bytes = options.max_bytes;
  status.disk_bytes = MeasureDisk(options.directory).used;
  return status;
}

}  // namespace ampari
