// RangeBuilder: takes a lane's next frames, decodes them, sets aside what cannot be decoded, and
// makes the SampleRange that sends them. Frames that were attempted as one merged range make the
// same range again, or, when the generation has changed, are each a range by themselves.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "gateway/config.h"
#include "gateway/delivery/decoded_frame.h"
#include "gateway/delivery/lane.h"
#include "gateway/delivery/parked_units.h"
#include "gateway/delivery/record_source.h"
#include "gateway/delivery/stage.h"
#include "gateway/layouts/layout_cache.h"

namespace ampari {

inline constexpr size_t kMaxRangeFrames = 8;
inline constexpr uint64_t kMaxRangeSamples = 400'000;  // of several frames; one frame may exceed it
inline constexpr size_t kMaxOverLimitExamples = 100;

struct RangeRules {
  RenderRules render;
  RequestBounds bounds;
  absl::Duration sample_age_limit;  // 0: none
  Merging merging = Merging::kOn;
  int64_t started_ms =
      0;  // persisted clock: frames taken in before may have been sent before the last stop
  const ParkedUnits* parked = nullptr;  // outlives what is built
};

// Not thread-safe. `layouts` must outlive it.
class RangeBuilder {
 public:
  explicit RangeBuilder(LayoutCache& layouts) : reader_(layouts) {}

  // Sets lane.range from its buffer, which is not empty and holds all that it AwaitsIntended().
  // With lane.intending set, lane.intended is to be made durable before anything of the range is
  // sent. Aborted: frames expired meanwhile, the cursor is to be read again. Other errors: nothing
  // was taken, try later.
  absl::Status Build(RecordSource& source, const RangeRules& rules, absl::Time now, Lane& lane);

  // Of the last Build(): metadata of its frames, moved out.
  std::vector<FamilyMetadata> TakeMetadata() { return std::move(metadata_); }
  // Series that a limit refused, by words, with samples since the last call; bounded.
  std::map<std::string, uint64_t> TakeOverLimit() { return std::move(over_limit_); }

 private:
  struct Draft;

  static size_t PickFrames(const RangeRules& rules, const Lane& lane, bool* attempted);
  static Draft Pick(const RangeRules& rules, const Lane& lane);
  static Draft PickSingle(const RangeRules& rules, const Lane& lane);
  // Whether the frames of `draft` make what lane.intended says; sets how they are merged.
  static bool MatchIntended(const RangeRules& rules, const Lane& lane, Draft& draft);
  absl::Status Decode(const RangeRules& rules, absl::Time now, const Lane& lane, Draft& draft);
  static void CountUnsent(const DecodedFrame& frame, Settlement& settlement);
  void Note(std::vector<DecodedFrame>& frames);
  void NoteOverLimit(const DecodedColumn& column);
  static void Intend(const RangeRules& rules, const Draft& draft, Lane& lane);
  static void Take(const RangeRules& rules, Draft draft, Lane& lane);

  FrameReader reader_;
  std::vector<FamilyMetadata> metadata_;
  std::map<std::string, uint64_t> over_limit_;
};

}  // namespace ampari
