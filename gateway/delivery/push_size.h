// PushSize: how large a push may be, in bytes of lines and metadata: a region refuses for ever with
// 429 what is larger than the burst that it allows. Pure.
#pragma once

#include <algorithm>
#include <cstdint>

namespace ampari {

inline constexpr uint64_t kMinPushBytes = uint64_t{16} << 10;
inline constexpr uint32_t kDeliveriesToGrow = 16;

// Thread-compatible.
class PushSize {
 public:
  void SetMost(uint64_t bytes) {
    most_ = bytes;
    bytes_ = std::min(bytes_, bytes);
    if (bytes_ == 0) bytes_ = bytes;
  }
  // What the next pushes may have at most.
  uint64_t bytes() const { return bytes_; }

  // A push of that size was answered 429 repeatedly.
  void OnThrottled(uint64_t bytes) {
    bytes_ = std::min(bytes_, std::max(bytes / 2, std::min(kMinPushBytes, most_)));
    deliveries_ = 0;
  }
  void OnDelivered() {
    if (bytes_ == most_ || ++deliveries_ < kDeliveriesToGrow) return;
    bytes_ = std::min(most_, bytes_ * 2);
    deliveries_ = 0;
  }
  // How often a push is answered 429 before it is halved; `part`: of one that was halved for it.
  static uint32_t Patience(uint64_t bytes, bool part) {
    if (bytes <= kMinPushBytes) return 4;
    return part ? 1 : 2;
  }

 private:
  uint64_t most_ = 0, bytes_ = 0;
  uint32_t deliveries_ = 0;
};

}  // namespace ampari
