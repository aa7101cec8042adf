#include "forwarder/shipping/log_parts.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "common/frame/frame.h"

namespace ampari {

std::vector<LogFilePart> PartsOf(const std::string& frame) {
  const absl::StatusOr<FrameHeader> header = ParseFrameHeader(frame);
  if (!header.ok() || header->kind != FrameKind::kLogs) return {};
  const std::string_view behind = std::string_view(frame).substr(kFrameHeaderBytes);
  if (header->positions_bytes > behind.size()) return {};
  auto parts = ParseLogPositions(*header, behind.substr(0, header->positions_bytes));
  if (!parts.ok()) return {};
  return *std::move(parts);
}

absl::flat_hash_map<std::string, FileStart> FirstParts(const Ring& ring, uint64_t from) {
  absl::flat_hash_map<std::string, FileStart> starts;
  for (uint64_t sequence = std::max(from, ring.first()); sequence <= ring.last(); ++sequence) {
    if (ring.At(sequence).frame == nullptr) continue;
    for (const LogFilePart& part : PartsOf(*ring.At(sequence).frame)) {
      starts.try_emplace(part.key, FileStart{part.key, part.from, !part.first});
    }
  }
  return starts;
}

std::vector<LogConflict> Conflicts(const LogPlaces& stored, const std::vector<LogFilePart>& parts) {
  std::vector<LogConflict> conflicts;
  for (const LogFilePart& part : parts) {
    const auto known = stored.find(part.key);
    if (known == stored.end()) {
      if (!part.first) conflicts.push_back({part.key, false, {}});
    } else if (known->second != part.from) {
      conflicts.push_back({part.key, true, known->second});
    }
  }
  return conflicts;
}

}  // namespace ampari
