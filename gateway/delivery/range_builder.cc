#include "gateway/delivery/range_builder.h"

#include <algorithm>
#include <utility>

#include "gateway/delivery/range_frames.h"
#include "gateway/delivery/sample_range.h"

namespace ampari {
namespace {

constexpr size_t kMaxMetadataPerRange = 10'000;

bool HasExpired(const DecodedFrame& frame, int64_t oldest_ms) {
  return std::any_of(
      frame.columns.begin(), frame.columns.end(),
      [oldest_ms](const DecodedColumn& c) { return c.column.timestamp_ms < oldest_ms; });
}

void TakeOutExpired(int64_t oldest_ms, DecodedFrame& frame, Settlement& settlement) {
  std::erase_if(frame.columns, [&](const DecodedColumn& column) {
    if (column.column.timestamp_ms >= oldest_ms) return false;
    settlement.expired["sample_age_limit"] += column.column.samples(column.layout->size());
    return true;
  });
}

uint64_t Mixed(uint64_t hash, uint64_t value) {
  hash = (hash ^ value) * 0x9e3779b97f4a7c15;
  return hash ^ (hash >> 32);
}

// Everything that decides the bytes of the requests that these frames become: the rules, the labels
// in force, which frames could be decoded, and whether they are merged.
uint64_t GenerationOf(const RangeRules& rules, Merging merging,
                      const std::vector<DecodedFrame>& frames) {
  uint64_t hash = Mixed(rules.render.generation, static_cast<uint64_t>(merging));
  for (const DecodedFrame& frame : frames) {
    hash = Mixed(hash, frame.sequence);
    for (const DecodedColumn& column : frame.columns) hash = Mixed(hash, column.layout->generation);
  }
  return hash == IntendedRange::kUnmerged ? 1 : hash;
}

}  // namespace

// A range before anything of it was taken from the lane.
struct RangeBuilder::Draft {
  size_t wanted = 1;  // frames
  bool attempted = false;
  bool intended = false;  // exactly the frames below lane.intended.upto
  Merging merging = Merging::kOn;
  // What was decoded:
  size_t frames = 0;  // of the lane's buffer, those that are set aside included
  std::vector<DecodedFrame> decoded;
  Settlement settlement;
  uint64_t items = 0;
};

// Frames of a range are all fresh or all perhaps sent before, within the bounds, and of instances
// seen before: a new instance may repeat the series of an older one.
size_t RangeBuilder::PickFrames(const RangeRules& rules, const Lane& lane, bool* attempted) {
  *attempted = MayBeAttempted(lane, 0, rules.started_ms);
  size_t frames = 0;
  uint64_t samples = 0;
  for (const RecordPtr& record : lane.buffer) {
    samples += record->header.items;
    if (frames > 0) {
      if (frames == kMaxRangeFrames || lane.frames_ahead + frames == kMaxFramesAhead) break;
      if (samples > kMaxRangeSamples) break;
      if (MayBeAttempted(lane, frames, rules.started_ms) != *attempted) break;
      if (!lane.instances.contains(record->header.instance)) break;
    }
    ++frames;
    if (frames == 1 && !lane.instances.contains(record->header.instance)) break;
  }
  return frames;
}

RangeBuilder::Draft RangeBuilder::PickSingle(const RangeRules& rules, const Lane& lane) {
  Draft draft;
  draft.attempted = MayBeAttempted(lane, 0, rules.started_ms) ||
                    lane.buffer.front()->sequence < lane.intended.upto;
  draft.merging = Merging::kOff;
  return draft;
}

RangeBuilder::Draft RangeBuilder::Pick(const RangeRules& rules, const Lane& lane) {
  if (lane.buffer.front()->sequence < lane.intended.upto) {
    Draft draft = PickSingle(rules, lane);
    draft.intended = lane.intended.generation != IntendedRange::kUnmerged;
    if (draft.intended) {
      draft.wanted = static_cast<size_t>(std::count_if(
          lane.buffer.begin(), lane.buffer.end(),
          [&lane](const RecordPtr& record) { return record->sequence < lane.intended.upto; }));
    }
    return draft;
  }
  Draft draft;
  draft.wanted = PickFrames(rules, lane, &draft.attempted);
  draft.merging = rules.merging;
  return draft;
}

bool RangeBuilder::MatchIntended(const RangeRules& rules, const Lane& lane, Draft& draft) {
  if (lane.next_read < lane.intended.upto) return false;  // more frames than the lane may hold
  for (const Merging merging : {Merging::kOn, Merging::kOff}) {
    if (GenerationOf(rules, merging, draft.decoded) != lane.intended.generation) continue;
    draft.merging = merging;
    return true;
  }
  return false;
}

void RangeBuilder::NoteOverLimit(const DecodedColumn& column) {
  for (const auto& [position, words] : column.layout->over_limit_examples) {
    if (over_limit_.size() >= kMaxOverLimitExamples && !over_limit_.contains(words)) continue;
    ++over_limit_[words];
  }
}

void RangeBuilder::CountUnsent(const DecodedFrame& frame, Settlement& settlement) {
  for (const DecodedColumn& column : frame.columns) {
    settlement.dropped += CountSamples(column.column, *column.layout, SeriesFate::kDropped);
    if (column.layout->over_limit == 0) continue;
    const uint64_t refused = CountSamples(column.column, *column.layout, SeriesFate::kOverLimit);
    if (refused != 0) settlement.rejected["limit"] += refused;
  }
}

// A merged range has no sample that the age limit takes out, so that it is composed the same
// however much later: a frame with such samples is a range by itself.
absl::Status RangeBuilder::Decode(const RangeRules& rules, absl::Time now, const Lane& lane,
                                  Draft& draft) {
  int64_t oldest_ms = INT64_MIN;
  if (rules.sample_age_limit > absl::ZeroDuration() && !draft.intended)
    oldest_ms = absl::ToUnixMillis(now - rules.sample_age_limit);
  for (; draft.frames < draft.wanted; ++draft.frames) {
    const Record& record = *lane.buffer[draft.frames];
    absl::StatusOr<DecodedFrame> frame = reader_.Read(record, rules.render);
    if (frame.ok()) {
      if (HasExpired(*frame, oldest_ms)) {
        if (draft.frames > 0) break;
        draft.wanted = 1;
        TakeOutExpired(oldest_ms, *frame, draft.settlement);
      }
      CountUnsent(*frame, draft.settlement);
      draft.decoded.push_back(*std::move(frame));
    } else if (IsUndecodable(frame.status())) {
      draft.settlement.aside.push_back(Quarantined(record, frame.status()));
    } else if (draft.frames == 0 || draft.intended) {
      return absl::UnavailableError(frame.status().message());
    } else {
      break;
    }
    draft.items += record.header.items;
    NoteSettled(record, draft.settlement);
  }
  draft.settlement.lane = lane.number;
  draft.settlement.from = lane.cursor;
  draft.settlement.upto = lane.buffer[draft.frames - 1]->sequence + 1;
  return absl::OkStatus();
}

// Metadata and examples leave the frames once they are certainly sent.
void RangeBuilder::Note(std::vector<DecodedFrame>& frames) {
  metadata_.clear();
  for (DecodedFrame& frame : frames) {
    for (FamilyMetadata& family : frame.metadata) {
      if (metadata_.size() < kMaxMetadataPerRange) metadata_.push_back(std::move(family));
    }
    for (const DecodedColumn& column : frame.columns) NoteOverLimit(column);
  }
}

// What is to be durable before the range is sent: the extent of several frames, or that frames
// which were attempted as one range are not one any more.
void RangeBuilder::Intend(const RangeRules& rules, const Draft& draft, Lane& lane) {
  if (lane.buffer.front()->sequence < lane.intended.upto) {
    if (draft.intended || lane.intended.generation == IntendedRange::kUnmerged) return;
    lane.intended.generation = IntendedRange::kUnmerged;
    lane.intending = true;
  } else if (draft.frames > 1) {
    lane.intended = {draft.settlement.upto, GenerationOf(rules, draft.merging, draft.decoded)};
    lane.intending = true;
  }
}

void RangeBuilder::Take(const RangeRules& rules, Draft draft, Lane& lane) {
  TakeFrames(draft.frames, draft.items, lane);
  StageComposer composer(draft.merging,
                         std::min<uint64_t>(kMaxFramesAhead, rules.bounds.max_samples));
  for (DecodedFrame& frame : draft.decoded) composer.Add(std::move(frame));
  lane.range =
      std::make_unique<SampleRange>(composer.Finish(), rules.bounds, std::move(draft.settlement),
                                    draft.items, draft.attempted, rules.parked);
}

absl::Status RangeBuilder::Build(RecordSource& source, const RangeRules& rules, absl::Time now,
                                 Lane& lane) {
  Draft draft = Pick(rules, lane);
  if (absl::Status decoded = Decode(rules, now, lane, draft); !decoded.ok()) return decoded;
  if (draft.intended && !MatchIntended(rules, lane, draft)) {
    draft = PickSingle(rules, lane);
    if (absl::Status decoded = Decode(rules, now, lane, draft); !decoded.ok()) return decoded;
  }
  if (!source.Claim(lane.number, draft.settlement.from, draft.settlement.upto))
    return absl::AbortedError("frames expired");
  Intend(rules, draft, lane);
  Note(draft.decoded);
  Take(rules, std::move(draft), lane);
  return absl::OkStatus();
}

}  // namespace ampari
