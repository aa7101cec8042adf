// Batches: the lines of a range's frames by stream, which of them travel in one push, and how a
// refused push is taken apart. Pure.
#pragma once

#include <cstdint>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "gateway/delivery/log_lines.h"
#include "gateway/loki/push_request.h"

namespace ampari {

inline constexpr size_t kMaxLineText = 256;  // bytes of a line that are shown of a dead letter

// All lines of one stream. Points into the frames.
struct LineGroup {
  PushStream push;
  std::vector<uint64_t> sequences;  // of the queue, by piece
  uint64_t lines = 0, bytes = 0;    // bytes: of the batch
  int64_t first_ns = INT64_MAX, last_ns = INT64_MIN;
  std::string selector() const { return std::string(push.selector); }
};
using LineGroups = std::vector<LineGroup>;

// Lines of one push: a run of the lines of all groups, in their order.
struct LineUnit {
  uint64_t from = 0, to = 0;
  uint64_t bytes = 0;
  uint64_t lines() const { return to - from; }
};

struct LineHalves {
  LineUnit first, second;
  std::string first_stream, second_stream;  // the selector, of a half that is of one stream
  bool one_stream() const { return !first_stream.empty() && first_stream == second_stream; }
};

// Streams as they first occur, but those in `last` after all others. `sequences` are the frames'.
LineGroups GroupLines(std::span<const FrameLines> frames, std::span<const uint64_t> sequences,
                      const std::set<std::string>& last = {});

// The lines of `groups`, of which the first begins at line `from` of all, as units of at most
// `max_bytes` and `max_streams` (0: any number); a larger line is alone.
std::vector<LineUnit> CutUnits(std::span<const LineGroup> groups, uint64_t from, uint64_t max_bytes,
                               uint64_t max_streams);

// The unit's lines by stream. `groups` are all.
std::vector<PushStream> StreamsOf(std::span<const LineGroup> groups, const LineUnit& unit);

// Two halves of a unit of several lines, cut between two streams when it has several.
LineHalves Halve(std::span<const LineGroup> groups, const LineUnit& unit);

// Of the unit's first line: its frame, and stream, time and the beginning of its text, for people.
struct LineText {
  uint64_t sequence = 0;
  std::string text;
};
LineText FirstLine(std::span<const LineGroup> groups, const LineUnit& unit);

}  // namespace ampari
