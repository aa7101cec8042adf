// SampleTimes: which samples Prometheus' storage would refuse by their time: for series that carry
// timestamps of their own it remembers the last one taken (time and value). Used by one thread at a
// time; one record per such series (Prune).
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

#include "absl/container/flat_hash_map.h"

namespace ampari {

inline constexpr int64_t kMaxAheadMs = 10 * 60 * 1000;  // Prometheus' scrape loop, maxAheadTime
inline constexpr int64_t kMaxBehindMs =
    60 * 60 * 1000;  // its head refuses what is older than half its 2 h block

enum class TimeFate : uint8_t {
  kStore,
  kSame,       // this value at this time is known already: accepted, nothing to store
  kDuplicate,  // another value at the same time
  kOutOfOrder,
  kOutOfBounds,
};

class SampleTimes {
 public:
  // What was stored of a series before: `last_ms` with an unknown value, when nothing is remembered
  // here.
  struct Sample {
    uint64_t series = 0;  // any stable key
    int64_t timestamp_ms = 0;
    uint64_t bits = 0;
  };
  TimeFate Judge(const Sample& sample, int64_t scrape_ms, int64_t last_ms);
  bool Knows(uint64_t series) const { return last_.contains(series); }
  // The samples judged since the last of these calls were stored, or were not.
  void Commit();
  void RollBack();
  void Prune(const std::function<bool(uint64_t series)>& keep);
  void Clear();
  size_t memory_bytes() const { return last_.capacity() * (sizeof(Record) + sizeof(uint64_t)); }

 private:
  struct Record {
    int64_t stored_ms = 0, pending_ms = 0;
    uint64_t stored_bits = 0, pending_bits = 0;
    bool stored = false, value_known = false;
  };
  absl::flat_hash_map<uint64_t, Record> last_;
  std::vector<uint64_t> touched_;
};

}  // namespace ampari
