// LineCutter: carries the unfinished last line from one piece of a body to the next. Pieces may be
// cut anywhere; each byte of a carried line is looked at once, however small the pieces. Used by
// one thread at a time.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace ampari {

class LineCutter {
 public:
  // In the text format a raw newline inside a quoted label value does not end the line; in
  // OpenMetrics every newline does.
  void Reset(bool quoted_newlines);
  // True when a line is being carried.
  bool carrying() const { return !line_.empty(); }
  // Appends of `piece` what belongs to the carried line and returns how much that was; whole()
  // tells whether it ended.
  size_t Append(std::string_view piece);
  bool whole() const { return whole_; }
  // The carried line, its newline included when whole().
  std::string_view line() const { return line_; }
  // Forgets the line.
  void Drop();

 private:
  enum class State : unsigned char { kStart, kComment, kPlain, kQuoted, kEscaped };
  void Step(char c);

  std::string line_;
  State state_ = State::kStart;
  bool quoted_newlines_ = false;
  bool whole_ = false;
};

}  // namespace ampari
