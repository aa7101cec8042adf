#include "bench/region/log_lines.h"

#include <algorithm>

#include "absl/strings/str_format.h"

namespace ampari::bench {
namespace {

bool HasAll(const StreamLabels& labels, const StreamLabels& wanted) {
  return std::all_of(wanted.begin(), wanted.end(), [&](const auto& pair) {
    const auto found = labels.find(pair.first);
    return found != labels.end() && found->second == pair.second;
  });
}

template <typename Pairs>
void WritePairs(std::string_view key, const Pairs& pairs, JsonWriter& out) {
  out.Key(key).BeginObject();
  for (const auto& [name, value] : pairs) out.Field(name, value);
  out.EndObject();
}

std::string LineJson(const StoredStream& stream, size_t at) {
  JsonWriter out;
  out.BeginObject();
  WritePairs("labels", stream.labels, out);
  out.Field("time_ns", stream.lines[at].time_ns).Field("line", stream.kept[at].text);
  WritePairs("metadata", stream.kept[at].metadata, out);
  out.EndObject();
  return out.Take() + "\n";
}

}  // namespace

std::string LinesJson(const LogStore& store, const LineFilter& filter) {
  std::string text;
  size_t left = filter.limit;
  store.ForEachStream([&](const StoredStream& stream) {
    if (!HasAll(stream.labels, filter.labels)) return;
    const size_t lines = std::min(left, stream.kept.size());
    for (size_t i = 0; i < lines; ++i) text += LineJson(stream, i);
    left -= lines;
  });
  return text;
}

std::string LineHashes(const LogStore& store) {
  std::string text;
  store.ForEachStream([&](const StoredStream& stream) {
    JsonWriter head;
    head.BeginObject();
    WritePairs("labels", stream.labels, head);
    head.EndObject();
    text += head.Take() + "\n";
    for (const StoredLine& line : stream.lines) {
      absl::StrAppendFormat(&text, "%d\t%016x\n", line.time_ns, line.line_hash);
    }
  });
  return text;
}

std::map<std::string, uint64_t> LineCounts(const LogStore& store, const std::string& by,
                                           const LineFilter& filter) {
  std::map<std::string, uint64_t> counts;
  store.ForEachStream([&](const StoredStream& stream) {
    if (!HasAll(stream.labels, filter.labels)) return;
    if (by == "response_code") {
      for (const auto& [code, lines] : stream.response_codes) counts[code] += lines;
      return;
    }
    const auto found = stream.labels.find(by);
    counts[found == stream.labels.end() ? "" : found->second] += stream.lines.size();
  });
  return counts;
}

void WriteLogCounts(const LogCounts& counts, JsonWriter& out) {
  out.Field("lines", counts.lines)
      .Field("bytes", counts.bytes)
      .Field("streams", counts.streams)
      .Field("resends", counts.resends)
      .Field("doubles", counts.doubles)
      .Field("identical", counts.identical)
      .Field("out_of_order", counts.out_of_order)
      .Field("refused", counts.refused)
      .Field("unchecked", counts.unchecked)
      .Field("newest_ns", counts.newest_ns)
      .Counts("response_codes", counts.response_codes);
}

}  // namespace ampari::bench
