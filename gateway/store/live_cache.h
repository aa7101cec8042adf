// LiveCache: the newest records of all queues, by sequence, so that delivery that keeps up reads no
// disk. Bounded in bytes over all queues together; the oldest go first.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <vector>

#include "common/runtime/mutex.h"
#include "gateway/store/record.h"

namespace ampari {

// Thread-safe.
class LiveCache {
 public:
  explicit LiveCache(uint64_t max_bytes) : max_bytes_(max_bytes) {}

  // Records of a queue come in ascending, contiguous sequence.
  void Add(Generation queue, RecordPtr record);
  RecordPtr Find(Generation queue, uint64_t sequence) const;
  // Records from `from` on, at most `max_bytes` of frames but at least one; empty when `from` is
  // not cached.
  std::vector<RecordPtr> Range(Generation queue, uint64_t from, uint64_t end,
                               size_t max_bytes) const;
  void Forget(Generation queue);
  void Clear();
  uint64_t bytes() const;

 private:
  void Evict() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  const uint64_t max_bytes_;
  mutable Mutex mu_;
  std::map<Generation, std::deque<RecordPtr>> queues_ ABSL_GUARDED_BY(mu_);
  std::deque<std::pair<Generation, uint64_t>> order_ ABSL_GUARDED_BY(mu_);  // by age
  uint64_t bytes_ ABSL_GUARDED_BY(mu_) = 0;
};

}  // namespace ampari
