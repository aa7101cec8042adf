// Names of log files: the one that is written, and what rotation makes of it. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace ampari {

// Views into the name that was parsed.
struct LogName {
  std::string_view base;  // the name while it is written: 0.log
  bool rotated = false;
  bool compressed = false;
  // Among the files of a base, the greater one is the newer; the one that is written has the
  // greatest.
  uint64_t rank = UINT64_MAX;
};

// <base>, <base>.YYYYMMDD-HHMMSS (kubelet), <base>.N (Docker, logrotate), each also with .gz.
// nullopt: a file that is being made (*.tmp), or no name at all.
std::optional<LogName> ParseLogName(std::string_view name);

// How often the container was restarted before this log: <restart count>.log. nullopt: another
// name.
std::optional<uint32_t> RestartCount(std::string_view base);

}  // namespace ampari
