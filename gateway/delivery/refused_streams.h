// RefusedStreams: streams of which the region refuses everything, so that each push does not search
// them again. Forgets all when it is told to, and when it is full.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <unordered_map>

namespace ampari {

// Refusals of parts of a stream without a delivery between them, after which it is not searched.
inline constexpr uint32_t kMaxRefusedInARow = 64;
inline constexpr size_t kMaxRefusedStreams = 1000;

// Thread-compatible.
class RefusedStreams {
 public:
  // One more refusal of lines of that stream alone; true when it is not to be searched further.
  bool OnRefused(const std::string& selector) {
    if (in_a_row_.size() >= kMaxRefusedStreams && !in_a_row_.contains(selector)) Forget();
    return ++in_a_row_[selector] > kMaxRefusedInARow;
  }
  // Lines of that stream alone were delivered.
  void OnDelivered(const std::string& selector) { in_a_row_.erase(selector); }
  void Forget() { in_a_row_.clear(); }

 private:
  std::unordered_map<std::string, uint32_t> in_a_row_;
};

}  // namespace ampari
