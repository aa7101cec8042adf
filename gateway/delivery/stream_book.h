// StreamBook: what is remembered of the streams of one destination: which of them the region has
// taken lately, and which it refuses.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <unordered_map>

#include "absl/time/time.h"

namespace ampari {

// Refusals of parts of a stream without a delivery between them, after which it is not searched.
inline constexpr uint32_t kMaxRefusedInARow = 64;
inline constexpr absl::Duration kStreamKnownFor = absl::Minutes(10);  // after its last lines
// Beyond one of these all are forgotten.
inline constexpr size_t kMaxBookedStreams = 50'000;
inline constexpr size_t kMaxBookedBytes = size_t{16} << 20;  // of selectors

// Thread-compatible. Times are monotonic.
class StreamBook {
 public:
  // Lines of the stream are about to be sent: whether lines were delivered before, and not long
  // ago, so that the region need not create it.
  bool IsKnown(const std::string& selector, absl::Duration now);
  // Lines of that stream alone were delivered.
  void OnDelivered(const std::string& selector);
  // Lines of that stream alone were refused; true when it is not to be searched further.
  bool OnRefused(const std::string& selector);
  // Streams that are refused are searched again.
  void ForgetRefused();

 private:
  struct Entry {
    absl::Duration used = -absl::InfiniteDuration();
    bool delivered = false;
    uint32_t refused_in_a_row = 0;
  };
  Entry& At(const std::string& selector);

  std::unordered_map<std::string, Entry> entries_;
  size_t bytes_ = 0;  // of their keys
};

}  // namespace ampari
