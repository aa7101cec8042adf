// BallastHeld: whether a store's housekeeping has allocated its reserve. A disk that is full before
// that makes the store pause, and refuse frames in words, where a test wants its writes to fail;
// and after a full disk frames are taken again only once the reserve is held.
#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <string>

#include "gateway/store/disk_reserve.h"

namespace ampari {

inline bool BallastHeld(const std::string& store_directory, uint64_t max_bytes) {
  constexpr uint64_t kBlockBytes = 512;  // of st_blocks
  struct stat status = {};
  return ::stat((store_directory + "/ballast").c_str(), &status) == 0 &&
         static_cast<uint64_t>(status.st_blocks) * kBlockBytes >= ReserveBytes(max_bytes);
}

}  // namespace ampari
