// Frames: the unit of sequence, acknowledgement, storage and delivery. Pure codec; the bytes are in
// FORMAT.md.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/frame/scrape.h"

namespace ampari {

enum class FrameKind : uint8_t { kMetrics = 1, kLogs = 2 };

inline constexpr size_t kFrameHeaderBytes = 48;
// A flush ends earlier: 256 KiB hold some 10,000 of the smallest scrapes. Bounds what a decoder
// allocates.
inline constexpr uint32_t kMaxScrapesPerFrame = 65536;

// The uncompressed head of every frame. All numbers are little-endian; FORMAT.md has the offsets.
struct FrameHeader {
  FrameKind kind = FrameKind::kMetrics;
  uint64_t sequence = 0;         // contiguous from 1 per instance and signal
  uint32_t scrapes = 0;          // scrape records; of logs: files
  uint64_t items = 0;            // samples or lines: what the ledger counts
  uint32_t raw_bytes = 0;        // body before compression
  uint32_t body_bytes = 0;       // body as it follows
  uint32_t positions_bytes = 0;  // of logs: between header and body
  uint64_t checksum = 0;         // XXH3-64 over header (this field zero) and all that follows
};

// Reads and checks everything but lengths and checksum, which VerifyFrame does: magic, version,
// kind, flags, counts. DataLoss names the field. `bytes` begins with the header; what follows it is
// not looked at.
absl::StatusOr<FrameHeader> ParseFrameHeader(std::string_view bytes);
// Checks the checksum over the pieces of one whole frame, without joining them. DataLoss when it
// differs.
absl::Status VerifyFrame(const FrameHeader& header, const std::vector<std::string_view>& pieces);

// Writes `header` into the first kFrameHeaderBytes of the frame, which is otherwise whole, with the
// checksum that belongs there.
void SealFrame(const FrameHeader& header, std::string* frame);

// The same frame under another sequence, its checksum renewed. `frame` is whole and well formed.
std::string WithSequence(std::string frame, uint64_t sequence);

// Collects the scrapes of one flush. Not thread-safe; reusable after Finish().
class FrameBuilder {
 public:
  FrameBuilder();
  ~FrameBuilder();
  FrameBuilder(const FrameBuilder&) = delete;
  FrameBuilder& operator=(const FrameBuilder&) = delete;

  // `samples`: SampleCount of the scrape.
  void Add(const Scrape& scrape, uint64_t samples);
  bool empty() const { return scrapes_ == 0; }
  uint64_t samples() const { return samples_; }
  // Body bytes so far, before compression.
  size_t raw_bytes() const { return body_.size(); }
  // The whole frame (zstd level 1); the builder is empty afterwards.
  std::string Finish(uint64_t sequence);

 private:
  std::string body_;
  uint32_t scrapes_ = 0;
  uint64_t samples_ = 0;
  void* zstd_ = nullptr;  // ZSTD_CCtx, reused
};

// An upper bound of what Add() appends to a body.
size_t EncodedScrapeBound(const Scrape& scrape);

// Sizes of layouts, which a decoder needs to know how many values follow. Returns false for an
// unknown layout.
class LayoutSizes {
 public:
  virtual ~LayoutSizes() = default;
  virtual bool Size(uint64_t layout, uint32_t* size) const = 0;
};

// Decodes the body of a metrics frame. Not thread-safe; buffers are reused from frame to frame.
// Any malformed byte, a wrong checksum, or counts that differ from the header's are DataLoss; an
// unknown required section is Unimplemented; a layout that `sizes` does not know is NotFound.
// raw_bytes is checked against `max_raw_bytes` before anything is allocated.
class FrameDecoder {
 public:
  FrameDecoder();
  ~FrameDecoder();
  FrameDecoder(const FrameDecoder&) = delete;
  FrameDecoder& operator=(const FrameDecoder&) = delete;

  absl::StatusOr<std::vector<Scrape>> Decode(std::string_view frame, const LayoutSizes& sizes,
                                             size_t max_raw_bytes);

 private:
  std::string raw_;
  void* zstd_ = nullptr;  // ZSTD_DCtx, reused
};

}  // namespace ampari
