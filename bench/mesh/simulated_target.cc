#include "bench/mesh/simulated_target.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace ampari::bench {
namespace {

// Box-Muller; ln of the 99th to the 50th percentile is 2.326 standard deviations.
int LognormalCombinations(RandomStream& random) {
  constexpr double kMedian = 6, kSigma = 0.99, kPi = 3.14159265358979;
  const double radius = std::sqrt(-2 * std::log(1 - random.Unit()));
  const double normal = radius * std::cos(2 * kPi * random.Unit());
  return std::clamp(static_cast<int>(kMedian * std::exp(kSigma * normal)), 1, 1500);
}

}  // namespace

SimulatedTarget::SimulatedTarget(Pod pod, const TargetBehaviour& behaviour, uint64_t seed)
    : pod_(std::move(pod)),
      faults_(behaviour.faults),
      churn_(behaviour.churn),
      random_(seed * 1'000'003 + static_cast<uint64_t>(pod_.index)),
      traffic_(behaviour.traffic) {
  MutexLock lock(mu_);
  if (pod_.is_istiod) {
    traffic_ = {0, 0, 0};
    FillIstiodBody(exposition_);
    return;
  }
  if (behaviour.lognormal_traffic) traffic_.http_combinations = LognormalCombinations(random_);
  if (churn_ > 0) traffic_.spare_combinations = std::max(traffic_.spare_combinations, 4);
  FillSidecarBody(pod_, traffic_, random_, exposition_);
}

void SimulatedTarget::Churn() {
  if (traffic_.spare_combinations == 0 || !random_.Chance(churn_)) return;
  const int group =
      traffic_.http_combinations +
      static_cast<int>(random_.Below(static_cast<uint64_t>(traffic_.spare_combinations)));
  const bool appears = exposition_.hidden(group);
  if (appears) exposition_.ResetGroup(group);
  exposition_.SetHidden(group, !appears);
}

TargetAnswer SimulatedTarget::Next() {
  MutexLock lock(mu_);
  TargetAnswer answer;
  answer.step = ++step_;
  answer.fault = DrawFault(faults_, random_);
  Churn();
  exposition_.Advance(random_);
  answer.body = Spoil(answer.fault, exposition_.Render(&answer.samples), &answer.told_length);
  return answer;
}

}  // namespace ampari::bench
