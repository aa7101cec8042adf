#include "gateway/delivery/rate_window.h"

#include <algorithm>
#include <cmath>

namespace ampari {

RateWindow::Second& RateWindow::At(absl::Duration now) {
  const int64_t number = absl::ToInt64Seconds(now);
  Second& second = seconds_[static_cast<size_t>(number % kSeconds)];
  if (second.second != number) {
    second = Second{};
    second.second = number;
  }
  return second;
}

void RateWindow::AddTime(const std::string& why, absl::Duration how_long, absl::Duration now) {
  Second& second = At(now);
  second.observed += how_long;
  if (why.empty()) return;
  if (second.brakes.size() < kMaxBrakes || second.brakes.contains(why))
    second.brakes[why] += how_long;
}

double RateWindow::SamplesPerSecond(absl::Duration now) const {
  const int64_t number = absl::ToInt64Seconds(now);
  uint64_t samples = 0;
  int64_t oldest = number;
  for (const Second& second : seconds_) {
    if (second.second < 0 || second.second <= number - kSeconds) continue;
    samples += second.samples;
    oldest = std::min(oldest, second.second);
  }
  return static_cast<double>(samples) / static_cast<double>(number - oldest + 1);
}

std::string RateWindow::Brake(absl::Duration now) const {
  const int64_t number = absl::ToInt64Seconds(now);
  absl::Duration observed;
  std::map<std::string, absl::Duration> brakes;
  for (const Second& second : seconds_) {
    if (second.second < 0 || second.second <= number - kSeconds) continue;
    observed += second.observed;
    for (const auto& [why, how_long] : second.brakes) brakes[why] += how_long;
  }
  if (brakes.empty() || observed <= absl::ZeroDuration()) return "";
  const auto longest =
      std::max_element(brakes.begin(), brakes.end(),
                       [](const auto& a, const auto& b) { return a.second < b.second; });
  const auto share = std::lround(100 * absl::FDivDuration(longest->second, observed));
  return share < 1 ? "" : longest->first + " " + std::to_string(std::min(share, 100L)) + " %";
}

}  // namespace ampari
