#include "bench/region/log_request.h"

#include "bench/region/text_rules.h"
#include "bench/region/wire_reader.h"
#include "common/runtime/absl_view.h"

namespace ampari::bench {
namespace {

constexpr int64_t kNanosPerSecond = 1'000'000'000;
constexpr int64_t kMaxSeconds = INT64_MAX / kNanosPerSecond - 1;

absl::Status Broken(std::string_view rule) { return absl::InvalidArgumentError(ToAbsl(rule)); }

absl::Status ReadTime(std::string_view message, int64_t* time_ns) {
  WireReader reader(message);
  WireField field;
  int64_t seconds = 0, nanos = 0;
  while (reader.Next(&field)) {
    if (field.type != WireType::kVarint || field.number > 2) return Broken("malformed timestamp");
    (field.number == 1 ? seconds : nanos) = static_cast<int64_t>(field.varint);
  }
  const bool in_range = seconds >= 0 && seconds <= kMaxSeconds && nanos >= 0 &&
                        nanos < kNanosPerSecond && seconds + nanos > 0;
  if (reader.failed() || !in_range) return Broken("malformed timestamp");
  *time_ns = seconds * kNanosPerSecond + nanos;
  return absl::OkStatus();
}

absl::Status ReadPair(std::string_view message, LabelView* pair) {
  WireReader reader(message);
  WireField field;
  while (reader.Next(&field)) {
    if (field.type != WireType::kBytes || field.number > 2) return Broken("malformed metadata");
    (field.number == 1 ? pair->name : pair->value) = field.bytes;
  }
  if (reader.failed() || pair->name.empty()) return Broken("malformed metadata");
  if (!IsUtf8(pair->name) || !IsUtf8(pair->value)) return Broken("metadata is not UTF-8");
  return absl::OkStatus();
}

absl::Status ReadEntry(std::string_view message, LogBatch* batch) {
  LogEntryView entry;
  entry.bytes = message;
  entry.metadata_begin = batch->metadata.size();
  WireReader reader(message);
  WireField field;
  while (reader.Next(&field)) {
    if (field.type != WireType::kBytes || field.number > 3) return Broken("malformed entry");
    absl::Status read;
    if (field.number == 1) read = ReadTime(field.bytes, &entry.time_ns);
    if (field.number == 2) entry.line = field.bytes;
    if (field.number == 3) read = ReadPair(field.bytes, &batch->metadata.emplace_back());
    if (!read.ok()) return read;
  }
  if (reader.failed()) return Broken("malformed entry");
  if (entry.time_ns == 0) return Broken("an entry without a timestamp");
  if (!IsUtf8(entry.line)) return Broken("line is not UTF-8");
  entry.metadata_end = batch->metadata.size();
  batch->entries.push_back(entry);
  return absl::OkStatus();
}

absl::Status ReadStream(std::string_view message, LogBatch* batch) {
  LogStreamView stream;
  stream.begin = batch->entries.size();
  WireReader reader(message);
  WireField field;
  while (reader.Next(&field)) {
    if (field.number == 3 && field.type == WireType::kVarint) continue;  // a hash
    if (field.type != WireType::kBytes || field.number > 2) return Broken("malformed stream");
    if (field.number == 1) {
      stream.selector = field.bytes;
    } else if (absl::Status read = ReadEntry(field.bytes, batch); !read.ok()) {
      return read;
    }
  }
  if (reader.failed()) return Broken("malformed stream");
  stream.end = batch->entries.size();
  if (stream.begin == stream.end) return Broken("a stream without entries");
  batch->streams.push_back(stream);
  return absl::OkStatus();
}

}  // namespace

absl::Status ReadLogRequest(std::string_view plain, LogBatch* batch) {
  batch->streams.clear();
  batch->entries.clear();
  batch->metadata.clear();
  WireReader reader(plain);
  WireField field;
  while (reader.Next(&field)) {
    if (field.number != 1 || field.type != WireType::kBytes) {
      return Broken("unknown field in the request");
    }
    if (absl::Status read = ReadStream(field.bytes, batch); !read.ok()) return read;
  }
  return reader.failed() ? Broken("malformed protobuf") : absl::OkStatus();
}

}  // namespace ampari::bench
