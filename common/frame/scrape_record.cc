#include "common/frame/scrape_record.h"

#include "absl/strings/str_cat.h"
#include "common/frame/sections.h"
#include "common/frame/value_column.h"
#include "common/runtime/check.h"

namespace ampari {
namespace {

// A record's length is written after the record, into this many bytes: a varint that is padded to
// its full width.
constexpr size_t kLengthBytes = 4;
constexpr size_t kMaxRecordBytes = size_t{1} << (7 * kLengthBytes);

void StorePaddedVarint(size_t value, char* at) {
  for (size_t i = 0; i + 1 < kLengthBytes; ++i, value >>= 7)
    at[i] = static_cast<char>(value | 0x80);
  at[kLengthBytes - 1] = static_cast<char>(value);
}

absl::Status Malformed(const std::string& what) {
  return absl::DataLossError(absl::StrCat("scrape record: ", what));
}

absl::Status LayoutSize(const LayoutSizes& sizes, uint64_t layout, uint32_t* size) {
  if (layout == 0 || sizes.Size(layout, size)) return absl::OkStatus();
  return absl::NotFoundError(absl::StrCat("layout ", layout, " is unknown"));
}

bool FitsPositions(const Scrape& scrape, uint32_t body_size, uint32_t stale_size) {
  if (!scrape.absent.empty() && scrape.absent.back() >= body_size) return false;
  if (!scrape.timestamps.empty() && scrape.timestamps.back().position >= body_size) return false;
  return scrape.stale_positions.empty() || scrape.stale_positions.back() < stale_size;
}

absl::Status CheckAgainstLayouts(const Scrape& scrape, const LayoutSizes& sizes,
                                 uint64_t* samples) {
  uint32_t body = 0, report = 0, stale = 0;
  if (absl::Status s = LayoutSize(sizes, scrape.body_layout, &body); !s.ok()) return s;
  if (absl::Status s = LayoutSize(sizes, scrape.report_layout, &report); !s.ok()) return s;
  if (absl::Status s = LayoutSize(sizes, scrape.stale_layout, &stale); !s.ok()) return s;
  if (!FitsPositions(scrape, body, stale)) return Malformed("a position is outside its layout");
  const size_t body_values = scrape.all_stale ? 0 : body - scrape.absent.size();
  if (scrape.body_values.size() != body_values) return Malformed("values differ from the layout");
  const size_t report_values = scrape.report_stale ? 0 : report;
  if (scrape.report_values.size() != report_values) {
    return Malformed("report values differ from the layout");
  }
  *samples += SampleCount(scrape, body, report);
  return absl::OkStatus();
}

}  // namespace

uint64_t SampleCount(const Scrape& scrape, uint64_t body_size, uint64_t report_size) {
  return body_size - scrape.absent.size() + report_size + scrape.stale_positions.size();
}

size_t EncodedScrapeBound(const Scrape& scrape) {
  return kLengthBytes + 3 * kMaxVarintBytes + ValueColumnBound(scrape.body_values.size()) +
         ValueColumnBound(scrape.report_values.size()) + SectionsBound(scrape);
}

void AppendScrapeRecord(const Scrape& scrape, std::string* out) {
  const size_t length_at = out->size();
  out->append(kLengthBytes, '\0');
  AppendVarint(ZigZag(scrape.timestamp_ms), out);
  AppendVarint(scrape.body_layout, out);
  AppendVarint(scrape.report_layout, out);
  AppendValueColumn(scrape.body_values, out);
  AppendValueColumn(scrape.report_values, out);
  AppendSections(scrape, out);
  const size_t length = out->size() - length_at - kLengthBytes;
  Check(length < kMaxRecordBytes, "a scrape is bounded before it is encoded");
  StorePaddedVarint(length, out->data() + length_at);
}

absl::StatusOr<Scrape> ReadScrapeRecord(ByteCursor* in, const LayoutSizes& sizes,
                                        uint64_t* samples) {
  std::string_view bytes;
  if (!in->ReadString(&bytes)) return Malformed("it is cut");
  ByteCursor record(bytes);
  Scrape scrape;
  uint64_t timestamp = 0;
  if (!record.ReadVarint(&timestamp) || !record.ReadVarint(&scrape.body_layout) ||
      !record.ReadVarint(&scrape.report_layout)) {
    return Malformed("its head is cut");
  }
  scrape.timestamp_ms = UnZigZag(timestamp);
  if (!ReadValueColumn(&record, &scrape.body_values)) return Malformed("its values are malformed");
  if (!ReadValueColumn(&record, &scrape.report_values)) {
    return Malformed("its report values are malformed");
  }
  if (absl::Status s = ReadSections(&record, &scrape); !s.ok()) return s;
  if (absl::Status s = CheckAgainstLayouts(scrape, sizes, samples); !s.ok()) return s;
  return scrape;
}

}  // namespace ampari
