#include "gateway/store/recovery.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <random>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"
#include "gateway/store/keys.h"
#include "gateway/store/wal_links.h"

namespace ampari {
namespace {

std::string NewStoreId() {
  std::random_device device;
  std::string id;
  for (int word = 0; word < 4; ++word) {
    uint32_t bits = device();
    for (int shift = 0; shift < 32; shift += 8) id.push_back(static_cast<char>(bits >> shift));
  }
  return id;
}

struct Opened {
  std::shared_ptr<Database> database;
  bool damaged = false;
};

absl::StatusOr<Opened> OpenDatabase(const std::string& directory, uint64_t max_bytes,
                                    rocksdb::Env& env) {
  auto database = Database::Open(directory, max_bytes, WalRecovery::kTolerateCorruptedTail, env);
  if (database.ok()) return Opened{*database, false};
  if (!absl::IsDataLoss(database.status())) return database.status();
  auto skipping = Database::Open(directory, max_bytes, WalRecovery::kSkipAnyCorrupted, env);
  if (skipping.ok()) return Opened{*skipping, true};
  return absl::DataLossError(absl::StrCat("the store is damaged: ", skipping.status().message(),
                                          "; run `ampari-gateway queue repair`"));
}

// Finishes drops that were under way, and drops families that no value names.
absl::Status DropStrays(Database& database, const StoreState& state,
                        const std::vector<Generation>& gone, WriteBatch& batch) {
  for (Generation generation : database.queues()) {
    if (state.queues.contains(generation)) continue;
    if (absl::Status dropped = database.DropQueue(generation); !dropped.ok()) return dropped;
  }
  for (Generation generation : database.asides()) {
    bool used = std::any_of(state.tenants.begin(), state.tenants.end(), [&](const auto& entry) {
      return entry.second.generation == generation;
    });
    if (used) continue;
    if (absl::Status dropped = database.DropAside(generation); !dropped.ok()) return dropped;
  }
  for (Generation generation : gone) {
    batch.Delete(database.meta(), MetaKey(MetaKind::kGone, generation));
  }
  return absl::OkStatus();
}

// Families that are named but missing (a repair may lose empty ones) are created anew; numbers
// never go back.
absl::Status Complete(Database& database, StoreState& state) {
  for (const auto& [generation, queue] : state.queues) {
    if (absl::Status created = database.CreateQueue(generation); !created.ok()) return created;
    state.next_generation = std::max(state.next_generation, generation + 1);
  }
  for (const auto& [name, tenant] : state.tenants) {
    if (absl::Status created = database.CreateAside(tenant.generation); !created.ok()) {
      return created;
    }
    state.next_generation = std::max(state.next_generation, tenant.generation + 1);
  }
  for (const auto& [number, instance] : state.producers.all()) {
    state.next_instance = std::max(state.next_instance, number + 1);
  }
  return absl::OkStatus();
}

absl::Status Fill(Recovered& recovered, const Moment& now, bool damaged, AuditDepth depth) {
  Database& database = *recovered.database;
  StoreState& state = *recovered.state;
  absl::StatusOr<LoadedMeta> loaded = LoadMeta(database, now, state);
  if (!loaded.ok()) return loaded.status();
  recovered.clock = loaded->clock;
  WriteBatch batch;
  if (state.store_id.empty()) {
    state.store_id = NewStoreId();
    WriteIdentity(state.store_id, database.meta(), batch);
  }
  if (absl::Status done = DropStrays(database, state, loaded->gone, batch); !done.ok()) return done;
  if (absl::Status done = Complete(database, state); !done.ok()) return done;
  if (absl::Status done = LoadRegistrations(database, state); !done.ok()) return done;
  if (absl::Status done = LoadDeadLetters(database, state); !done.ok()) return done;
  // The audit asks the files; what the log held is in them after a flush.
  if (absl::Status flushed = database.FlushAll(); !flushed.ok()) return flushed;
  if (damaged) state.Alarm("the write-ahead log was damaged; what it lost is counted below");
  if (damaged) depth = AuditDepth::kEverything;
  if (absl::Status done = AuditAtStart(database, depth, state, batch); !done.ok()) return done;
  WriteDirty(state, database.meta(), batch);
  if (batch.empty()) return absl::OkStatus();
  return database.WriteSynced(batch);
}

}  // namespace

absl::StatusOr<std::unique_ptr<DirectoryLock>> DirectoryLock::Take(const std::string& directory) {
  std::error_code error;
  std::filesystem::create_directories(directory, error);
  std::string path = directory + "/lock";
  int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0) {
    return absl::FailedPreconditionError(absl::StrCat(path, ": ", std::strerror(errno)));
  }
  if (::flock(fd, LOCK_EX | LOCK_NB) != 0) {
    ::close(fd);
    return absl::FailedPreconditionError(
        absl::StrCat("another process uses the store in ", directory));
  }
  return std::unique_ptr<DirectoryLock>(new DirectoryLock(fd));
}

DirectoryLock::~DirectoryLock() { ::close(fd_); }

absl::StatusOr<Recovered> RecoverStore(const StoreOptions& options, uint64_t max_bytes,
                                       const Moment& now, rocksdb::Env& env, AuditDepth depth) {
  std::string directory = options.directory + "/db";
  std::string aside = options.directory + "/wal-aside";
  if (absl::Status kept = KeepWals(directory, aside); !kept.ok()) return kept;
  absl::StatusOr<Opened> opened = OpenDatabase(directory, max_bytes, env);
  if (!opened.ok()) return opened.status();
  Recovered recovered;
  recovered.database = opened->database;
  recovered.state = std::make_unique<StoreState>(
      ProducerBounds{options.max_instances_per_producer, options.max_producers_per_entry});
  absl::Status filled = Fill(recovered, now, opened->damaged, depth);
  if (!filled.ok()) return filled;
  if (absl::Status flushed = recovered.database->FlushAll(); !flushed.ok()) return flushed;
  if (opened->damaged) {
    std::error_code ignored;
    std::filesystem::remove_all(options.directory + "/wal-damaged", ignored);
    std::filesystem::rename(aside, options.directory + "/wal-damaged", ignored);
  } else {
    RemoveWalLinks(aside);
  }
  return recovered;
}

}  // namespace ampari
