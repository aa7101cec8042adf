#include "common/runtime/logging.h"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <memory>

#include "common/runtime/clock.h"

namespace ampari {
namespace {

spdlog::level::level_enum ToSpdlog(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug:
      return spdlog::level::debug;
    case LogLevel::kInfo:
      return spdlog::level::info;
    case LogLevel::kWarn:
      return spdlog::level::warn;
    case LogLevel::kError:
      return spdlog::level::err;
  }
  return spdlog::level::info;
}

// Lives until the process ends: threads may log while statics are destroyed.
spdlog::logger& Logger() {
  static spdlog::logger* const logger = [] {
    auto* made = new spdlog::logger("ampari", std::make_shared<spdlog::sinks::stderr_sink_mt>());
    made->set_pattern("time=%Y-%m-%dT%H:%M:%S.%eZ level=%l %v", spdlog::pattern_time_type::utc);
    made->set_level(spdlog::level::info);
    made->flush_on(spdlog::level::debug);
    return made;
  }();
  return *logger;
}

bool NeedsQuotes(std::string_view value) {
  if (value.empty()) return true;
  for (const char c : value) {
    const auto u = static_cast<unsigned char>(c);
    if (u <= ' ' || u == 0x7f || c == '"' || c == '=' || c == '\\') return true;
  }
  return false;
}

void AppendEscaped(char c, std::string& out) {
  static constexpr char kHex[] = "0123456789abcdef";
  const auto u = static_cast<unsigned char>(c);
  if (c == '"' || c == '\\') {
    out += '\\';
    out += c;
  } else if (c == '\n') {
    out += "\\n";
  } else if (c == '\r') {
    out += "\\r";
  } else if (c == '\t') {
    out += "\\t";
  } else if (u < ' ' || u == 0x7f) {
    out += "\\x";
    out += kHex[u >> 4];
    out += kHex[u & 15];
  } else {
    out += c;
  }
}

void AppendValue(std::string_view value, std::string& out) {
  const bool cut = value.size() > kMaxLogValueBytes;
  if (cut) value = value.substr(0, kMaxLogValueBytes);
  if (!cut && !NeedsQuotes(value)) {
    out += value;
    return;
  }
  out += '"';
  for (const char c : value) AppendEscaped(c, out);
  if (cut) out += "...";
  out += '"';
}

void Write(LogLevel level, std::string_view event, std::initializer_list<LogField> fields,
           uint64_t suppressed) {
  spdlog::logger& logger = Logger();
  const spdlog::level::level_enum at = ToSpdlog(level);
  if (!logger.should_log(at)) return;
  const std::string line = FormatLogLine(event, fields, suppressed);
  logger.log(at, spdlog::string_view_t(line.data(), line.size()));
}

}  // namespace

std::string FormatLogLine(std::string_view event, std::initializer_list<LogField> fields,
                          uint64_t suppressed) {
  std::string line = "msg=";
  AppendValue(event, line);
  for (const LogField& field : fields) {
    line += ' ';
    line += field.key;
    line += '=';
    AppendValue(field.value, line);
  }
  if (suppressed > 0) absl::StrAppend(&line, " suppressed=", suppressed);
  return line;
}

void Log(LogLevel level, std::string_view event, std::initializer_list<LogField> fields) {
  Write(level, event, fields, 0);
}

void Log(LogLimit& limit, LogLevel level, std::string_view event,
         std::initializer_list<LogField> fields) {
  uint64_t suppressed = 0;
  if (!limit.Admit(SystemClock().Monotonic(), &suppressed)) return;
  Write(level, event, fields, suppressed);
}

bool LogLimit::Admit(absl::Duration monotonic_now, uint64_t* suppressed) {
  const int64_t now = absl::ToInt64Nanoseconds(monotonic_now);
  int64_t next = next_ns_.load(std::memory_order_relaxed);
  const int64_t after = now + absl::ToInt64Nanoseconds(interval_);
  if ((next != 0 && now < next) ||
      !next_ns_.compare_exchange_strong(next, after, std::memory_order_relaxed)) {
    suppressed_.fetch_add(1, std::memory_order_relaxed);
    return false;
  }
  *suppressed = suppressed_.exchange(0, std::memory_order_relaxed);
  return true;
}

void SetLogLevel(LogLevel level) { Logger().set_level(ToSpdlog(level)); }

bool ParseLogLevel(std::string_view text, LogLevel* level) {
  if (text == "debug")
    *level = LogLevel::kDebug;
  else if (text == "info")
    *level = LogLevel::kInfo;
  else if (text == "warn")
    *level = LogLevel::kWarn;
  else if (text == "error")
    *level = LogLevel::kError;
  else
    return false;
  return true;
}

}  // namespace ampari
