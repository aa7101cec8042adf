#include "gateway/store/rocksdb_log.h"

#include <rocksdb/env.h>

#include <algorithm>
#include <cstdarg>
#include <cstdio>
#include <string_view>

#include "common/runtime/logging.h"

namespace ampari {
namespace {

constexpr size_t kMaxLineBytes = 1024;

class RocksdbLog final : public rocksdb::Logger {
 public:
  RocksdbLog() : Logger(rocksdb::InfoLogLevel::WARN_LEVEL) {}
  using Logger::Logv;
  void Logv(const char* format, va_list values) override {
    Logv(rocksdb::InfoLogLevel::WARN_LEVEL, format, values);
  }
  void Logv(const rocksdb::InfoLogLevel level, const char* format, va_list values) override {
    if (level < GetInfoLogLevel() || level >= rocksdb::InfoLogLevel::HEADER_LEVEL) return;
    char line[kMaxLineBytes];
    const int bytes = std::vsnprintf(line, sizeof(line), format, values);
    if (bytes < 0) return;
    std::string_view words(line, std::min<size_t>(static_cast<size_t>(bytes), sizeof(line) - 1));
    while (!words.empty() && words.back() == '\n') words.remove_suffix(1);
    const bool error = level >= rocksdb::InfoLogLevel::ERROR_LEVEL;
    Log(error ? errors_ : warnings_, error ? LogLevel::kError : LogLevel::kWarn, "rocksdb",
        {{"says", words}});
  }

 private:
  LogLimit errors_{absl::Seconds(1)}, warnings_{absl::Seconds(1)};
};

}  // namespace

std::shared_ptr<rocksdb::Logger> NewRocksdbLog() { return std::make_shared<RocksdbLog>(); }

}  // namespace ampari
