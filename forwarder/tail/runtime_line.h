// Lines as a container runtime writes them to a pod's log files: the CRI format of containerd and
// CRI-O (kubernetes cri-client, pkg/logs, parseCRILog) and Docker's json-file. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace ampari {

enum class LogOutput : uint8_t { kStdout = 0, kStderr = 1 };

struct RuntimeLine {
  LogOutput output = LogOutput::kStdout;
  int64_t time_ns = 0;   // since 1970
  bool partial = false;  // the next line of the same output goes on where this one ends
  std::string_view text;
};

// `line` is without its newline. CRI: <time> <stdout|stderr> <tags> <text>; of the tags only the
// first counts, P for partial; as other readers do, a line that ends behind its tag has an empty
// text. Nanoseconds beyond nine digits are cut. False: it is none.
bool ParseCriLine(std::string_view line, RuntimeLine* out);

// Docker: {"log":"text\n","stream":"stdout","time":"…"}, keys in any order, others passed over. A
// text without a newline at its end is partial. `text` points into `line`, or into `*buffer` when
// it had escapes; invalid UTF-16 escapes become U+FFFD.
bool ParseDockerLine(std::string_view line, RuntimeLine* out, std::string* buffer);

// RFC 3339 with any number of fraction digits, Z or an offset; years 1970 to 2261. nullopt: it is
// none.
std::optional<int64_t> ParseRfc3339Nanos(std::string_view text);

}  // namespace ampari
