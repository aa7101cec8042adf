// DiskReserve: space that is kept for the writes that draining needs. While there is room it is
// held as a ballast file; when the disk, or max_bytes, is reached, the file is given up and new
// frames are paused until there is room again.
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/status.h"

namespace ampari {

// The WAL cap and the write buffers, at most a quarter of max_bytes.
uint64_t ReserveBytes(uint64_t max_bytes);
// What all tenants' frames may take: max_bytes less the reserve and the write-ahead log.
uint64_t FrameLimit(uint64_t max_bytes);

struct DiskUse {
  uint64_t used = 0;  // by the store, without the ballast
  uint64_t free = 0;  // of the file system
};
DiskUse MeasureDisk(const std::string& directory);

enum class ReserveState { kHeld, kReached };

// Pure: with the ballast given up, more room is needed to go on than to go on when it is held, so
// that it does not flap.
ReserveState JudgeReserve(ReserveState before, const DiskUse& use, uint64_t max_bytes);

// Allocates `<directory>/ballast`; ResourceExhausted when there is no room.
absl::Status HoldBallast(const std::string& directory, uint64_t bytes);
void ReleaseBallast(const std::string& directory);

}  // namespace ampari
