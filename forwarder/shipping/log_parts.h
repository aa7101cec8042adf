// What the frames in a ring of logs say of their files, and how it fits what a gateway has stored.
// Nothing is remembered beside the frames: their positions stand uncompressed.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "forwarder/shipping/log_directions.h"
#include "forwarder/shipping/log_retirements.h"
#include "forwarder/shipping/ring.h"

namespace ampari {

// Of one frame; empty for one that is not a well-formed frame of logs.
std::vector<LogFilePart> PartsOf(const std::string& frame);

// Where the frames from `from` on begin each of their files: the first part of each.
absl::flat_hash_map<std::string, FileStart> FirstParts(const Ring& ring, uint64_t from);

// How a gateway would answer a frame: a file where it is stored, or as unknown (without one).
struct LogConflict {
  std::string key;
  bool known = false;
  LogPosition stored;
};
// Empty: the frame would be stored.
std::vector<LogConflict> Conflicts(const LogPlaces& stored, const std::vector<LogFilePart>& parts);

}  // namespace ampari
