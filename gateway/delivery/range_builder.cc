#include "gateway/delivery/range_builder.h"

#include <algorithm>
#include <utility>

namespace ampari {
namespace {

constexpr size_t kMaxAsideWords = 256;
constexpr size_t kMaxMetadataPerRange = 10'000;

bool MayBeAttempted(const RangeRules& rules, const Lane& lane, const Record& record, size_t index) {
  return record.sequence < lane.attempted_below ||
         (index < lane.attempted_left && record.header.intake_ms < rules.started_ms);
}

void NoteSettled(const Record& record, Settlement& settlement) {
  for (auto& [instance, sequence] : settlement.settled) {
    if (instance != record.header.instance) continue;
    sequence = std::max(sequence, record.header.frame_sequence);
    return;
  }
  settlement.settled.emplace_back(record.header.instance, record.header.frame_sequence);
}

AsideFrame Quarantined(const Record& record, const absl::Status& why) {
  std::string words(why.message());
  if (words.size() > kMaxAsideWords) words.resize(kMaxAsideWords);
  return {record.sequence, AsideReason::kQuarantined, record.header.items, std::move(words)};
}

}  // namespace

// Frames of a range are all fresh or all perhaps sent before, within the bounds, and of instances
// seen before: a new instance may repeat the series of an older one.
size_t RangeBuilder::PickFrames(const RangeRules& rules, const Lane& lane, bool* attempted) const {
  *attempted = MayBeAttempted(rules, lane, *lane.buffer.front(), 0);
  size_t frames = 0;
  uint64_t samples = 0;
  for (const RecordPtr& record : lane.buffer) {
    samples += record->header.items;
    if (frames > 0) {
      if (frames == kMaxRangeFrames || lane.frames_ahead + frames == kMaxFramesAhead) break;
      if (samples > kMaxRangeSamples) break;
      if (MayBeAttempted(rules, lane, *record, frames) != *attempted) break;
      if (!lane.instances.contains(record->header.instance)) break;
    }
    ++frames;
    if (frames == 1 && !lane.instances.contains(record->header.instance)) break;
  }
  return frames;
}

void RangeBuilder::NoteOverLimit(const DecodedColumn& column) {
  for (const auto& [position, words] : column.layout->over_limit_examples) {
    if (over_limit_.size() >= kMaxOverLimitExamples && !over_limit_.contains(words)) continue;
    ++over_limit_[words];
  }
}

// What is not sent is counted here, and what is too old taken out.
void RangeBuilder::CountUnsent(const RangeRules& rules, absl::Time now, DecodedFrame& frame,
                               Settlement& settlement) {
  int64_t oldest_ms = INT64_MIN;
  if (rules.sample_age_limit > absl::ZeroDuration())
    oldest_ms = absl::ToUnixMillis(now - rules.sample_age_limit);
  std::vector<DecodedColumn> kept;
  for (DecodedColumn& column : frame.columns) {
    if (column.column.timestamp_ms < oldest_ms) {
      settlement.expired["sample_age_limit"] += column.column.samples(column.layout->size());
      continue;
    }
    settlement.dropped += CountSamples(column.column, *column.layout, SeriesFate::kDropped);
    if (column.layout->over_limit != 0) {
      const uint64_t refused = CountSamples(column.column, *column.layout, SeriesFate::kOverLimit);
      if (refused != 0) settlement.rejected["limit"] += refused;
      NoteOverLimit(column);
    }
    kept.push_back(std::move(column));
  }
  frame.columns = std::move(kept);
}

absl::Status RangeBuilder::Build(RecordSource& source, const RangeRules& rules, absl::Time now,
                                 Lane& lane) {
  bool attempted = false;
  const size_t wanted = PickFrames(rules, lane, &attempted);
  Settlement settlement;
  settlement.lane = lane.number;
  settlement.from = lane.cursor;
  StageComposer composer(rules.merging,
                         std::min<uint64_t>(kMaxFramesAhead, rules.bounds.max_samples));
  uint64_t items = 0;
  size_t frames = 0;
  metadata_.clear();
  for (; frames < wanted; ++frames) {
    const Record& record = *lane.buffer[frames];
    absl::StatusOr<DecodedFrame> frame = reader_.Read(record, rules.render);
    if (frame.ok()) {
      CountUnsent(rules, now, *frame, settlement);
      for (FamilyMetadata& family : frame->metadata) {
        if (metadata_.size() < kMaxMetadataPerRange) metadata_.push_back(std::move(family));
      }
      composer.Add(*std::move(frame));
    } else if (IsUndecodable(frame.status())) {
      settlement.aside.push_back(Quarantined(record, frame.status()));
    } else if (frames == 0) {
      return absl::UnavailableError(frame.status().message());
    } else {
      break;
    }
    items += record.header.items;
    NoteSettled(record, settlement);
  }
  settlement.upto = lane.buffer[frames - 1]->sequence + 1;
  if (!source.Claim(lane.number, settlement.from, settlement.upto))
    return absl::AbortedError("frames expired");
  lane.range_origin_ms = lane.buffer.front()->header.origin_ms;
  for (size_t i = 0; i < frames; ++i) {
    if (lane.instances.size() >= kRememberedInstances) lane.instances.clear();
    lane.instances.insert(lane.buffer.front()->header.instance);
    lane.PopFront();
  }
  lane.attempted_left -= std::min<uint32_t>(lane.attempted_left, static_cast<uint32_t>(frames));
  lane.range_frames = static_cast<uint32_t>(frames);
  lane.range_items = items;
  lane.frames_ahead += lane.range_frames;
  lane.range = std::make_unique<LaneRange>(composer.Finish(), rules.bounds, std::move(settlement),
                                           items, attempted);
  return absl::OkStatus();
}

}  // namespace ampari
