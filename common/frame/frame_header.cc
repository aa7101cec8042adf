#include <cstring>

#include "absl/strings/str_cat.h"
#include "common/frame/checksum.h"
#include "common/frame/fixed_int.h"
#include "common/frame/frame.h"
#include "common/runtime/check.h"

namespace ampari {
namespace {

constexpr char kMagic[4] = {'A', 'M', 'P', 'F'};
constexpr uint8_t kVersion = 1;
// Offsets in the header.
constexpr size_t kVersionAt = 4, kKindAt = 5, kFlagsAt = 6, kSequenceAt = 8, kItemsAt = 16,
                 kScrapesAt = 24, kRawBytesAt = 28, kBodyBytesAt = 32, kPositionsBytesAt = 36,
                 kChecksumAt = 40;
static_assert(kChecksumAt + sizeof(uint64_t) == kFrameHeaderBytes);

void StoreHeader(const FrameHeader& header, char* at) {
  std::memset(at, 0, kFrameHeaderBytes);
  std::memcpy(at, kMagic, sizeof kMagic);
  StoreLittle<uint8_t>(kVersion, at + kVersionAt);
  StoreLittle<uint8_t>(static_cast<uint8_t>(header.kind), at + kKindAt);
  StoreLittle<uint64_t>(header.sequence, at + kSequenceAt);
  StoreLittle<uint64_t>(header.items, at + kItemsAt);
  StoreLittle<uint32_t>(header.scrapes, at + kScrapesAt);
  StoreLittle<uint32_t>(header.raw_bytes, at + kRawBytesAt);
  StoreLittle<uint32_t>(header.body_bytes, at + kBodyBytesAt);
  StoreLittle<uint32_t>(header.positions_bytes, at + kPositionsBytesAt);
}

absl::Status Malformed(const std::string& what) {
  return absl::DataLossError(absl::StrCat("frame header: ", what));
}

absl::Status CheckFixedFields(const char* at) {
  if (std::memcmp(at, kMagic, sizeof kMagic) != 0) return Malformed("magic");
  const auto version = LoadLittle<uint8_t>(at + kVersionAt);
  if (version != kVersion) return Malformed(absl::StrCat("version ", version));
  const auto kind = LoadLittle<uint8_t>(at + kKindAt);
  if (kind != static_cast<uint8_t>(FrameKind::kMetrics) &&
      kind != static_cast<uint8_t>(FrameKind::kLogs)) {
    return Malformed(absl::StrCat("kind ", kind));
  }
  if (LoadLittle<uint16_t>(at + kFlagsAt) != 0) return Malformed("flags");
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<FrameHeader> ParseFrameHeader(std::string_view bytes) {
  if (bytes.size() < kFrameHeaderBytes) return Malformed("it is cut");
  const char* at = bytes.data();
  if (absl::Status s = CheckFixedFields(at); !s.ok()) return s;
  FrameHeader header;
  header.kind = static_cast<FrameKind>(LoadLittle<uint8_t>(at + kKindAt));
  header.sequence = LoadLittle<uint64_t>(at + kSequenceAt);
  header.items = LoadLittle<uint64_t>(at + kItemsAt);
  header.scrapes = LoadLittle<uint32_t>(at + kScrapesAt);
  header.raw_bytes = LoadLittle<uint32_t>(at + kRawBytesAt);
  header.body_bytes = LoadLittle<uint32_t>(at + kBodyBytesAt);
  header.positions_bytes = LoadLittle<uint32_t>(at + kPositionsBytesAt);
  header.checksum = LoadLittle<uint64_t>(at + kChecksumAt);
  if (header.sequence == 0) return Malformed("sequence 0");
  if (header.scrapes > kMaxScrapesPerFrame) return Malformed("too many scrapes");
  const bool logs = header.kind == FrameKind::kLogs;
  if (!logs && header.positions_bytes != 0) return Malformed("positions in a frame of metrics");
  if (header.scrapes > (logs ? header.positions_bytes : header.raw_bytes)) {
    return Malformed(logs ? "more files than bytes" : "more scrapes than bytes");
  }
  return header;
}

absl::Status VerifyFrame(const FrameHeader& header, const std::vector<std::string_view>& pieces) {
  size_t size = 0;
  for (const std::string_view piece : pieces) size += piece.size();
  const size_t told = kFrameHeaderBytes + size_t{header.positions_bytes} + header.body_bytes;
  if (size != told) {
    return absl::DataLossError(
        absl::StrCat("frame: ", size, " bytes where the header says ", told));
  }
  if (ChecksumWithout(pieces, kChecksumAt) != header.checksum) {
    return absl::DataLossError("frame: checksum");
  }
  return absl::OkStatus();
}

void SealFrame(const FrameHeader& header, std::string* frame) {
  Check(frame->size() == kFrameHeaderBytes + size_t{header.positions_bytes} + header.body_bytes,
        "a frame is as long as its header says");
  StoreHeader(header, frame->data());
  StoreLittle<uint64_t>(ChecksumWithout({*frame}, kChecksumAt), frame->data() + kChecksumAt);
}

std::string WithSequence(std::string frame, uint64_t sequence) {
  Check(frame.size() >= kFrameHeaderBytes, "a frame holds its header");
  StoreLittle<uint64_t>(sequence, frame.data() + kSequenceAt);
  StoreLittle<uint64_t>(ChecksumWithout({frame}, kChecksumAt), frame.data() + kChecksumAt);
  return frame;
}

}  // namespace ampari
