#include "common/frame/frame.h"

#include <algorithm>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "common/frame/checksum.h"
#include "common/frame/compression.h"
#include "common/frame/fixed_int.h"
#include "common/frame/scrape_record.h"
#include "common/frame/value_column.h"
#include "common/runtime/check.h"

namespace ampari {
namespace {

constexpr char kMagic[4] = {'A', 'M', 'P', 'F'};
constexpr uint8_t kVersion = 1;
// Offsets in the header.
constexpr size_t kVersionAt = 4, kKindAt = 5, kFlagsAt = 6, kSequenceAt = 8, kItemsAt = 16,
                 kScrapesAt = 24, kRawBytesAt = 28, kBodyBytesAt = 32, kReservedAt = 36,
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
  if (LoadLittle<uint32_t>(at + kReservedAt) != 0) return Malformed("reserved bytes");
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
  header.checksum = LoadLittle<uint64_t>(at + kChecksumAt);
  if (header.sequence == 0) return Malformed("sequence 0");
  if (header.scrapes > kMaxScrapesPerFrame) return Malformed("too many scrapes");
  if (header.scrapes > header.raw_bytes) return Malformed("more scrapes than bytes");
  return header;
}

absl::Status VerifyFrame(const FrameHeader& header, const std::vector<std::string_view>& pieces) {
  size_t size = 0;
  for (const std::string_view piece : pieces) size += piece.size();
  if (size != kFrameHeaderBytes + header.body_bytes) {
    return absl::DataLossError(absl::StrCat("frame: ", size, " bytes where the header says ",
                                            kFrameHeaderBytes + header.body_bytes));
  }
  if (ChecksumWithout(pieces, kChecksumAt) != header.checksum) {
    return absl::DataLossError("frame: checksum");
  }
  return absl::OkStatus();
}

std::string WithSequence(std::string frame, uint64_t sequence) {
  Check(frame.size() >= kFrameHeaderBytes, "a frame holds its header");
  StoreLittle<uint64_t>(sequence, frame.data() + kSequenceAt);
  StoreLittle<uint64_t>(ChecksumWithout({frame}, kChecksumAt), frame.data() + kChecksumAt);
  return frame;
}

FrameBuilder::FrameBuilder() : zstd_(NewCompressState()) {}
FrameBuilder::~FrameBuilder() { FreeCompressState(zstd_); }

void FrameBuilder::Add(const Scrape& scrape, uint64_t samples) {
  Check(scrapes_ < kMaxScrapesPerFrame, "frames are flushed before they hold too many scrapes");
  AppendScrapeRecord(scrape, &body_);
  ++scrapes_;
  samples_ += samples;
}

std::string FrameBuilder::Finish(uint64_t sequence) {
  Check(body_.size() <= UINT32_MAX, "frames are flushed long before 4 GiB");
  FrameHeader header;
  header.sequence = sequence;
  header.scrapes = scrapes_;
  header.items = samples_;
  header.raw_bytes = static_cast<uint32_t>(body_.size());
  std::string frame(kFrameHeaderBytes, '\0');
  CompressAppend(zstd_, body_, &frame);
  Check(frame.size() - kFrameHeaderBytes <= UINT32_MAX, "zstd adds little");
  header.body_bytes = static_cast<uint32_t>(frame.size() - kFrameHeaderBytes);
  StoreHeader(header, frame.data());
  StoreLittle<uint64_t>(ChecksumWithout({frame}, kChecksumAt), frame.data() + kChecksumAt);
  frame.shrink_to_fit();
  body_.clear();
  scrapes_ = 0;
  samples_ = 0;
  return frame;
}

FrameDecoder::FrameDecoder() : zstd_(NewDecompressState()) {}
FrameDecoder::~FrameDecoder() { FreeDecompressState(zstd_); }

absl::StatusOr<std::vector<Scrape>> FrameDecoder::Decode(std::string_view frame,
                                                         const LayoutSizes& sizes,
                                                         size_t max_raw_bytes) {
  const absl::StatusOr<FrameHeader> header = ParseFrameHeader(frame);
  if (!header.ok()) return header.status();
  if (absl::Status s = VerifyFrame(*header, {frame}); !s.ok()) return s;
  if (header->kind != FrameKind::kMetrics) return absl::DataLossError("frame: not metrics");
  if (header->raw_bytes > max_raw_bytes) return absl::DataLossError("frame: raw size over limit");
  const size_t needed = header->raw_bytes + kColumnPadding;
  if (raw_.size() < needed) raw_.resize(needed);
  if (absl::Status s =
          DecompressExactly(zstd_, frame.substr(kFrameHeaderBytes), raw_.data(), header->raw_bytes);
      !s.ok()) {
    return s;
  }
  std::vector<Scrape> scrapes;
  uint64_t samples = 0;
  ByteCursor body(std::string_view(raw_.data(), header->raw_bytes));
  while (!body.done()) {
    if (scrapes.size() == header->scrapes)
      return absl::DataLossError("frame: more scrapes than told");
    absl::StatusOr<Scrape> scrape = ReadScrapeRecord(&body, sizes, &samples);
    if (!scrape.ok()) return scrape.status();
    scrapes.push_back(*std::move(scrape));
  }
  if (scrapes.size() != header->scrapes)
    return absl::DataLossError("frame: fewer scrapes than told");
  if (samples != header->items)
    return absl::DataLossError("frame: samples differ from the header's");
  return scrapes;
}

}  // namespace ampari
