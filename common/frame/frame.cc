#include "common/frame/frame.h"

#include "common/frame/compression.h"
#include "common/frame/scrape_record.h"
#include "common/frame/value_column.h"
#include "common/runtime/check.h"

namespace ampari {

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
  SealFrame(header, &frame);
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
