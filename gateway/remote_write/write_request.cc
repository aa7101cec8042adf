#include "gateway/remote_write/write_request.h"

#include <snappy.h>

#include <cstring>
#include <vector>

#include "common/labels/varint.h"
#include "common/runtime/check.h"
#include "gateway/layouts/label_copies.h"

namespace ampari {
namespace {

// Tags: field number << 3 | wire type.
constexpr char kTimeseriesTag = 0x0a, kMetadataTag = 0x1a;  // of WriteRequest
constexpr char kSamplesTag = 0x12;                          // of TimeSeries
constexpr char kValueTag = 0x09, kTimestampTag = 0x10;      // of Sample
constexpr char kTypeTag = 0x08, kFamilyTag = 0x12, kHelpTag = 0x22,
               kUnitTag = 0x2a;  // of MetricMetadata

// A timestamp as it is written into every sample of a scrape.
struct EncodedTime {
  char bytes[kMaxVarintBytes] = {};
  uint8_t size = 0;
  explicit EncodedTime(int64_t timestamp_ms) {
    size = static_cast<uint8_t>(WriteVarint(bytes, static_cast<uint64_t>(timestamp_ms)) - bytes);
  }
};

constexpr size_t kSampleHead = 2, kValueField = 9;

size_t SampleSize(const EncodedTime& time) { return kSampleHead + kValueField + 1 + time.size; }

// May write up to kMaxVarintBytes bytes beyond the sample's end, which the caller has reserved.
char* PutSample(char* out, uint64_t bits, const EncodedTime& time) {
  out[0] = kSamplesTag;
  out[1] = static_cast<char>(kValueField + 1 + time.size);
  out[2] = kValueTag;
  std::memcpy(out + 3, &bits, sizeof(bits));
  out[11] = kTimestampTag;
  std::memcpy(out + 12, time.bytes, kMaxVarintBytes);
  return out + 12 + time.size;
}

// The series written last: what the next one's labels repeat is taken from there.
struct LastSeries {
  std::string_view labels;
  size_t labels_at = 0;  // in the plain request
};

// Writes the series of one slice.
class SliceWriter {
 public:
  SliceWriter(const GroupSlice& slice, SnappyWriter& out, LastSeries& last,
              std::vector<LabelCopy>& scratch)
      : slice_(slice), layout_(*slice.group->layout), out_(out), last_(last), scratch_(scratch) {
    for (uint32_t c = slice.column; c < slice.column_upto; ++c) {
      const SampleColumn& column = slice.group->columns[c];
      cursors_.emplace_back(column, slice.first);
      times_.emplace_back(column.timestamp_ms);
    }
    present_.reserve(cursors_.size());
  }

  void Write() {
    for (uint32_t position = slice_.first; position < slice_.upto; ++position) {
      const size_t samples_size = Collect(position);
      if (layout_.fates[position] != SeriesFate::kSent) continue;
      if (samples_size != 0) WriteSeries(position, samples_size);
      follows_ = samples_size != 0;
    }
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

  void WriteSeries(uint32_t position, size_t samples_size) {
    const uint32_t begin = layout_.offsets[position];
    const std::string_view labels(layout_.label_bytes.data() + begin,
                                  layout_.offsets[position + 1] - begin);
    char* space = out_.Space();
    *space++ = kTimeseriesTag;
    out_.Advance(WriteVarint(space, labels.size() + samples_size));
    WriteLabels(position, labels);
    for (const Present& sample : present_)
      out_.Advance(PutSample(out_.Space(), sample.bits, sample.time));
  }

  // The copies that the layout knows, when the series before is the one they are of; else those
  // found now.
  std::span<const LabelCopy> CopiesOf(uint32_t position, std::string_view labels) {
    if (follows_ && !layout_.copy_offsets.empty()) {
      const uint32_t first = layout_.copy_offsets[position];
      return {layout_.copies.data() + first, layout_.copy_offsets[position + 1] - first};
    }
    scratch_.clear();
    AppendLabelCopies(last_.labels, labels, scratch_);
    return scratch_;
  }

  void WriteLabels(uint32_t position, std::string_view labels) {
    const size_t labels_at = out_.plain_size();
    size_t done = 0;
    for (const LabelCopy& copy : CopiesOf(position, labels)) {
      const size_t distance = labels_at + copy.at - (last_.labels_at + copy.from);
      if (distance > SnappyWriter::kMaxDistance) continue;
      out_.Literal(labels.substr(done, copy.at - done));
      out_.Copy(distance, copy.size);
      done = copy.at + copy.size;
    }
    out_.Literal(labels.substr(done));
    last_ = {labels, labels_at};
  }

  const GroupSlice& slice_;
  const RenderedLayout& layout_;
  SnappyWriter& out_;
  LastSeries& last_;
  std::vector<LabelCopy>& scratch_;
  bool follows_ = false;  // the last sent position before is the series written last
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
  out = WriteVarint(out, text.size());
  std::memcpy(out, text.data(), text.size());
  return out + text.size();
}

size_t MetadataSize(const FamilyMetadata& family) {
  return (family.type == MetricType::kUnknown ? 0 : 2) + TextFieldSize(family.family) +
         TextFieldSize(family.help) + TextFieldSize(family.unit);
}

char* PutMetadata(char* out, const FamilyMetadata& family) {
  *out++ = kMetadataTag;
  out = WriteVarint(out, MetadataSize(family));
  if (family.type != MetricType::kUnknown) {
    *out++ = kTypeTag;
    *out++ = static_cast<char>(family.type);
  }
  out = PutText(out, kFamilyTag, family.family);
  out = PutText(out, kHelpTag, family.help);
  return PutText(out, kUnitTag, family.unit);
}

}  // namespace

std::string WriteRequestEncoder::Encode(const RequestPlan& plan) {
  writer_.Begin(plan.plain_bytes);
  LastSeries last;
  for (const GroupSlice& slice : plan.slices) SliceWriter(slice, writer_, last, scratch_).Write();
  Check(writer_.plain_size() <= plan.plain_bytes, "a request outgrew its bound");
  return writer_.Finish();
}

std::string WriteRequestEncoder::EncodeMetadata(std::span<const FamilyMetadata> families) {
  size_t bytes = 0;
  for (const FamilyMetadata& family : families) bytes += 1 + kMaxVarintBytes + MetadataSize(family);
  std::string plain(bytes, '\0');
  char* out = plain.data();
  for (const FamilyMetadata& family : families) out = PutMetadata(out, family);
  std::string body;
  snappy::Compress(plain.data(), static_cast<size_t>(out - plain.data()), &body);
  return body;
}

}  // namespace ampari
