// Schedule: when a target is scraped and which timestamp its samples get. Pure; no clock, no I/O.
//
// Every target has a fixed place in its interval, counted from the Unix epoch, so that targets are
// spread evenly and a restart changes nothing (Prometheus: scrape/target.go, offset;
// scrape/scrape.go, run).
#pragma once

#include <cstdint>
#include <string_view>

#include "absl/time/time.h"
#include "common/labels/labels.h"

namespace ampari {

// FNV-1a with 64 bits, continued from `state`.
inline constexpr uint64_t kFnvOffsetBasis = 14695981039346656037ULL;
uint64_t Fnv1a64(std::string_view bytes, uint64_t state = kFnvOffsetBasis);

// FNV-1a-64 of the label set's hash in decimal (at least 16 digits) and the URL.
uint64_t TargetHash(const Labels& labels, std::string_view url);

// Differs between forwarders, so that two that scrape the same target do so at different times.
uint64_t OffsetSeed(std::string_view host_name, const Labels& external_labels);

// The place of a target in its interval: [0, interval). `interval` is positive.
absl::Duration OffsetInInterval(uint64_t target_hash, uint64_t seed, absl::Duration interval);

// The latest instant of the schedule that is not after `now`, and the first one after it.
absl::Time SlotAt(absl::Time now, absl::Duration interval, absl::Duration offset);
absl::Time SlotAfter(absl::Time now, absl::Duration interval, absl::Duration offset);

// `slot` when `now` is at most min(2 ms, interval / 100) past it, else `now`.
absl::Time AlignTimestamp(absl::Time now, absl::Time slot, absl::Duration interval);

// When the markers of a target that is gone are stamped and written: at its next slot, and written
// one interval and a tenth later, for it may have come back until then.
struct EndOfRunTimes {
  absl::Time stamp;
  absl::Time write;
};
EndOfRunTimes EndOfRun(absl::Time gone_at, absl::Duration interval, absl::Duration offset);

// Turns readings of both clocks into stamps that never go back while the wall clock is wrong by
// little.
//
// After a backward step of up to kLargestSlowedStep, stamps advance at nine tenths of monotonic
// time until the wall clock has caught up; after a larger one they follow the wall clock, which is
// counted. Not thread-safe.
class MonotonicStamps {
 public:
  static constexpr absl::Duration kLargestSlowedStep = absl::Minutes(10);

  absl::Time Read(absl::Time wall, absl::Duration monotonic);
  // True while the wall clock is behind the stamps.
  bool slowed() const { return slowed_; }
  uint64_t small_steps() const { return small_steps_; }
  uint64_t large_steps() const { return large_steps_; }

 private:
  absl::Time last_stamp_ = absl::InfinitePast();
  absl::Duration last_monotonic_;
  bool slowed_ = false;
  uint64_t small_steps_ = 0, large_steps_ = 0;
};

}  // namespace ampari
