#include "gateway/delivery/log_lines.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/labels/quote.h"
#include "gateway/loki/push_request.h"

namespace ampari {
namespace {

constexpr size_t kKeptDecoders = 16;
constexpr uint32_t kKeptRawBytes = 4u << 20;  // a decoder of a larger frame is not kept
constexpr size_t kMendedGrowth = 3;           // of a byte that is not UTF-8
constexpr size_t kMaxRefusalSelector = 512;   // bytes that are shown

uint64_t MetadataBytes(const LogEntry& entry) {
  uint64_t bytes = 0;
  for (const auto& [name, value] : entry.metadata) bytes += name.size() + value.size();
  return bytes;
}

// The longest beginning of at most `limit` bytes that ends between code points.
std::string_view CutText(std::string_view text, size_t limit) {
  size_t end = std::min(limit, text.size());
  if (end == text.size()) return text;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) --end;
  return text.substr(0, end);
}

// Applies the limits to the lines of one frame.
class LineFilter {
 public:
  LineFilter(const LogLimits& limits, FrameLines& frame) : limits_(limits), frame_(frame) {}

  // Removes what is refused from `stream`, cuts what is to be cut.
  void Apply(FrameLines::Stream& stream) {
    if (!stream.rendered->refusal.empty()) {
      Refuse(stream.rendered->refusal, stream.entries.size());
      return stream.entries.clear();
    }
    std::erase_if(stream.entries, [&](LogEntry& entry) { return !Fits(stream, entry); });
  }

 private:
  static std::string Shown(const FrameLines::Stream& stream) {
    return stream.rendered->selector.substr(0, kMaxRefusalSelector);
  }

  void Refuse(const std::string& words, uint64_t lines) {
    frame_.over_limit += lines;
    if (frame_.refusals.size() < kMaxLineRefusals || frame_.refusals.contains(words))
      frame_.refusals[words] += lines;
  }

  bool Fits(const FrameLines::Stream& stream, LogEntry& entry) {
    if (!entry.metadata.empty() && MetadataBytes(entry) > kMaxLineMetadataBytes) {
      Refuse(absl::StrCat("structured metadata of a line over ", kMaxLineMetadataBytes,
                          " bytes: ", Shown(stream)),
             1);
      return false;
    }
    const uint32_t limit = limits_.max_line_bytes;
    if (limit == 0 || entry.line.size() <= limit / kMendedGrowth) return true;
    if (!IsUtf8(entry.line)) entry.line = frame_.mended.emplace_back(MendedUtf8(entry.line));
    if (entry.line.size() <= limit) return true;
    if (!limits_.cut_long_lines) {
      Refuse(absl::StrCat("a line over ", limit, " bytes: ", Shown(stream)), 1);
      return false;
    }
    entry.line = CutText(entry.line, limit);
    ++frame_.cut;
    return true;
  }

  const LogLimits& limits_;
  FrameLines& frame_;
};

}  // namespace

uint64_t BatchBytes(const LogEntry& entry) { return entry.line.size() + MetadataBytes(entry); }

std::shared_ptr<LogFrameDecoder> LogFrameReader::FreeDecoder(const Record& record) {
  const absl::StatusOr<FrameHeader> header = ParseFrameHeader(record.frame);
  const bool large = !header.ok() || header->raw_bytes > kKeptRawBytes;
  if (large) return std::make_shared<LogFrameDecoder>();
  for (const auto& decoder : decoders_) {
    if (decoder.use_count() == 1) return decoder;
  }
  auto decoder = std::make_shared<LogFrameDecoder>();
  if (decoders_.size() < kKeptDecoders) decoders_.push_back(decoder);
  return decoder;
}

absl::StatusOr<FrameLines> LogFrameReader::Read(const Record& record, const Labels& enforced,
                                                StreamRenderer& renderer) {
  FrameLines frame;
  frame.text = FreeDecoder(record);
  absl::StatusOr<std::vector<LogStream>> streams =
      frame.text->Decode(record.frame, kMaxLogFrameRawBytes);
  if (!streams.ok()) return streams.status();
  if (streams->size() > kMaxStreamsAtOnce) {
    return absl::DataLossError(absl::StrCat("the frame holds ", streams->size(),
                                            " streams, at most ", kMaxStreamsAtOnce, " are taken"));
  }
  LineFilter filter(renderer.rules().limits, frame);
  for (LogStream& stream : *streams) {
    FrameLines::Stream sent{renderer.Render(stream.labels, enforced), std::move(stream.entries)};
    filter.Apply(sent);
    frame.lines += sent.entries.size();
    if (!sent.entries.empty()) frame.streams.push_back(std::move(sent));
  }
  const uint64_t lines = frame.lines + frame.over_limit;
  if (lines != record.header.items) {
    return absl::DataLossError(
        absl::StrCat("the frame holds ", lines, " lines, its record says ", record.header.items));
  }
  return frame;
}

}  // namespace ampari
