// Logging: one logfmt line per event on stderr: time=… level=… msg=… key=value …
#pragma once

#include <atomic>
#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"

namespace ampari {

enum class LogLevel : uint8_t { kDebug, kInfo, kWarn, kError };

// A key and its value as text. Keys are literals of ours; values may hold anything: they are quoted
// as needed, cut at kMaxLogValueBytes, and must never be secrets.
struct LogField {
  LogField(std::string_view k, std::string_view v) : key(k), value(v) {}
  LogField(std::string_view k, const absl::Status& v) : key(k), value(v.ToString()) {}
  LogField(std::string_view k, absl::Duration v) : key(k), value(absl::FormatDuration(v)) {}
  LogField(std::string_view k, std::same_as<bool> auto v) : key(k), value(v ? "true" : "false") {}
  template <typename T>
  requires((std::integral<T> || std::floating_point<T>)&&!std::same_as<T, bool>)
      LogField(std::string_view k, T v)
      : key(k), value(absl::StrCat(v)) {}

  std::string_view key;
  std::string value;
};

inline constexpr size_t kMaxLogValueBytes = 4096;

// Thread-safe. `event` says what happened, in few words without data; data goes into fields.
void Log(LogLevel level, std::string_view event, std::initializer_list<LogField> fields = {});

// Limits one call site (or one subject) to a line per `interval`; the next line tells how many were
// left out (suppressed=n). Thread-safe. Usually `static LogLimit limit;` beside the call, or a
// member.
class LogLimit {
 public:
  explicit LogLimit(absl::Duration interval = absl::Seconds(10)) : interval_(interval) {}
  // True when a line may be written now; then *suppressed is the number refused since the last.
  bool Admit(absl::Duration monotonic_now, uint64_t* suppressed);

 private:
  const absl::Duration interval_;
  std::atomic<int64_t> next_ns_{0};  // monotonic; 0: no line so far
  std::atomic<uint64_t> suppressed_{0};
};

void Log(LogLimit& limit, LogLevel level, std::string_view event,
         std::initializer_list<LogField> fields = {});

// Lines below the level are not written. Default: info.
void SetLogLevel(LogLevel level);
// debug, info, warn, error; false for anything else.
bool ParseLogLevel(std::string_view text, LogLevel* level);

// The part of a line after time and level; for tests.
std::string FormatLogLine(std::string_view event, std::initializer_list<LogField> fields,
                          uint64_t suppressed = 0);

}  // namespace ampari
