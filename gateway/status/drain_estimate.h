// DrainEstimate: when a backlog will be gone, or the disk full, at the rates of the last minute.
// Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

namespace ampari {

// Of one destination. Rates in samples (or lines) per second.
struct DrainRates {
  uint64_t pending = 0;
  double accepted_per_second = 0;
  double delivered_per_second = 0;  // settled in any way
};

// Seconds until nothing is pending: 0 when nothing is, nullopt while it does not shrink.
std::optional<double> DrainSeconds(const DrainRates& rates);

// Of one queue, at the destination that holds most of it: that one keeps it on the disk.
struct QueueRates {
  uint64_t pending = 0, pending_bytes = 0;
  double accepted_per_second = 0, delivered_per_second = 0;
};

// Of the whole store.
struct DiskRates {
  uint64_t disk_bytes = 0, max_bytes = 0;
  std::vector<QueueRates> queues;
};

// Seconds until `max_bytes` is reached while each queue grows or shrinks at its rates, at the bytes
// that its pending samples have now; one that shrinks does so until it is empty. nullopt: it is
// not reached.
std::optional<double> FullSeconds(const DiskRates& rates);

}  // namespace ampari
