// What intake counts, and how it is shown.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <map>
#include <string>

namespace ampari {

// A moment's values, for status pages and metrics. Counters are of this process.
struct IntakeStatus {
  std::map<std::string, uint32_t> streams;  // open ones, by entry
  uint64_t streams_opened_total = 0;
  uint64_t unauthenticated_total = 0;
  uint64_t over_limit_total = 0;       // streams refused at a bound
  uint64_t invalid_streams_total = 0;  // ended for what they sent
  uint64_t frames_total = 0, frame_bytes_total = 0;
  uint64_t gaps_total = 0;
  uint64_t registrations_total = 0, registration_bytes_total = 0;
  std::map<std::string, uint64_t>
      refused_frames_total;         // by reason: oversize, malformed, position, sequence
  uint64_t reads_paused_total = 0;  // times that a stream was not read because too much waited
  uint64_t waiting_bytes = 0, max_waiting_bytes = 0;
};

// Thread-safe counters behind IntakeStatus; each is only added to.
struct IntakeCounters {
  std::atomic<uint64_t> streams_opened{0}, unauthenticated{0}, over_limit{0}, invalid_streams{0};
  std::atomic<uint64_t> frames{0}, frame_bytes{0}, gaps{0}, registrations{0}, registration_bytes{0};
  std::array<std::atomic<uint64_t>, 5> refused{};  // by FrameRefusal::Reason
  std::atomic<uint64_t> reads_paused{0};
};

}  // namespace ampari
