// Arbitrary bytes as a frame, as the body of a frame with a right checksum, and as a message around
// one.
#include <algorithm>
#include <cstring>

#include "common/frame/checksum.h"
#include "common/frame/compression.h"
#include "common/frame/frame.h"
#include "common/frame/log_frame.h"
#include "common/frame/wire.h"

namespace ampari {
namespace {

class SmallLayouts final : public LayoutSizes {
 public:
  bool Size(uint64_t layout, uint32_t* size) const override {
    *size = static_cast<uint32_t>(layout % 64);
    return layout < 1000;
  }
};

// Past the checksum, which no fuzzer guesses.
std::string FrameOf(std::string_view body, uint32_t scrapes, uint64_t items) {
  std::string frame = FrameBuilder().Finish(1).substr(0, kFrameHeaderBytes);
  static void* zstd = NewCompressState();
  CompressAppend(zstd, body, &frame);
  const auto raw = static_cast<uint32_t>(body.size());
  const auto compressed = static_cast<uint32_t>(frame.size() - kFrameHeaderBytes);
  std::memcpy(frame.data() + 16, &items, sizeof items);
  std::memcpy(frame.data() + 24, &scrapes, sizeof scrapes);
  std::memcpy(frame.data() + 28, &raw, sizeof raw);
  std::memcpy(frame.data() + 32, &compressed, sizeof compressed);
  const uint64_t checksum = ChecksumWithout({frame}, 40);
  std::memcpy(frame.data() + 40, &checksum, sizeof checksum);
  return frame;
}

// Likewise for a frame of logs: `split` bytes are positions, the rest is its body.
std::string LogFrameOf(std::string_view bytes, size_t split, uint32_t files, uint64_t items) {
  static void* zstd = NewCompressState();
  FrameHeader header;
  header.kind = FrameKind::kLogs;
  header.sequence = 1;
  header.scrapes = files;
  header.items = items;
  header.positions_bytes = static_cast<uint32_t>(std::min(split, bytes.size()));
  header.raw_bytes = static_cast<uint32_t>(bytes.size()) - header.positions_bytes;
  std::string frame(kFrameHeaderBytes, '\0');
  frame.append(bytes.substr(0, header.positions_bytes));
  CompressAppend(zstd, bytes.substr(header.positions_bytes), &frame);
  header.body_bytes =
      static_cast<uint32_t>(frame.size() - kFrameHeaderBytes) - header.positions_bytes;
  SealFrame(header, &frame);
  return frame;
}

void RunLogs(std::string_view bytes, uint32_t files, uint64_t items, size_t max_raw) {
  static LogFrameDecoder decoder;
  const std::string frame = LogFrameOf(bytes, files * 24, files, items);
  (void)decoder.Decode(frame, max_raw);
  const auto header = ParseFrameHeader(frame);
  if (!header.ok()) return;
  (void)ParseLogPositions(
      *header, std::string_view(frame).substr(kFrameHeaderBytes, header->positions_bytes));
}

void Run(std::string_view bytes) {
  constexpr size_t kMaxRaw = size_t{1} << 20;
  static FrameDecoder decoder;
  const SmallLayouts layouts;
  (void)decoder.Decode(bytes, layouts, kMaxRaw);
  const std::vector<std::string_view> pieces = {bytes.substr(0, bytes.size() / 2),
                                                bytes.substr(bytes.size() / 2)};
  (void)ParseForwarderMessage(pieces);
  if (bytes.size() < 2) return;
  const auto scrapes = static_cast<uint32_t>(static_cast<uint8_t>(bytes[0]) % 4);
  const auto items = static_cast<uint64_t>(static_cast<uint8_t>(bytes[1]));
  (void)decoder.Decode(FrameOf(bytes.substr(2), scrapes, items), layouts, kMaxRaw);
  RunLogs(bytes.substr(2), scrapes, items, kMaxRaw);
}

}  // namespace
}  // namespace ampari

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  ampari::Run(std::string_view(reinterpret_cast<const char*>(bytes), size));
  return 0;
}
