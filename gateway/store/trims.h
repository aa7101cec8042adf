// Trims: give back what every destination has settled, as disjoint ranges, and the registration
// blocks that nothing refers to any more. The floor is stored with the trim; readers ignore what
// lies below it, because dropping whole files may bring trimmed keys back.
#pragma once

#include "gateway/store/commit.h"

namespace ampari {

inline constexpr uint64_t kTrimBytes = uint64_t{8} << 20;
inline constexpr absl::Duration kTrimInterval = absl::Seconds(60);
inline constexpr absl::Duration kTrimLook = absl::Seconds(1);  // between looks that read the disk

enum class TrimWhen { kWorthwhile, kNow };

// Within a commit. kNow: as soon as anything can be given back.
void TrimQueue(Commit& commit, QueueRecord& queue, TrimWhen when);

}  // namespace ampari
