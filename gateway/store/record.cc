#include "gateway/store/record.h"

#include <xxhash.h>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace ampari {
namespace {

constexpr uint8_t kRecordVersion = 1;
constexpr size_t kChecksumAt = kRecordHeaderBytes - 8;

void Put64(std::string* out, uint64_t value) {
  for (int shift = 0; shift < 64; shift += 8) out->push_back(static_cast<char>(value >> shift));
}

uint64_t Get64(std::string_view bytes, size_t at) {
  uint64_t value = 0;
  for (size_t i = 0; i < 8; ++i) {
    value |= uint64_t{static_cast<uint8_t>(bytes[at + i])} << (8 * i);
  }
  return value;
}

}  // namespace

size_t FrameBytes::size() const {
  size_t total = 0;
  for (std::string_view piece : pieces) total += piece.size();
  return total;
}

std::string EncodeRecordHeader(const RecordHeader& header, uint64_t sequence,
                               uint32_t frame_bytes) {
  std::string out;
  out.reserve(kRecordHeaderBytes);
  Put64(&out,
        uint64_t{kRecordVersion} | uint64_t{header.lane} << 8 | uint64_t{header.instance} << 32);
  for (uint64_t value : {header.frame_sequence, header.items, header.cumulative_items,
                         header.cumulative_bytes, header.lane_items, header.lane_frames,
                         header.lane_bytes, static_cast<uint64_t>(header.intake_ms),
                         static_cast<uint64_t>(header.origin_ms), uint64_t{frame_bytes}}) {
    Put64(&out, value);
  }
  Put64(&out, XXH3_64bits_withSeed(out.data(), out.size(), sequence));
  return out;
}

absl::StatusOr<RecordHeader> DecodeRecordHeader(std::string_view value, uint64_t sequence) {
  if (value.size() < kRecordHeaderBytes) {
    return absl::DataLossError(absl::StrCat("record ", sequence, ": ", value.size(), " bytes"));
  }
  if (XXH3_64bits_withSeed(value.data(), kChecksumAt, sequence) != Get64(value, kChecksumAt)) {
    return absl::DataLossError(absl::StrCat("record ", sequence, ": header checksum"));
  }
  if (static_cast<uint8_t>(value[0]) != kRecordVersion) {
    return absl::DataLossError(absl::StrCat("record ", sequence, ": version ", int{value[0]}));
  }
  RecordHeader header;
  header.lane = static_cast<uint8_t>(value[1]);
  header.instance = static_cast<InstanceNumber>(Get64(value, 0) >> 32);
  header.frame_sequence = Get64(value, 8);
  header.items = Get64(value, 16);
  header.cumulative_items = Get64(value, 24);
  header.cumulative_bytes = Get64(value, 32);
  header.lane_items = Get64(value, 40);
  header.lane_frames = Get64(value, 48);
  header.lane_bytes = Get64(value, 56);
  header.intake_ms = static_cast<int64_t>(Get64(value, 64));
  header.origin_ms = static_cast<int64_t>(Get64(value, 72));
  if (header.lane >= kLanes || Get64(value, 80) != value.size() - kRecordHeaderBytes) {
    return absl::DataLossError(absl::StrCat("record ", sequence, ": lane or length"));
  }
  return header;
}

absl::StatusOr<RecordPtr> DecodeRecord(std::string_view value, uint64_t sequence) {
  absl::StatusOr<RecordHeader> header = DecodeRecordHeader(value, sequence);
  if (!header.ok()) return header.status();
  auto record = std::make_shared<Record>();
  record->sequence = sequence;
  record->header = *header;
  record->frame.assign(value.substr(kRecordHeaderBytes));
  return RecordPtr(std::move(record));
}

uint8_t LaneOf(std::string_view entry, std::string_view forwarder_name) {
  std::string name(entry);
  name.push_back('\0');
  name.append(forwarder_name);
  return static_cast<uint8_t>(XXH3_64bits(name.data(), name.size()) % kLanes);
}

}  // namespace ampari
