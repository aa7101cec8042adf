#include "gateway/remote_write/write_request.h"

#include <snappy.h>

#include <cstring>
#include <vector>

#include "common/runtime/check.h"

namespace ampari {
namespace {

// Tags: field number << 3 | wire type.
constexpr char kTimeseriesTag = 0x0a, kMetadataTag = 0x1a;  // of WriteRequest
constexpr char kSamplesTag = 0x12;                          // of TimeSeries
constexpr char kValueTag = 0x09, kTimestampTag = 0x10;      // of Sample
constexpr char kTypeTag = 0x08, kFamilyTag = 0x12, kHelpTag = 0x22,
               kUnitTag = 0x2a;  // of MetricMetadata

constexpr size_t kMaxVarint = 10;

size_t VarintSize(uint64_t value) {
  size_t size = 1;
  for (; value >= 0x80; value >>= 7) ++size;
  return size;
}

char* PutVarint(char* out, uint64_t value) {
  for (; value >= 0x80; value >>= 7) *out++ = static_cast<char>(value | 0x80);
  *out++ = static_cast<char>(value);
  return out;
}

// A timestamp as it is written into every sample of a scrape.
struct EncodedTime {
  char bytes[kMaxVarint] = {};
  uint8_t size = 0;
  explicit EncodedTime(int64_t timestamp_ms) {
    size = static_cast<uint8_t>(PutVarint(bytes, static_cast<uint64_t>(timestamp_ms)) - bytes);
  }
};

constexpr size_t kSampleHead = 2, kValueField = 9;

size_t SampleSize(const EncodedTime& time) { return kSampleHead + kValueField + 1 + time.size; }

// May write up to kMaxVarint bytes beyond the sample's end, which the caller has reserved.
char* PutSample(char* out, uint64_t bits, const EncodedTime& time) {
  out[0] = kSamplesTag;
  out[1] = static_cast<char>(kValueField + 1 + time.size);
  out[2] = kValueTag;
  std::memcpy(out + 3, &bits, sizeof(bits));
  out[11] = kTimestampTag;
  std::memcpy(out + 12, time.bytes, kMaxVarint);
  return out + 12 + time.size;
}

// The columns of one slice, with the samples of the position at hand.
class SliceWriter {
 public:
  explicit SliceWriter(const GroupSlice& slice) : slice_(slice) {
    for (uint32_t c = slice.column; c < slice.column_upto; ++c) {
      const SampleColumn& column = slice.group->columns[c];
      cursors_.emplace_back(column, slice.first);
      times_.emplace_back(column.timestamp_ms);
    }
    present_.reserve(cursors_.size());
  }

  char* Write(char* out) {
    const RenderedLayout& layout = *slice_.group->layout;
    for (uint32_t position = slice_.first; position < slice_.upto; ++position) {
      const size_t samples_size = Collect(position);
      if (samples_size == 0 || layout.fates[position] != SeriesFate::kSent) continue;
      const uint32_t begin = layout.offsets[position];
      const size_t labels_size = layout.offsets[position + 1] - begin;
      *out++ = kTimeseriesTag;
      out = PutVarint(out, labels_size + samples_size);
      std::memcpy(out, layout.label_bytes.data() + begin, labels_size);
      out += labels_size;
      for (const Present& sample : present_) out = PutSample(out, sample.bits, sample.time);
    }
    return out;
  }

 private:
  struct Present {
    uint64_t bits;
    EncodedTime time;
  };

  size_t Collect(uint32_t position) {
    present_.clear();
    size_t size = 0;
    ColumnCursor::Sample sample;
    for (size_t c = 0; c < cursors_.size(); ++c) {
      if (!cursors_[c].Take(position, &sample)) continue;
      present_.push_back(
          {sample.bits, sample.own_timestamp ? EncodedTime(sample.timestamp_ms) : times_[c]});
      size += SampleSize(present_.back().time);
    }
    return size;
  }

  const GroupSlice& slice_;
  std::vector<ColumnCursor> cursors_;
  std::vector<EncodedTime> times_;
  std::vector<Present> present_;
};

size_t TextFieldSize(std::string_view text) {
  return text.empty() ? 0 : 1 + VarintSize(text.size()) + text.size();
}

char* PutText(char* out, char tag, std::string_view text) {
  if (text.empty()) return out;
  *out++ = tag;
  out = PutVarint(out, text.size());
  std::memcpy(out, text.data(), text.size());
  return out + text.size();
}

size_t MetadataSize(const FamilyMetadata& family) {
  return (family.type == MetricType::kUnknown ? 0 : 2) + TextFieldSize(family.family) +
         TextFieldSize(family.help) + TextFieldSize(family.unit);
}

char* PutMetadata(char* out, const FamilyMetadata& family) {
  *out++ = kMetadataTag;
  out = PutVarint(out, MetadataSize(family));
  if (family.type != MetricType::kUnknown) {
    *out++ = kTypeTag;
    *out++ = static_cast<char>(family.type);
  }
  out = PutText(out, kFamilyTag, family.family);
  out = PutText(out, kHelpTag, family.help);
  return PutText(out, kUnitTag, family.unit);
}

}  // namespace

void WriteRequestEncoder::Reserve(size_t bytes) {
  if (bytes <= plain_capacity_) return;
  plain_ = std::make_unique_for_overwrite<char[]>(bytes);
  plain_capacity_ = bytes;
}

std::string WriteRequestEncoder::Compress() {
  const size_t bound = snappy::MaxCompressedLength(plain_size_);
  if (bound > compressed_capacity_) {
    compressed_ = std::make_unique_for_overwrite<char[]>(bound);
    compressed_capacity_ = bound;
  }
  size_t size = 0;
  snappy::RawCompress(plain_.get(), plain_size_, compressed_.get(), &size);
  return std::string(compressed_.get(), size);
}

std::string WriteRequestEncoder::Encode(const RequestPlan& plan) {
  Reserve(plan.plain_bytes + kMaxVarint);
  char* out = plain_.get();
  for (const GroupSlice& slice : plan.slices) out = SliceWriter(slice).Write(out);
  plain_size_ = static_cast<size_t>(out - plain_.get());
  Check(plain_size_ <= plan.plain_bytes, "a request outgrew its bound");
  return Compress();
}

std::string WriteRequestEncoder::EncodeMetadata(std::span<const FamilyMetadata> families) {
  size_t bytes = 0;
  for (const FamilyMetadata& family : families) bytes += 1 + kMaxVarint + MetadataSize(family);
  Reserve(bytes);
  char* out = plain_.get();
  for (const FamilyMetadata& family : families) out = PutMetadata(out, family);
  plain_size_ = static_cast<size_t>(out - plain_.get());
  return Compress();
}

}  // namespace ampari
