#include "forwarder/tail/line_joiner.h"

#include <algorithm>
#include <utility>

namespace ampari {

void LineJoiner::Append(Part& part, std::string_view text) const {
  const size_t room = limits_.max_line_bytes - part.text.size();
  part.too_long = part.too_long || text.size() > room;
  part.text.append(text.substr(0, room));
}

JoinedLine LineJoiner::Whole(LogOutput output, int64_t time_ns, std::string_view text,
                             bool too_long) const {
  JoinedLine line;
  line.output = output;
  line.time_ns = time_ns;
  line.text = text.substr(0, limits_.max_line_bytes);
  line.cut = too_long && limits_.long_lines == LongLines::kCut;
  line.refused = too_long && limits_.long_lines == LongLines::kRefuse;
  return line;
}

void LineJoiner::Release() {
  if (joined_.capacity() > kKeptLineBytes) std::string().swap(joined_);
  for (Part& part : parts_) {
    if (!part.begun && part.text.capacity() > kKeptLineBytes) std::string().swap(part.text);
  }
}

// Everything up to `end` is read, but for lines that have begun.
void LineJoiner::MoveOn(uint64_t end) {
  for (const LogOutput output : {LogOutput::kStdout, LogOutput::kStderr}) {
    if (!part(output).begun) offset(output) = std::max(offset(output), end);
  }
}

std::optional<JoinedLine> LineJoiner::Take(const RuntimeLine& line, uint64_t begin, uint64_t end) {
  Part& waiting = part(line.output);
  const bool read_earlier = !waiting.begun && begin < offset(line.output);
  if (read_earlier) {
    MoveOn(end);
    return std::nullopt;
  }
  if (line.partial) {
    if (!waiting.begun) offset(line.output) = begin;
    waiting.begun = true;
    waiting.time_ns = line.time_ns;
    waiting.end = end;
    Append(waiting, line.text);
    MoveOn(end);
    return std::nullopt;
  }
  if (!waiting.begun) {
    MoveOn(end);
    return Whole(line.output, line.time_ns, line.text, line.text.size() > limits_.max_line_bytes);
  }
  Append(waiting, line.text);
  waiting.time_ns = line.time_ns;
  waiting.end = end;
  std::optional<JoinedLine> whole = Flush(line.output);
  MoveOn(end);
  return whole;
}

std::optional<JoinedLine> LineJoiner::Flush(LogOutput output) {
  Part& waiting = part(output);
  if (!waiting.begun) return std::nullopt;
  joined_ = std::move(waiting.text);
  const JoinedLine whole = Whole(output, waiting.time_ns, joined_, waiting.too_long);
  offset(output) = std::max(offset(output), waiting.end);
  waiting = Part();
  return whole;
}

}  // namespace ampari
