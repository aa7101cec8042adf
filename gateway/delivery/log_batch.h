// Batches: which lines of a range's frames travel in one push, grouped by stream, and how a refused
// push is taken apart. Pure.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "gateway/delivery/log_lines.h"
#include "gateway/loki/push_request.h"

namespace ampari {

inline constexpr size_t kMaxLineText = 256;  // bytes of a line that are shown of a dead letter

// Lines of one push. A batch is a run of the frames' lines; its own order is by stream, streams as
// they first occur, and of that order a unit is a run.
struct LineUnit {
  uint64_t first = 0, upto = 0;              // the batch, in lines of all frames
  uint64_t from = 0, to = 0;                 // the unit, in the batch's own order
  uint64_t first_frame = 0, last_frame = 0;  // queue sequences of the batch
  uint64_t lines() const { return to - from; }
};

struct LineHalves {
  LineUnit first, second;
  std::string first_stream, second_stream;  // the selector, of a half that is of one stream
  bool one_stream() const { return !first_stream.empty() && first_stream == second_stream; }
};

// Consecutive lines, as many as fit `max_bytes`; a larger one is alone. Each is a whole batch.
// `sequences` are the frames' in the queue.
std::vector<LineUnit> CutBatches(std::span<const FrameLines> frames,
                                 std::span<const uint64_t> sequences, uint64_t max_bytes);

// The unit's lines by stream. Points into `frames`.
std::vector<PushStream> StreamsOf(std::span<const FrameLines> frames, const LineUnit& unit);

// Two halves of a unit of several lines, cut between two streams when it has several.
LineHalves Halve(std::span<const FrameLines> frames, const LineUnit& unit);

// Stream, time and the beginning of the unit's first line, for people.
std::string FirstLineText(std::span<const FrameLines> frames, const LineUnit& unit);

}  // namespace ampari
