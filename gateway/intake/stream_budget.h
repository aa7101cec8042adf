// StreamBudget: how many streams there may be, and how many bytes of all of them may wait to become
// durable.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <string>

#include "absl/status/status.h"
#include "common/runtime/mutex.h"

namespace ampari {

// The bounds of intake. What a forwarder must know of them is told in the welcome.
struct IntakeLimits {
  uint64_t max_frame_bytes = uint64_t{16} << 20;
  uint64_t max_registration_bytes = uint64_t{16} << 20;  // one encoded block
  // Of one stream: above it the stream is not read until the committer has caught up.
  uint64_t max_unacknowledged_bytes = uint64_t{8} << 20;
  // Of all streams together: bounds the memory of intake whatever the number of forwarders.
  uint64_t max_waiting_bytes = uint64_t{256} << 20;
  uint32_t max_streams = 20000;
  uint32_t max_streams_per_entry = 10000;
  uint32_t max_streams_per_connection = 64;
};

// Thread-safe.
class StreamBudget {
 public:
  explicit StreamBudget(const IntakeLimits& limits) : limits_(limits) {}

  // ResourceExhausted names the bound that is reached. Every admitted stream is released once.
  absl::Status Admit(const std::string& entry);
  void Release(const std::string& entry);

  void Take(uint64_t bytes) { waiting_bytes_.fetch_add(bytes, std::memory_order_relaxed); }
  void Return(uint64_t bytes) { waiting_bytes_.fetch_sub(bytes, std::memory_order_relaxed); }
  uint64_t waiting_bytes() const { return waiting_bytes_.load(std::memory_order_relaxed); }
  bool full() const { return waiting_bytes() >= limits_.max_waiting_bytes; }

  std::map<std::string, uint32_t> streams() const;
  const IntakeLimits& limits() const { return limits_; }

 private:
  const IntakeLimits limits_;
  std::atomic<uint64_t> waiting_bytes_{0};
  mutable Mutex mu_;
  std::map<std::string, uint32_t> streams_ ABSL_GUARDED_BY(mu_);
  uint32_t total_ ABSL_GUARDED_BY(mu_) = 0;
};

}  // namespace ampari
