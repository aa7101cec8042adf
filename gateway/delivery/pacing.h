// Pacing: how fast a destination may be sent to: its brake (429, 503, no connection) and its hold
// (a human must act). Pure: time and randomness are handed in.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "absl/time/time.h"
#include "common/runtime/backoff.h"

namespace ampari {

struct PacingOptions {
  BackoffOptions backoff;  // of the brake: queue_config's min and max, with jitter
  BackoffOptions hold{absl::Seconds(5), absl::Minutes(1), 0.1};
  uint32_t max_in_flight = 50;  // max_shards
};

// Thread-compatible. All times are monotonic.
class Pacing {
 public:
  explicit Pacing(PacingOptions options)
      : options_(options),
        brake_(options.backoff),
        hold_(options.hold),
        window_(options.max_in_flight) {}

  void Reconfigure(PacingOptions options);

  // Whether one more request may start beside `in_flight` others. While braked none may; after that
  // one, then twice as many after each success. While held one at a time.
  bool MaySend(uint32_t in_flight, absl::Duration now) const;
  // When MaySend() may become true by time alone; InfiniteDuration when only an answer can change
  // it.
  absl::Duration NextChance(absl::Duration now) const;

  void OnDelivered();
  // Started before the brake that is in force: it does not brake again.
  void OnBrake(std::string why, std::optional<absl::Duration> retry_after, absl::Duration started,
               absl::Duration now, double random);
  void OnHold(std::string why, absl::Duration now, double random);

  bool held() const { return held_; }
  bool braked(absl::Duration now) const {
    return now < resume_at_ || window_ < options_.max_in_flight;
  }
  // What slows it, "" when nothing does.
  const std::string& why() const { return why_; }

 private:
  PacingOptions options_;
  Backoff brake_, hold_;
  uint32_t window_;
  bool held_ = false;
  absl::Duration resume_at_, braked_at_ = -absl::InfiniteDuration();
  std::string why_;
};

}  // namespace ampari
