#include "common/frame/sections.h"

#include "absl/strings/str_cat.h"

namespace ampari {
namespace {

constexpr size_t kMaxSectionHead = 2 * kMaxVarintBytes;
constexpr size_t kMaxPositionBytes = 5;

void AppendSection(SectionId id, bool required, std::string_view bytes, std::string* out) {
  AppendVarint(static_cast<uint64_t>(id) << 1 | (required ? 1 : 0), out);
  AppendString(bytes, out);
}

// Positions ascend: the first, then what is added to the one before, less one.
void AppendPosition(uint32_t position, uint32_t next_free, std::string* out) {
  AppendVarint(position - next_free, out);
}

bool ReadPosition(ByteCursor* in, uint64_t* next_free, uint32_t* position) {
  uint64_t skipped = 0;
  if (!in->ReadVarint(&skipped) || skipped > UINT32_MAX) return false;
  const uint64_t at = *next_free + skipped;
  if (at > UINT32_MAX) return false;
  *position = static_cast<uint32_t>(at);
  *next_free = at + 1;
  return true;
}

void AppendPositions(const std::vector<uint32_t>& positions, std::string* out) {
  AppendVarint(positions.size(), out);
  uint32_t next_free = 0;
  for (const uint32_t position : positions) {
    AppendPosition(position, next_free, out);
    next_free = position + 1;
  }
}

// A count of elements that take at least `smallest` bytes each.
bool ReadCount(ByteCursor* in, size_t smallest, uint64_t* count) {
  return in->ReadVarint(count) && *count <= in->remaining() / smallest;
}

bool ReadPositions(ByteCursor* in, std::vector<uint32_t>* positions) {
  uint64_t count = 0, next_free = 0;
  if (!ReadCount(in, 1, &count)) return false;
  positions->resize(count);
  for (uint32_t& position : *positions) {
    if (!ReadPosition(in, &next_free, &position)) return false;
  }
  return true;
}

std::string EncodeTimestamps(const Scrape& scrape) {
  std::string bytes;
  AppendVarint(scrape.timestamps.size(), &bytes);
  uint32_t next_free = 0;
  for (const PositionTimestamp& stamp : scrape.timestamps) {
    AppendPosition(stamp.position, next_free, &bytes);
    next_free = stamp.position + 1;
    const uint64_t delta =
        static_cast<uint64_t>(stamp.timestamp_ms) - static_cast<uint64_t>(scrape.timestamp_ms);
    AppendVarint(ZigZag(static_cast<int64_t>(delta)), &bytes);
  }
  return bytes;
}

bool ReadTimestamps(ByteCursor* in, Scrape* scrape) {
  uint64_t count = 0, next_free = 0;
  if (!ReadCount(in, 2, &count)) return false;
  scrape->timestamps.resize(count);
  for (PositionTimestamp& stamp : scrape->timestamps) {
    uint64_t delta = 0;
    if (!ReadPosition(in, &next_free, &stamp.position) || !in->ReadVarint(&delta)) return false;
    stamp.timestamp_ms = static_cast<int64_t>(static_cast<uint64_t>(scrape->timestamp_ms) +
                                              static_cast<uint64_t>(UnZigZag(delta)));
  }
  return true;
}

std::string EncodeMetadata(const Scrape& scrape) {
  std::string bytes;
  AppendVarint(scrape.metadata.size(), &bytes);
  for (const FamilyMetadata& family : scrape.metadata) {
    AppendVarint(static_cast<uint64_t>(family.type), &bytes);
    AppendString(family.family, &bytes);
    AppendString(family.help, &bytes);
    AppendString(family.unit, &bytes);
  }
  return bytes;
}

// Elements are appended one by one: reserving by a declared count would turn 4 bytes into over 100.
bool ReadMetadata(ByteCursor* in, Scrape* scrape) {
  uint64_t count = 0;
  if (!ReadCount(in, 4, &count)) return false;
  for (uint64_t i = 0; i < count; ++i) {
    uint64_t type = 0;
    std::string_view family, help, unit;
    if (!in->ReadVarint(&type) || type > static_cast<uint64_t>(MetricType::kStateSet)) return false;
    if (!in->ReadString(&family) || !in->ReadString(&help) || !in->ReadString(&unit)) return false;
    scrape->metadata.push_back(
        {std::string(family), static_cast<MetricType>(type), std::string(help), std::string(unit)});
  }
  return true;
}

bool ReadStalePositions(ByteCursor* in, Scrape* scrape) {
  return in->ReadVarint(&scrape->stale_layout) && ReadPositions(in, &scrape->stale_positions) &&
         scrape->stale_layout != 0 && !scrape->stale_positions.empty();
}

// Reads one section whose id is known. `*known` is false for the others.
bool ReadKnown(uint64_t id, ByteCursor* in, Scrape* scrape, bool* known) {
  switch (static_cast<SectionId>(id)) {
    case SectionId::kAbsent:
      return ReadPositions(in, &scrape->absent) && !scrape->absent.empty();
    case SectionId::kTimestamps:
      return ReadTimestamps(in, scrape) && !scrape->timestamps.empty();
    case SectionId::kAllStale:
      scrape->all_stale = true;
      return true;
    case SectionId::kReportStale:
      scrape->report_stale = true;
      return true;
    case SectionId::kStalePositions:
      return ReadStalePositions(in, scrape);
    case SectionId::kMetadata:
      return ReadMetadata(in, scrape) && !scrape->metadata.empty();
    default:
      *known = false;
      return true;
  }
}

}  // namespace

void AppendSections(const Scrape& scrape, std::string* out) {
  std::string bytes;
  if (!scrape.absent.empty()) {
    AppendPositions(scrape.absent, &bytes);
    AppendSection(SectionId::kAbsent, true, bytes, out);
  }
  if (!scrape.timestamps.empty()) {
    AppendSection(SectionId::kTimestamps, true, EncodeTimestamps(scrape), out);
  }
  if (scrape.all_stale) AppendSection(SectionId::kAllStale, true, {}, out);
  if (scrape.report_stale) AppendSection(SectionId::kReportStale, true, {}, out);
  if (!scrape.stale_positions.empty()) {
    bytes.clear();
    AppendVarint(scrape.stale_layout, &bytes);
    AppendPositions(scrape.stale_positions, &bytes);
    AppendSection(SectionId::kStalePositions, true, bytes, out);
  }
  if (!scrape.metadata.empty()) {
    AppendSection(SectionId::kMetadata, false, EncodeMetadata(scrape), out);
  }
}

size_t SectionsBound(const Scrape& scrape) {
  size_t bound = 6 * (kMaxSectionHead + kMaxVarintBytes) + kMaxVarintBytes;
  bound += (scrape.absent.size() + scrape.stale_positions.size()) * kMaxPositionBytes;
  bound += scrape.timestamps.size() * (kMaxPositionBytes + kMaxVarintBytes);
  for (const FamilyMetadata& family : scrape.metadata) {
    bound +=
        1 + 3 * kMaxVarintBytes + family.family.size() + family.help.size() + family.unit.size();
  }
  return bound;
}

absl::Status ReadSections(ByteCursor* in, Scrape* scrape) {
  uint64_t last_id = 0;
  while (!in->done()) {
    uint64_t tag = 0;
    std::string_view bytes;
    if (!in->ReadVarint(&tag) || !in->ReadString(&bytes)) {
      return absl::DataLossError("a section is cut");
    }
    const uint64_t id = tag >> 1;
    if (id <= last_id) return absl::DataLossError("sections out of order");
    last_id = id;
    bool known = true;
    ByteCursor section(bytes);
    if (!ReadKnown(id, &section, scrape, &known) || (known && !section.done())) {
      return absl::DataLossError(absl::StrCat("section ", id, " is malformed"));
    }
    if (!known && (tag & 1) != 0) {
      return absl::UnimplementedError(absl::StrCat("section ", id, " is required and unknown"));
    }
  }
  return absl::OkStatus();
}

}  // namespace ampari
