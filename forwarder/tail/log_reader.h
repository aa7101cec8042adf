// LogReader: reads one log from a position on: bytes become lines, lines go to an outlet.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "forwarder/tail/line_joiner.h"
#include "forwarder/tail/line_outlet.h"
#include "forwarder/tail/log_source.h"

namespace ampari {

enum class ReadEnd : uint8_t {
  kMore,       // the turn is over
  kEnd,        // nothing further is there now
  kFull,       // the flush is full
  kRewritten,  // the file was truncated, or begins otherwise than it did
  kFailed,     // error()
};

// Not thread-safe. Holds no more of a line than its bound: the rest of a longer one is passed over.
// A line without its newline is not taken before Finish().
class LogReader {
 public:
  LogReader(const LineLimits& limits, const LogPosition& from);

  // Goes back, or on, to `from`; what has begun is forgotten.
  void Resume(const LogPosition& from);

  // Reads until something of ReadEnd holds; `budget` bytes at most, which are taken off it.
  // `buffer` is what is read at a time.
  ReadEnd Read(LogSource& source, std::span<char> buffer, LineOutlet& outlet, size_t* budget);
  // Nothing will come any more: the last line as far as Read() saw it, whose newline is missing,
  // and parts that wait. The former needs the source; null: it is gone. What came all the same is
  // read by another Read().
  void Finish(LogSource* source, std::span<char> buffer, LineOutlet& outlet);
  // Whether a line has begun whose last part is not there, and nothing but parts is missing.
  bool parts_wait() const;
  // Takes them as lines: their ends will not come, or count as lines of their own.
  void FinishParts(LineOutlet& outlet);

  LogPosition position() const { return joiner_->position(); }
  // Up to here the bytes became lines or parts of such.
  uint64_t offset() const { return offset_; }
  // Up to here bytes were looked at: what lies between is the beginning of a line.
  uint64_t seen() const { return seen_; }
  int64_t last_time_ns() const { return last_time_ns_; }  // of the last line; 0: none
  LineCounts& counts() { return counts_; }
  const LineCounts& counts() const { return counts_; }
  const absl::Status& error() const { return error_; }

 private:
  struct LongLine {
    uint64_t begin = 0;
    std::string text;  // its beginning
  };

  size_t TakeLines(std::string_view chunk, LineOutlet& outlet);
  size_t TakeLong(std::string_view chunk, LineOutlet& outlet);
  void TakeLine(std::string_view line, uint64_t begin, uint64_t end, LineOutlet& outlet);
  bool Parse(std::string_view line, RuntimeLine* out);

  const LineLimits limits_;
  std::optional<LineJoiner> joiner_;
  std::optional<LongLine> long_;
  uint64_t offset_ = 0, seen_ = 0;
  uint64_t counted_ = 0;  // what lies before it is in read_bytes
  int64_t last_time_ns_ = 0;
  int64_t modified_ns_ = 0;  // of the file: the time of lines that have none
  std::string unescaped_;    // a Docker line's text
  LineCounts counts_;
  absl::Status error_;
};

}  // namespace ampari
