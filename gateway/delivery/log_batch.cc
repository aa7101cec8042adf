#include "gateway/delivery/log_batch.h"

#include <algorithm>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "common/labels/quote.h"

namespace ampari {
namespace {

constexpr size_t kMaxSelectorText = 640;  // bytes that are shown

// The lines of the batch by stream, not cut to the unit.
std::vector<PushStream> GroupsOf(std::span<const FrameLines> frames, const LineUnit& unit) {
  std::vector<PushStream> groups;
  absl::flat_hash_map<std::string_view, size_t> known;
  uint64_t at = 0;
  for (const FrameLines& frame : frames) {
    for (const FrameLines::Stream& stream : frame.streams) {
      const uint64_t begin = at, size = stream.entries.size();
      at += size;
      if (at <= unit.first) continue;
      if (begin >= unit.upto) return groups;
      const uint64_t skip = unit.first > begin ? unit.first - begin : 0;
      const uint64_t upto = std::min(size, unit.upto - begin);
      const std::string& selector = stream.rendered->selector;
      const auto [found, is_new] = known.try_emplace(selector, groups.size());
      if (is_new) groups.push_back({selector, {}});
      groups[found->second].pieces.push_back(std::span(stream.entries).subspan(skip, upto - skip));
    }
  }
  return groups;
}

uint64_t LinesOf(const PushStream& stream) {
  uint64_t lines = 0;
  for (const auto piece : stream.pieces) lines += piece.size();
  return lines;
}

// Leaves of `stream`, which begins at `begin` of the order, what is in [from, to).
void CutTo(uint64_t from, uint64_t to, uint64_t begin, PushStream& stream) {
  uint64_t at = begin;
  for (auto& piece : stream.pieces) {
    const uint64_t start = at, end = at + piece.size();
    at = end;
    const uint64_t first = std::clamp(from, start, end), upto = std::clamp(to, first, end);
    piece = piece.subspan(first - start, upto - first);
  }
  std::erase_if(stream.pieces, [](std::span<const LogEntry> piece) { return piece.empty(); });
}

}  // namespace

std::vector<LineUnit> CutBatches(std::span<const FrameLines> frames,
                                 std::span<const uint64_t> sequences, uint64_t max_bytes) {
  std::vector<LineUnit> batches;
  uint64_t line = 0, bytes = 0;
  for (size_t i = 0; i < frames.size(); ++i) {
    for (const FrameLines::Stream& stream : frames[i].streams) {
      for (const LogEntry& entry : stream.entries) {
        const uint64_t size = BatchBytes(entry);
        if (batches.empty() || bytes + size > max_bytes) {
          batches.push_back({line, line, 0, 0, sequences[i], sequences[i]});
          bytes = 0;
        }
        bytes += size;
        LineUnit& batch = batches.back();
        batch.upto = ++line;
        batch.to = batch.upto - batch.first;
        batch.last_frame = sequences[i];
      }
    }
  }
  return batches;
}

std::vector<PushStream> StreamsOf(std::span<const FrameLines> frames, const LineUnit& unit) {
  std::vector<PushStream> groups = GroupsOf(frames, unit);
  if (unit.from == 0 && unit.to == unit.upto - unit.first) return groups;
  uint64_t at = 0;
  for (PushStream& group : groups) {
    const uint64_t lines = LinesOf(group);
    CutTo(unit.from, unit.to, at, group);
    at += lines;
  }
  std::erase_if(groups, [](const PushStream& group) { return group.pieces.empty(); });
  return groups;
}

LineHalves Halve(std::span<const FrameLines> frames, const LineUnit& unit) {
  const std::vector<PushStream> streams = StreamsOf(frames, unit);
  const uint64_t middle = unit.from + unit.lines() / 2;
  LineHalves halves{unit, unit, "", ""};
  uint64_t cut = middle, at = unit.from, nearest = UINT64_MAX;
  size_t before = streams.size();  // the cut; of one stream it is within
  for (size_t i = 0; i + 1 < streams.size(); ++i) {
    at += LinesOf(streams[i]);
    const uint64_t distance = at > middle ? at - middle : middle - at;
    if (distance >= nearest) break;
    nearest = distance;
    cut = at;
    before = i + 1;
  }
  halves.first.to = halves.second.from = cut;
  if (before == 1) halves.first_stream = streams.front().selector;
  if (before + 1 >= streams.size()) halves.second_stream = streams.back().selector;
  return halves;
}

std::string FirstLineText(std::span<const FrameLines> frames, const LineUnit& unit) {
  const std::vector<PushStream> streams = StreamsOf(frames, unit);
  if (streams.empty()) return "";
  const LogEntry& entry = streams.front().pieces.front().front();
  const absl::Time time = absl::FromUnixNanos(entry.time_ns);
  return absl::StrCat(std::string(streams.front().selector.substr(0, kMaxSelectorText)), " ",
                      absl::FormatTime(absl::RFC3339_full, time, absl::UTCTimeZone()), " ",
                      Quoted(entry.line.substr(0, kMaxLineText)));
}

}  // namespace ampari
