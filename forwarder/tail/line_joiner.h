// LineJoiner: the parts of long lines of one file, joined per output, and how far the file counts
// as read. Pure bookkeeping: no I/O, no clock.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "common/frame/log_frame.h"
#include "forwarder/tail/runtime_line.h"

namespace ampari {

// Of buffers for one line so much is kept for the next one.
inline constexpr size_t kKeptLineBytes = size_t{16} << 10;

enum class LongLines : uint8_t { kCut, kRefuse };

struct LineLimits {
  size_t max_line_bytes = size_t{256} << 10;  // Loki's default max_line_size
  LongLines long_lines = LongLines::kCut;
};

// A whole line. `text` points into what Take() was given, or into the joiner until its next call.
struct JoinedLine {
  LogOutput output = LogOutput::kStdout;
  int64_t time_ns = 0;  // of its last part
  std::string_view text;
  bool cut = false;      // its end is missing
  bool refused = false;  // too long: only its beginning is here, and it is not to be shipped
};

// Not thread-safe.
class LineJoiner {
 public:
  // `resume`: how far the file counts as read already; lines before that are passed over.
  LineJoiner(const LineLimits& limits, const LogPosition& resume)
      : limits_(limits), position_(resume) {}

  // The line at [begin, end) of the file, its newline included; ascending. nullopt: it is a part,
  // or was read earlier.
  std::optional<JoinedLine> Take(const RuntimeLine& line, uint64_t begin, uint64_t end);
  // What is there of a line whose last part will not come.
  std::optional<JoinedLine> Flush(LogOutput output);

  // Gives back what a long line took; texts of earlier answers are used no more.
  void Release();

  // What is before `end` is read, but for lines that have begun.
  void PassOver(uint64_t end) { MoveOn(end); }

  // Offsets behind the last whole line of each output. What has begun is read again from here.
  LogPosition position() const { return position_; }
  // Whether a part waits for the next one.
  bool waiting(LogOutput output) const { return part(output).begun; }

 private:
  struct Part {
    bool begun = false;
    bool too_long = false;
    int64_t time_ns = 0;
    uint64_t end = 0;
    std::string text;
  };

  const Part& part(LogOutput output) const { return parts_[static_cast<size_t>(output)]; }
  Part& part(LogOutput output) { return parts_[static_cast<size_t>(output)]; }
  uint64_t& offset(LogOutput output) {
    return output == LogOutput::kStdout ? position_.out : position_.err;
  }
  void Append(Part& part, std::string_view text) const;
  JoinedLine Whole(LogOutput output, int64_t time_ns, std::string_view text, bool too_long) const;
  void MoveOn(uint64_t end);

  const LineLimits limits_;
  LogPosition position_;
  std::array<Part, 2> parts_;
  std::string joined_;  // what the last answer points into
};

}  // namespace ampari
