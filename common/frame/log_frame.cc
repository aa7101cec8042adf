#include "common/frame/log_frame.h"

#include <string_view>

#include "absl/container/flat_hash_set.h"
#include "common/frame/compression.h"
#include "common/frame/varint.h"
#include "common/runtime/check.h"

namespace ampari {
namespace {

// What a builder keeps between frames, of its streams' buffers together and of its body.
constexpr size_t kKeptBytes = size_t{4} << 20;
constexpr size_t kKeptStreams = 1024;
constexpr uint64_t kFirstBit = 1;  // of a file's flags; other bits are zero

absl::Status Malformed(const char* what) {
  return absl::DataLossError(std::string("log frame: ") + what);
}

void AppendMetadata(const LogMetadata& metadata, std::string* out) {
  Check(metadata.size() <= kMaxLogMetadataPairs, "structured metadata is bounded by its source");
  AppendVarint(metadata.size(), out);
  for (const auto& [name, value] : metadata) {
    AppendString(name, out);
    AppendString(value, out);
  }
}

// What a frame may still hold.
struct Left {
  uint64_t lines = 0, pairs = kMaxLogMetadataPerFrame;
};

bool ReadMetadata(ByteCursor* cursor, Left* left, LogMetadata* out) {
  uint64_t count = 0;
  if (!cursor->ReadVarint(&count) || count > kMaxLogMetadataPairs || count > left->pairs)
    return false;
  left->pairs -= count;
  out->reserve(count);
  for (; count > 0; --count) {
    std::string_view name, value;
    if (!cursor->ReadString(&name) || !cursor->ReadString(&value)) return false;
    out->emplace_back(name, value);
  }
  return true;
}

// An offset and what the frame read on from there.
bool ReadReach(ByteCursor* cursor, uint64_t* from, uint64_t* upto) {
  uint64_t grown = 0;
  if (!cursor->ReadVarint(from) || !cursor->ReadVarint(&grown)) return false;
  *upto = *from + grown;
  return *upto >= *from;
}

bool ReadFile(ByteCursor* cursor, LogFilePart* file) {
  std::string_view key, name;
  uint64_t flags = 0;
  if (!cursor->ReadBytes(kLogFileKeyBytes, &key) || !cursor->ReadVarint(&flags)) return false;
  if ((flags & ~kFirstBit) != 0) return false;
  if (!ReadReach(cursor, &file->from.out, &file->upto.out)) return false;
  if (!ReadReach(cursor, &file->from.err, &file->upto.err)) return false;
  file->first = (flags & kFirstBit) != 0;
  if (file->first && (!cursor->ReadString(&name) || name.size() > kMaxLogFileNameBytes)) {
    return false;
  }
  file->key = key;
  file->name = name;
  return true;
}

absl::Status ReadStream(ByteCursor* cursor, Left* left, LogStream* stream) {
  std::string_view labels;
  uint64_t count = 0;
  if (!cursor->ReadString(&labels) || !Labels::FromBytes(labels, &stream->labels)) {
    return Malformed("the labels of a stream");
  }
  // Each line takes three bytes at least, so a count is checked before it reserves anything.
  if (!cursor->ReadVarint(&count) || count == 0 || count > left->lines ||
      count > cursor->remaining() / 3) {
    return Malformed("the count of a stream's lines");
  }
  left->lines -= count;
  stream->entries.resize(count);
  int64_t time_ns = 0;
  for (LogEntry& entry : stream->entries) {
    uint64_t delta = 0;
    if (!cursor->ReadVarint(&delta) || !cursor->ReadString(&entry.line) ||
        !ReadMetadata(cursor, left, &entry.metadata)) {
      return Malformed("a line");
    }
    time_ns = static_cast<int64_t>(static_cast<uint64_t>(time_ns) +
                                   static_cast<uint64_t>(UnZigZag(delta)));
    entry.time_ns = time_ns;
  }
  return absl::OkStatus();
}

}  // namespace

LogFrameBuilder::LogFrameBuilder() : zstd_(NewLineCompressState()) {}
LogFrameBuilder::~LogFrameBuilder() { FreeCompressState(zstd_); }

uint32_t LogFrameBuilder::OpenStream(const Labels& labels) {
  if (open_ == streams_.size()) streams_.emplace_back();
  Stream& stream = streams_[open_];
  stream.labels = labels;
  stream.count = 0;
  stream.last_time_ns = 0;
  stream_bytes_ += labels.bytes().size();
  return open_++;
}

void LogFrameBuilder::AddLineTo(uint32_t stream_number, int64_t time_ns, std::string_view line,
                                const LogMetadata& metadata) {
  Stream& stream = streams_[stream_number];
  const size_t before = stream.lines.size();
  const uint64_t delta =
      static_cast<uint64_t>(time_ns) - static_cast<uint64_t>(stream.last_time_ns);
  stream.last_time_ns = time_ns;
  char head[2 * kMaxVarintBytes];
  char* const line_size = WriteVarint(head, ZigZag(static_cast<int64_t>(delta)));
  const char* const end = WriteVarint(line_size, line.size());
  stream.lines.append(head, static_cast<size_t>(end - head));
  stream.lines.append(line);
  AppendMetadata(metadata, &stream.lines);
  stream_bytes_ += stream.lines.size() - before;
  ++stream.count;
  ++lines_;
}

// Moves what the streams hold into body_; of their buffers so much stays for the next frame.
void LogFrameBuilder::TakeStreams() {
  size_t kept = 0;
  body_.reserve(stream_bytes_ + kMaxVarintBytes * 2 * open_);
  for (uint32_t i = 0; i < open_; ++i) {
    Stream& stream = streams_[i];
    if (stream.count > 0) {
      AppendString(stream.labels.bytes(), &body_);
      AppendVarint(stream.count, &body_);
      body_.append(stream.lines);
    }
    stream.lines.clear();
    kept += stream.lines.capacity();
    if (kept > kKeptBytes) std::string().swap(stream.lines);
  }
  if (streams_.size() > kKeptStreams) streams_.resize(kKeptStreams);
  open_ = 0;
  current_ = 0;
  stream_bytes_ = 0;
}

void LogFrameBuilder::AddFile(const LogFilePart& file) {
  Check(files_ < kMaxLogFilesPerFrame, "frames are flushed before they hold too many files");
  Check(file.key.size() == kLogFileKeyBytes, "a file's key is a hash");
  Check(file.upto.out >= file.from.out && file.upto.err >= file.from.err, "files are read onwards");
  positions_.append(file.key);
  AppendVarint(file.first ? kFirstBit : 0, &positions_);
  AppendVarint(file.from.out, &positions_);
  AppendVarint(file.upto.out - file.from.out, &positions_);
  AppendVarint(file.from.err, &positions_);
  AppendVarint(file.upto.err - file.from.err, &positions_);
  if (file.first) {
    AppendString(std::string_view(file.name).substr(0, kMaxLogFileNameBytes), &positions_);
  }
  ++files_;
}

std::string LogFrameBuilder::Finish(uint64_t sequence) {
  TakeStreams();
  Check(body_.size() <= UINT32_MAX && positions_.size() <= UINT32_MAX,
        "frames are flushed long before 4 GiB");
  FrameHeader header;
  header.kind = FrameKind::kLogs;
  header.sequence = sequence;
  header.scrapes = files_;
  header.items = lines_;
  header.raw_bytes = static_cast<uint32_t>(body_.size());
  header.positions_bytes = static_cast<uint32_t>(positions_.size());
  std::string frame(kFrameHeaderBytes, '\0');
  frame.append(positions_);
  CompressAppend(zstd_, body_, &frame);
  const size_t body_bytes = frame.size() - kFrameHeaderBytes - positions_.size();
  Check(body_bytes <= UINT32_MAX, "zstd adds little");
  header.body_bytes = static_cast<uint32_t>(body_bytes);
  SealFrame(header, &frame);
  frame.shrink_to_fit();  // it waits in a ring, which counts its bytes
  positions_.clear();
  body_.clear();
  if (body_.capacity() > kKeptBytes) std::string().swap(body_);
  files_ = 0;
  lines_ = 0;
  return frame;
}

absl::StatusOr<std::vector<LogFilePart>> ParseLogPositions(const FrameHeader& header,
                                                           std::string_view bytes) {
  // Sixteen bytes of key and five numbers at least.
  if (header.scrapes > bytes.size() / (kLogFileKeyBytes + 5))
    return Malformed("more files than bytes");
  std::vector<LogFilePart> files(header.scrapes);
  absl::flat_hash_set<std::string_view> keys;
  ByteCursor cursor(bytes);
  for (LogFilePart& file : files) {
    if (!ReadFile(&cursor, &file)) return Malformed("a file's position");
    if (!keys.insert(file.key).second) return Malformed("a file twice");
  }
  if (!cursor.done()) return Malformed("bytes after the last position");
  return files;
}

LogFrameDecoder::LogFrameDecoder() : zstd_(NewDecompressState()) {}
LogFrameDecoder::~LogFrameDecoder() { FreeDecompressState(zstd_); }

absl::StatusOr<std::vector<LogStream>> LogFrameDecoder::Decode(std::string_view frame,
                                                               size_t max_raw_bytes) {
  const absl::StatusOr<FrameHeader> header = ParseFrameHeader(frame);
  if (!header.ok()) return header.status();
  if (absl::Status s = VerifyFrame(*header, {frame}); !s.ok()) return s;
  if (header->kind != FrameKind::kLogs) return Malformed("not logs");
  if (header->raw_bytes > max_raw_bytes) return Malformed("raw size over limit");
  if (header->items > kMaxLogLinesPerFrame) return Malformed("more lines than a frame may hold");
  if (raw_.size() < header->raw_bytes) raw_.resize(header->raw_bytes);
  const std::string_view body = frame.substr(kFrameHeaderBytes + header->positions_bytes);
  if (absl::Status s = DecompressExactly(zstd_, body, raw_.data(), header->raw_bytes); !s.ok()) {
    return s;
  }
  std::vector<LogStream> streams;
  Left left;
  left.lines = header->items;
  ByteCursor cursor(std::string_view(raw_.data(), header->raw_bytes));
  while (!cursor.done()) {
    if (absl::Status s = ReadStream(&cursor, &left, &streams.emplace_back()); !s.ok()) return s;
  }
  if (left.lines != 0) return Malformed("fewer lines than told");
  return streams;
}

}  // namespace ampari
