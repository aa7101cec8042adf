#include "gateway/delivery/range_frames.h"

#include <algorithm>
#include <string>
#include <utility>

namespace ampari {
namespace {

constexpr size_t kMaxAsideWords = 256;

}  // namespace

bool MayBeAttempted(const Lane& lane, size_t index, int64_t started_ms) {
  const Record& record = *lane.buffer[index];
  return record.sequence < lane.attempted_below ||
         (index < lane.attempted_left && record.header.intake_ms < started_ms);
}

void NoteSettled(const Record& record, Settlement& settlement) {
  for (auto& [instance, sequence] : settlement.settled) {
    if (instance != record.header.instance) continue;
    sequence = std::max(sequence, record.header.frame_sequence);
    return;
  }
  settlement.settled.emplace_back(record.header.instance, record.header.frame_sequence);
}

bool IsUndecodable(const absl::Status& status) {
  return absl::IsDataLoss(status) || absl::IsNotFound(status) || absl::IsUnimplemented(status) ||
         absl::IsInvalidArgument(status);
}

AsideFrame Quarantined(const Record& record, const absl::Status& why) {
  std::string words(why.message());
  if (words.size() > kMaxAsideWords) words.resize(kMaxAsideWords);
  return {record.sequence, AsideReason::kQuarantined, record.header.items, std::move(words)};
}

void TakeFrames(size_t frames, uint64_t items, Lane& lane) {
  lane.range_origin_ms = lane.buffer.front()->header.origin_ms;
  for (size_t i = 0; i < frames; ++i) {
    if (lane.instances.size() >= kRememberedInstances) lane.instances.clear();
    lane.instances.insert(lane.buffer.front()->header.instance);
    lane.PopFront();
  }
  const auto count = static_cast<uint32_t>(frames);
  lane.attempted_left -= std::min(lane.attempted_left, count);
  lane.range_frames = count;
  lane.range_items = items;
  lane.blind_halvings = 0;
  lane.frames_ahead += count;
}

}  // namespace ampari
