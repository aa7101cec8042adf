#include "common/frame/registration_header.h"

#include <cstring>

#include "absl/strings/str_cat.h"
#include "common/frame/checksum.h"
#include "common/frame/fixed_int.h"

namespace ampari {
namespace {

constexpr char kMagic[4] = {'A', 'M', 'P', 'R'};
constexpr uint8_t kVersion = 1;
constexpr size_t kVersionAt = 4, kReservedAt = 5, kFlagsAt = 6, kNumberAt = 8, kFirstSeriesAt = 16,
                 kFirstLayoutAt = 24, kSeriesAt = 32, kLayoutsAt = 36, kRawBytesAt = 40,
                 kPayloadBytesAt = 44, kChecksumAt = 48;
static_assert(kChecksumAt + sizeof(uint64_t) == kRegistrationHeaderBytes);

absl::Status Malformed(const std::string& what) {
  return absl::DataLossError(absl::StrCat("registration header: ", what));
}

absl::Status CheckFixedFields(std::string_view bytes) {
  const char* at = bytes.data();
  if (std::memcmp(at, kMagic, sizeof kMagic) != 0) return Malformed("magic");
  const auto version = LoadLittle<uint8_t>(at + kVersionAt);
  if (version != kVersion) return Malformed(absl::StrCat("version ", version));
  if (LoadLittle<uint8_t>(at + kReservedAt) != 0) return Malformed("reserved byte");
  if (LoadLittle<uint16_t>(at + kFlagsAt) != 0) return Malformed("flags");
  if (LoadLittle<uint32_t>(at + kPayloadBytesAt) != bytes.size() - kRegistrationHeaderBytes) {
    return Malformed("length");
  }
  if (ChecksumWithout({bytes}, kChecksumAt) != LoadLittle<uint64_t>(at + kChecksumAt)) {
    return Malformed("checksum");
  }
  return absl::OkStatus();
}

// A range of numbers, empty or [first, first + count) with 1 <= first and no overflow.
bool IsRange(uint64_t first, uint32_t count) {
  return count == 0 || (first != 0 && first <= UINT64_MAX - count);
}

absl::Status CheckNumbers(const RegistrationHeader& header) {
  if (header.number == 0) return Malformed("number 0");
  if (!IsRange(header.first_series, header.series)) return Malformed("series range");
  if (!IsRange(header.first_layout, header.layouts)) return Malformed("layout range");
  if (header.raw_bytes > kMaxRegistrationRawBytes) return Malformed("raw size over limit");
  // A series takes two bytes or more, a layout three.
  if (header.series > header.raw_bytes / 2) return Malformed("more series than bytes");
  if (header.layouts > header.raw_bytes / 3) return Malformed("more layouts than bytes");
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<RegistrationHeader> ParseRegistrationHeader(std::string_view bytes) {
  if (bytes.size() < kRegistrationHeaderBytes) return Malformed("it is cut");
  if (absl::Status s = CheckFixedFields(bytes); !s.ok()) return s;
  const char* at = bytes.data();
  RegistrationHeader header;
  header.number = LoadLittle<uint64_t>(at + kNumberAt);
  header.first_series = LoadLittle<uint64_t>(at + kFirstSeriesAt);
  header.first_layout = LoadLittle<uint64_t>(at + kFirstLayoutAt);
  header.series = LoadLittle<uint32_t>(at + kSeriesAt);
  header.layouts = LoadLittle<uint32_t>(at + kLayoutsAt);
  header.raw_bytes = LoadLittle<uint32_t>(at + kRawBytesAt);
  if (absl::Status s = CheckNumbers(header); !s.ok()) return s;
  return header;
}

void StoreRegistrationHeader(const RegistrationHeader& header, std::string* block) {
  char* at = block->data();
  std::memset(at, 0, kRegistrationHeaderBytes);
  std::memcpy(at, kMagic, sizeof kMagic);
  StoreLittle<uint8_t>(kVersion, at + kVersionAt);
  StoreLittle<uint64_t>(header.number, at + kNumberAt);
  StoreLittle<uint64_t>(header.first_series, at + kFirstSeriesAt);
  StoreLittle<uint64_t>(header.first_layout, at + kFirstLayoutAt);
  StoreLittle<uint32_t>(header.series, at + kSeriesAt);
  StoreLittle<uint32_t>(header.layouts, at + kLayoutsAt);
  StoreLittle<uint32_t>(header.raw_bytes, at + kRawBytesAt);
  StoreLittle<uint32_t>(static_cast<uint32_t>(block->size() - kRegistrationHeaderBytes),
                        at + kPayloadBytesAt);
  StoreLittle<uint64_t>(ChecksumWithout({*block}, kChecksumAt), at + kChecksumAt);
}

}  // namespace ampari
