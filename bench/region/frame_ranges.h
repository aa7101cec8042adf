// Where a request's samples come from, as the gateway's diagnostic header tells it:
//   X-Ampari-Frames: <tenant>/<signal>;lane=<n>;frames=<first>-<last>
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "common/runtime/mutex.h"

namespace ampari::bench {

struct FrameRange {
  std::string queue;  // <tenant>/<signal>
  int lane = 0;
  uint64_t first = 0, last = 0;
};

// False for text in any other form.
bool ParseFrameRange(std::string_view text, FrameRange* range);

// Numbers frame ranges, so that a sample remembers its origin in four bytes. Thread-safe.
class FrameRanges {
 public:
  static constexpr uint32_t kNone = 0;
  static constexpr size_t kMaxRanges = size_t{16} << 20;  // later ones count as kNone

  uint32_t Number(const FrameRange& range) ABSL_LOCKS_EXCLUDED(mu_);
  // True when the ranges have a frame in common: the second arrival is a resend. False: two frames
  // hold the same sample. kNone shares a frame with everything: without the header nothing can be
  // told.
  bool ShareAFrame(uint32_t a, uint32_t b) const ABSL_LOCKS_EXCLUDED(mu_);
  std::string Text(uint32_t number) const ABSL_LOCKS_EXCLUDED(mu_);

 private:
  mutable Mutex mu_;
  std::vector<FrameRange> ranges_ ABSL_GUARDED_BY(mu_);
  std::map<std::string, uint32_t, std::less<>> numbers_ ABSL_GUARDED_BY(mu_);
};

}  // namespace ampari::bench
