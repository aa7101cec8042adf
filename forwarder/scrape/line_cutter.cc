#include "forwarder/scrape/line_cutter.h"

namespace ampari {

void LineCutter::Reset(bool quoted_newlines) {
  quoted_newlines_ = quoted_newlines;
  Drop();
}

void LineCutter::Drop() {
  constexpr size_t kKeptBytes = 64 << 10;  // a longer buffer is given back
  line_.clear();
  if (line_.capacity() > kKeptBytes) std::string().swap(line_);
  state_ = State::kStart;
  whole_ = false;
}

void LineCutter::Step(char c) {
  switch (state_) {
    case State::kStart:
      if (c == '#')
        state_ = State::kComment;
      else if (c != ' ' && c != '\t')
        state_ = State::kPlain;
      break;
    case State::kPlain:
      if (c == '"') state_ = State::kQuoted;
      break;
    case State::kQuoted:
      if (c == '\\')
        state_ = State::kEscaped;
      else if (c == '"')
        state_ = State::kPlain;
      break;
    case State::kEscaped:
      state_ = State::kQuoted;
      break;
    case State::kComment:
      break;
  }
}

size_t LineCutter::Append(std::string_view piece) {
  size_t n = 0;
  while (n < piece.size() && !whole_) {
    const char c = piece[n++];
    const bool inside = state_ == State::kQuoted && quoted_newlines_;
    if (c == '\n' && !inside)
      whole_ = true;
    else
      Step(c);
  }
  line_.append(piece.substr(0, n));
  return n;
}

}  // namespace ampari
