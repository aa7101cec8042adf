// What of making a range out of a lane's frames is the same for samples and lines. Pure.
#pragma once

#include <cstddef>
#include <cstdint>

#include "absl/status/status.h"
#include "gateway/delivery/lane.h"
#include "gateway/store/settlement.h"

namespace ampari {

// Whether the frame, the `index`-th of the lane's buffer, may have been sent before: by a range
// that was given up, or before the last stop if it was taken in before `started_ms` (persisted
// clock).
bool MayBeAttempted(const Lane& lane, size_t index, int64_t started_ms);

// Notes the frame as settled for its instance.
void NoteSettled(const Record& record, Settlement& settlement);

// What no later try can mend: the frame is set aside.
bool IsUndecodable(const absl::Status& status);
AsideFrame Quarantined(const Record& record, const absl::Status& why);

// Takes the first `frames` frames, of `items` items, out of the lane's buffer and into its range,
// which the caller then sets.
void TakeFrames(size_t frames, uint64_t items, Lane& lane);

}  // namespace ampari
