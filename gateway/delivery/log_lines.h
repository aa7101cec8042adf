// LogFrameReader: from a stored frame to the lines of it that a destination is sent, streams
// rendered and limits applied. Lines are decoded here and nowhere else in the gateway.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/frame/log_frame.h"
#include "gateway/loki/stream_renderer.h"
#include "gateway/store/record.h"

namespace ampari {

inline constexpr size_t kMaxLogFrameRawBytes = size_t{64} << 20;
// Of a frame, and of frames that are sent together: each takes about a kilobyte, and a request.
inline constexpr size_t kMaxStreamsAtOnce = 65536;
// Of one line: what Loki takes by default, names and values together.
inline constexpr size_t kMaxLineMetadataBytes = size_t{64} << 10;
inline constexpr size_t kMaxLineRefusals = 100;  // different words of one frame

// What of a frame is sent, in the frame's order. Not copyable: lines point into `text` and
// `mended`, which stay where they are when it is moved.
struct FrameLines {
  FrameLines() = default;
  FrameLines(FrameLines&&) = default;
  FrameLines& operator=(FrameLines&&) = default;

  struct Stream {
    std::shared_ptr<const RenderedStream> rendered;
    std::vector<LogEntry> entries;  // at least one
  };
  std::vector<Stream> streams;
  uint64_t lines = 0;                        // of all streams
  uint64_t over_limit = 0;                   // lines that a limit refuses
  uint64_t cut = 0;                          // lines that are sent cut
  std::map<std::string, uint64_t> refusals;  // words -> lines; bounded

  std::shared_ptr<LogFrameDecoder> text;
  std::deque<std::string> mended;
};

// Bytes that count towards a batch: of the line and its metadata.
uint64_t BatchBytes(const LogEntry& entry);

// Not thread-safe. Buffers are reused once no FrameLines refers to them.
class LogFrameReader {
 public:
  // DataLoss and Unimplemented as LogFrameDecoder; DataLoss too when the streams are too many, or
  // the lines not as many as the record's header says. The same record, labels and rules always
  // give the same.
  absl::StatusOr<FrameLines> Read(const Record& record, const Labels& enforced,
                                  StreamRenderer& renderer);

 private:
  std::shared_ptr<LogFrameDecoder> FreeDecoder(const Record& record);

  std::vector<std::shared_ptr<LogFrameDecoder>> decoders_;
};

}  // namespace ampari
