// DrainEstimate: when a backlog will be gone, or the disk full, at the rates of the last minute.
// Pure.
#pragma once

#include <cstdint>
#include <optional>

namespace ampari {

// Of one destination. Rates in samples (or lines) per second.
struct DrainRates {
  uint64_t pending = 0;
  double accepted_per_second = 0;
  double delivered_per_second = 0;  // settled in any way
};

// Seconds until nothing is pending: 0 when nothing is, nullopt while it does not shrink.
std::optional<double> DrainSeconds(const DrainRates& rates);

// Of the whole store.
struct DiskRates {
  uint64_t disk_bytes = 0, max_bytes = 0;
  uint64_t pending = 0, pending_bytes = 0;  // of the destination that holds most
  double accepted_per_second = 0, delivered_per_second = 0;
};

// Seconds until `max_bytes` is reached, at the bytes that a pending sample takes now; nullopt while
// nothing grows.
std::optional<double> FullSeconds(const DiskRates& rates);

}  // namespace ampari
