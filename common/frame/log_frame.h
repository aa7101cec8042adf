// Log frames: the lines of one flush, and how far they read each file. Pure codec; the bytes are in
// FORMAT.md.
//
// The positions stand uncompressed between header and body, so that a gateway can compare them with
// what it has stored without reading a line.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/frame/frame.h"
#include "common/labels/labels.h"

namespace ampari {

inline constexpr size_t kLogFileKeyBytes = 16;
inline constexpr size_t kMaxLogFileNameBytes = 512;
inline constexpr uint32_t kMaxLogFilesPerFrame = 65536;
inline constexpr size_t kMaxLogMetadataPairs = 128;  // of one line
// A flush of 512 KiB has fewer by far. They bound what a decoder allocates: an empty line or pair
// takes two or three bytes of a body and some 50 of memory.
inline constexpr uint64_t kMaxLogLinesPerFrame = uint64_t{1} << 20;
inline constexpr uint64_t kMaxLogMetadataPerFrame = uint64_t{1} << 20;  // pairs of all lines

// How far a file was read, in bytes from its beginning, for the lines of each of its two streams: a
// part of a line belongs to neither until the line is whole.
struct LogPosition {
  uint64_t out = 0;
  uint64_t err = 0;
  friend bool operator==(const LogPosition&, const LogPosition&) = default;
};

// What a frame says of one file. `key` is the identity of the file (16 bytes, the forwarder's hash
// of pod directory, container and first line); a frame holds a key once.
struct LogFilePart {
  std::string key;
  bool first =
      false;  // the gateway is not expected to know the file; then `name` tells people which
  LogPosition from, upto;
  std::string name;
  friend bool operator==(const LogFilePart&, const LogFilePart&) = default;
};

using LogMetadata = std::vector<std::pair<std::string, std::string>>;

// Lines of one label set, in the order in which they are to be delivered.
struct LogEntry {
  int64_t time_ns = 0;  // since 1970
  std::string_view line;
  LogMetadata metadata;  // structured metadata, in the order of the names
};
struct LogStream {
  Labels labels;
  std::vector<LogEntry> entries;
};

// Collects the lines of one flush. Not thread-safe; reusable after Finish(), with its buffers.
// Files and lines are independent: a file whose lines were all filtered out still moves its
// position.
class LogFrameBuilder {
 public:
  LogFrameBuilder();
  ~LogFrameBuilder();
  LogFrameBuilder(const LogFrameBuilder&) = delete;
  LogFrameBuilder& operator=(const LogFrameBuilder&) = delete;

  // Opens a stream and gives its number in this frame. Several may be open: their lines may come
  // mixed and stand together in the frame, the streams in the order in which they were opened.
  uint32_t OpenStream(const Labels& labels);
  void AddLineTo(uint32_t stream, int64_t time_ns, std::string_view line,
                 const LogMetadata& metadata);
  // One stream after the other: opens one, to which the lines that follow belong.
  void BeginStream(const Labels& labels) { current_ = OpenStream(labels); }
  void AddLine(int64_t time_ns, std::string_view line, const LogMetadata& metadata = {}) {
    AddLineTo(current_, time_ns, line, metadata);
  }
  void AddFile(const LogFilePart& file);

  bool empty() const { return files_ == 0 && lines_ == 0; }
  uint64_t lines() const { return lines_; }
  uint32_t files() const { return files_; }
  // Bytes so far, before compression.
  size_t raw_bytes() const { return stream_bytes_ + positions_.size(); }
  // The whole frame (zstd level 1); the builder is empty afterwards.
  std::string Finish(uint64_t sequence);

 private:
  struct Stream {
    Labels labels;
    std::string lines;
    uint64_t count = 0;
    int64_t last_time_ns = 0;
  };
  void TakeStreams();

  std::string positions_;
  std::vector<Stream> streams_;  // the first open_ of them; the others are kept for their buffers
  uint32_t open_ = 0, current_ = 0;
  std::string body_;
  uint64_t lines_ = 0;
  uint32_t files_ = 0;
  size_t stream_bytes_ = 0;
  void* zstd_ = nullptr;  // the state of compression, reused
};

// The positions of a log frame of `header`; `bytes` are the header.positions_bytes after the
// header. DataLoss when they are malformed, a key repeats, or a position goes backwards.
absl::StatusOr<std::vector<LogFilePart>> ParseLogPositions(const FrameHeader& header,
                                                           std::string_view bytes);

// Decodes the body. Not thread-safe; the result's lines point into the decoder until the next call.
// Errors as FrameDecoder's.
class LogFrameDecoder {
 public:
  LogFrameDecoder();
  ~LogFrameDecoder();
  LogFrameDecoder(const LogFrameDecoder&) = delete;
  LogFrameDecoder& operator=(const LogFrameDecoder&) = delete;

  absl::StatusOr<std::vector<LogStream>> Decode(std::string_view frame, size_t max_raw_bytes);

 private:
  std::string raw_;
  void* zstd_ = nullptr;  // ZSTD_DCtx, reused
};

}  // namespace ampari
