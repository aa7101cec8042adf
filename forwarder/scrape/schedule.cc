#include "forwarder/scrape/schedule.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_format.h"
#include "common/runtime/check.h"

namespace ampari {
namespace {

constexpr uint64_t kFnvPrime = 1099511628211ULL;
constexpr absl::Duration kLargestTolerance = absl::Milliseconds(2);

}  // namespace

uint64_t Fnv1a64(std::string_view bytes, uint64_t state) {
  for (const char c : bytes) state = (state ^ static_cast<unsigned char>(c)) * kFnvPrime;
  return state;
}

uint64_t TargetHash(const Labels& labels, std::string_view url) {
  return Fnv1a64(url, Fnv1a64(absl::StrFormat("%016d", labels.Hash())));
}

uint64_t OffsetSeed(std::string_view host_name, const Labels& external_labels) {
  return Fnv1a64(external_labels.ToString(), Fnv1a64(host_name));
}

absl::Duration OffsetInInterval(uint64_t target_hash, uint64_t seed, absl::Duration interval) {
  const int64_t nanoseconds = absl::ToInt64Nanoseconds(interval);
  Check(nanoseconds > 0, "an interval must be positive");
  return absl::Nanoseconds(
      static_cast<int64_t>((target_hash ^ seed) % static_cast<uint64_t>(nanoseconds)));
}

absl::Time SlotAt(absl::Time now, absl::Duration interval, absl::Duration offset) {
  const int64_t period = absl::ToInt64Nanoseconds(interval);
  const int64_t since = absl::ToUnixNanos(now) - absl::ToInt64Nanoseconds(offset);
  int64_t into = since % period;
  if (into < 0) into += period;
  return absl::FromUnixNanos(absl::ToUnixNanos(now) - into);
}

absl::Time SlotAfter(absl::Time now, absl::Duration interval, absl::Duration offset) {
  return SlotAt(now, interval, offset) + interval;
}

absl::Time AlignTimestamp(absl::Time now, absl::Time slot, absl::Duration interval) {
  const absl::Duration tolerance = std::min(kLargestTolerance, interval / 100);
  return now - slot <= tolerance ? slot : now;
}

EndOfRunTimes EndOfRun(absl::Time gone_at, absl::Duration interval, absl::Duration offset) {
  const absl::Time stamp = SlotAfter(gone_at, interval, offset);
  return {stamp, stamp + interval + interval / 10};
}

absl::Time MonotonicStamps::Read(absl::Time wall, absl::Duration monotonic) {
  const absl::Duration passed = monotonic - std::exchange(last_monotonic_, monotonic);
  const absl::Time slow = last_stamp_ + passed * 9 / 10;
  if (wall >= (slowed_ ? slow : last_stamp_)) {
    slowed_ = false;
    return last_stamp_ = wall;
  }
  if (last_stamp_ + passed - wall > kLargestSlowedStep) {
    ++large_steps_;
    slowed_ = false;
    return last_stamp_ = wall;
  }
  if (!slowed_) ++small_steps_;
  slowed_ = true;
  return last_stamp_ = slow;
}

}  // namespace ampari
