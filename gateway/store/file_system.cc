#include "gateway/store/file_system.h"

#include <rocksdb/env.h>
#include <rocksdb/file_system.h>

#include <chrono>
#include <string>
#include <utility>

namespace ampari {
namespace {

using rocksdb::FileOptions;
using rocksdb::FSWritableFile;
using rocksdb::IODebugContext;
using rocksdb::IOOptions;
using rocksdb::IOStatus;

// Takes one from a test's counter of faults to inject.
bool TakeFault(std::atomic<uint64_t>& faults) {
  uint64_t left = faults.load(std::memory_order_relaxed);
  while (left > 0) {
    if (faults.compare_exchange_weak(left, left - 1, std::memory_order_relaxed)) return true;
  }
  return false;
}

template <typename Call>
IOStatus Measured(SyncCounters& counters, Call call) {
  auto start = std::chrono::steady_clock::now();
  IOStatus status = TakeFault(counters.fail_next) ? IOStatus::IOError("injected") : call();
  auto elapsed = std::chrono::steady_clock::now() - start;
  counters.syncs.fetch_add(1, std::memory_order_relaxed);
  counters.nanoseconds.fetch_add(
      std::chrono::duration_cast<std::chrono::nanoseconds>(elapsed).count(),
      std::memory_order_relaxed);
  if (!status.ok()) counters.failed.fetch_add(1);
  return status;
}

class WatchedFile final : public rocksdb::FSWritableFileOwnerWrapper {
 public:
  WatchedFile(std::unique_ptr<FSWritableFile>&& file, SyncCounters& counters)
      : FSWritableFileOwnerWrapper(std::move(file)), counters_(counters) {}

  IOStatus Sync(const IOOptions& options, IODebugContext* dbg) override {
    return Measured(counters_, [&] { return target()->Sync(options, dbg); });
  }
  IOStatus Fsync(const IOOptions& options, IODebugContext* dbg) override {
    return Measured(counters_, [&] { return target()->Fsync(options, dbg); });
  }

 private:
  SyncCounters& counters_;
};

class WatchedFileSystem final : public rocksdb::FileSystemWrapper {
 public:
  explicit WatchedFileSystem(SyncCounters& counters)
      : FileSystemWrapper(FileSystem::Default()), counters_(counters) {}

  const char* Name() const override { return "AmpariWatchedFileSystem"; }

  IOStatus NewWritableFile(const std::string& name, const FileOptions& options,
                           std::unique_ptr<FSWritableFile>* result, IODebugContext* dbg) override {
    std::unique_ptr<FSWritableFile> file;
    IOStatus status = target()->NewWritableFile(name, options, &file, dbg);
    if (status.ok()) *result = std::make_unique<WatchedFile>(std::move(file), counters_);
    return status;
  }

 private:
  SyncCounters& counters_;
};

}  // namespace

std::unique_ptr<rocksdb::Env> NewWatchedEnv(SyncCounters& counters) {
  return rocksdb::NewCompositeEnv(std::make_shared<WatchedFileSystem>(counters));
}

}  // namespace ampari
