// RateWindow: what happened during the last minute, in seconds: delivered samples, and how long
// each brake was on.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>

#include "absl/time/time.h"

namespace ampari {

// Thread-compatible. All times are monotonic.
class RateWindow {
 public:
  void AddSamples(uint64_t samples, absl::Duration now) { At(now).samples += samples; }
  // `why` slowed delivery for `how_long` until `now`; empty: nothing did.
  void AddTime(const std::string& why, absl::Duration how_long, absl::Duration now);

  double SamplesPerSecond(absl::Duration now) const;
  // "429 91 %": the longest brake of the last minute and its share of the time observed; empty when
  // under 1 %.
  std::string Brake(absl::Duration now) const;

 private:
  static constexpr int kSeconds = 60;
  static constexpr size_t kMaxBrakes = 16;  // per second

  struct Second {
    int64_t second = -1;
    uint64_t samples = 0;
    absl::Duration observed;
    std::map<std::string, absl::Duration> brakes;
  };

  Second& At(absl::Duration now);

  std::array<Second, kSeconds> seconds_;
};

}  // namespace ampari
