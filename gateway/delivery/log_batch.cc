#include "gateway/delivery/log_batch.h"

#include <algorithm>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "common/labels/quote.h"

namespace ampari {
namespace {

constexpr size_t kMaxSelectorText = 640;  // bytes that are shown

void Add(const FrameLines::Stream& stream, uint64_t sequence, LineGroup& group) {
  group.push.pieces.emplace_back(stream.entries);
  group.sequences.push_back(sequence);
  group.lines += stream.entries.size();
  for (const LogEntry& entry : stream.entries) {
    group.bytes += BatchBytes(entry);
    group.first_ns = std::min(group.first_ns, entry.time_ns);
    group.last_ns = std::max(group.last_ns, entry.time_ns);
  }
}

// What of a piece that begins at `begin` is in [from, to).
std::span<const LogEntry> CutTo(const LineUnit& unit, uint64_t begin,
                                std::span<const LogEntry> piece) {
  const uint64_t end = begin + piece.size();
  const uint64_t first = std::clamp(unit.from, begin, end), upto = std::clamp(unit.to, first, end);
  return piece.subspan(first - begin, upto - first);
}

uint64_t BytesOf(const PushStream& stream) {
  uint64_t bytes = 0;
  for (const auto piece : stream.pieces) {
    for (const LogEntry& entry : piece) bytes += BatchBytes(entry);
  }
  return bytes;
}

uint64_t LinesOf(const PushStream& stream) {
  uint64_t lines = 0;
  for (const auto piece : stream.pieces) lines += piece.size();
  return lines;
}

}  // namespace

LineGroups GroupLines(std::span<const FrameLines> frames, std::span<const uint64_t> sequences,
                      const std::set<std::string>& last) {
  LineGroups groups;
  absl::flat_hash_map<std::string_view, size_t> known;
  for (size_t i = 0; i < frames.size(); ++i) {
    for (const FrameLines::Stream& stream : frames[i].streams) {
      const std::string& selector = stream.rendered->selector;
      const auto [found, is_new] = known.try_emplace(selector, groups.size());
      if (is_new) groups.emplace_back().push.selector = selector;
      Add(stream, sequences[i], groups[found->second]);
    }
  }
  std::stable_partition(groups.begin(), groups.end(), [&last](const LineGroup& group) {
    return last.empty() || !last.contains(group.selector());
  });
  return groups;
}

std::vector<LineUnit> CutUnits(std::span<const LineGroup> groups, uint64_t from, uint64_t max_bytes,
                               uint64_t max_streams) {
  std::vector<LineUnit> units;
  uint64_t streams = 0;
  for (const LineGroup& group : groups) {
    const bool another = !units.empty() && max_streams != 0 && streams >= max_streams;
    bool begin = units.empty() || another;
    streams = begin ? 1 : streams + 1;
    for (const auto piece : group.push.pieces) {
      for (const LogEntry& entry : piece) {
        const uint64_t size = BatchBytes(entry);
        if (begin || units.back().bytes + size > max_bytes) {
          units.push_back({from, from, 0});
          streams = 1;
          begin = false;
        }
        units.back().bytes += size;
        units.back().to = ++from;
      }
    }
  }
  return units;
}

std::vector<PushStream> StreamsOf(std::span<const LineGroup> groups, const LineUnit& unit) {
  std::vector<PushStream> streams;
  uint64_t at = 0;
  for (const LineGroup& group : groups) {
    if (at >= unit.to) break;
    const uint64_t end = at + group.lines;
    if (end > unit.from) {
      PushStream& stream = streams.emplace_back();
      stream.selector = group.push.selector;
      for (const auto piece : group.push.pieces) {
        const auto cut = CutTo(unit, at, piece);
        if (!cut.empty()) stream.pieces.push_back(cut);
        at += piece.size();
      }
    }
    at = end;
  }
  return streams;
}

LineHalves Halve(std::span<const LineGroup> groups, const LineUnit& unit) {
  const std::vector<PushStream> streams = StreamsOf(groups, unit);
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
  halves.first.bytes = 0;
  for (const PushStream& stream : StreamsOf(groups, halves.first))
    halves.first.bytes += BytesOf(stream);
  halves.second.bytes = unit.bytes - halves.first.bytes;
  if (before == 1) halves.first_stream = streams.front().selector;
  if (before + 1 >= streams.size()) halves.second_stream = streams.back().selector;
  return halves;
}

LineText FirstLine(std::span<const LineGroup> groups, const LineUnit& unit) {
  uint64_t at = 0;
  for (const LineGroup& group : groups) {
    for (size_t i = 0; i < group.push.pieces.size(); ++i) {
      const auto piece = group.push.pieces[i];
      if (at + piece.size() <= unit.from) {
        at += piece.size();
        continue;
      }
      const LogEntry& entry = piece[unit.from - at];
      return {group.sequences[i],
              absl::StrCat(std::string(group.push.selector.substr(0, kMaxSelectorText)), " ",
                           absl::FormatTime(absl::RFC3339_full, absl::FromUnixNanos(entry.time_ns),
                                            absl::UTCTimeZone()),
                           " ", Quoted(entry.line.substr(0, kMaxLineText)))};
    }
  }
  return {};
}

}  // namespace ampari
