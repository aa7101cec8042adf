// Where files of logs are to be read on, as the shipper tells whoever reads them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "common/frame/log_frame.h"

namespace ampari {

// Where to read a file on from.
struct FileStart {
  std::string key;
  LogPosition from;
  bool known = true;  // by the gateway; false: the next part of it says `first`
  friend bool operator==(const FileStart&, const FileStart&) = default;
};

// What the reader must take over before it pushes again. Later ones replace nothing of earlier
// ones.
struct LogDirections {
  uint64_t round = 0;  // of the next Push
  // `files` is everything that the gateway knows, and what was read before and it does not know
  // (any more); files that are not in it are unknown.
  bool all = false;
  std::vector<FileStart> files;
  absl::Duration producer_age;  // with `all`: since the producer's first contact with this gateway
};

// One frame to be. The shipper numbers it.
struct LogFlush {
  uint64_t round = 0;  // of the directions that it was read under; an older one is ignored
  std::string frame;   // LogFrameBuilder::Finish with any sequence
  uint64_t lines = 0;
  std::vector<LogFilePart> files;
};

}  // namespace ampari
