// What a tenant's stored lines are told as. Pure.
#pragma once

#include <functional>
#include <map>
#include <string>

#include "bench/region/log_store.h"
#include "common/http/json_writer.h"

namespace ampari::bench {

inline constexpr size_t kMaxListedLines = 1'000'000;

// Which lines: those of the streams that have all of `labels`, at most `limit`.
struct LineFilter {
  StreamLabels labels;
  size_t limit = kMaxListedLines;
};

// A JSON object a line, {"labels":{…},"time_ns":n,"line":…,"metadata":{…}}: stream by stream, each
// in the order of arrival. Lines without a kept text are left out.
std::string LinesJson(const LogStore& store, const LineFilter& filter);

// Per stream a line of JSON with its labels, then `time_ns<TAB>XXH3-64 of the text in hex` lines in
// the order of arrival.
std::string LineHashes(const LogStore& store);

// Lines by the value of a label ("" where a stream has none), or by "response_code" of access
// lines; of the filter the labels count.
std::map<std::string, uint64_t> LineCounts(const LogStore& store, const std::string& by,
                                           const LineFilter& filter);

// The members of one JSON object.
void WriteLogCounts(const LogCounts& counts, JsonWriter& out);

}  // namespace ampari::bench
