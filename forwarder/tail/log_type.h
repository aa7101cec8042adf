// What a line of an istio-proxy container is: Envoy and pilot-agent write to the same files. Pure.
#pragma once

#include <cstdint>
#include <string_view>

namespace ampari {

enum class LogType : uint8_t { kAccess, kAgent, kEnvoy, kOther };

// "access", "agent", "envoy", "other".
std::string_view LogTypeName(LogType type);

// By the line's shape alone:
//   access  [2024-05-01T10:00:00.000Z] "…, the default text, and so TCP's "- - -";
//           JSON with start_time and one of response_code, bytes_sent, bytes_received and
//           connection_termination_details; ztunnel's lines of scope access.
//   agent   <time> TAB level TAB …, and JSON with level, time and msg or message.
//   envoy   the same with the scope envoy, or one that begins with it and a blank, and
//           [2019-11-13 15:03:14.836][15][warning]….
// A bracket alone does not make an access line, nor does being JSON. A line of a custom access-log
// format is `other` here; its format tells (access_log_format.h).
LogType ClassifyLine(std::string_view line);

}  // namespace ampari
