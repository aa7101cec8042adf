#include "gateway/delivery/lane_health.h"

namespace ampari {

Remedy FailureWatch::OnFailed(const FailedRequest& request, absl::Duration now,
                              FailureHistory& history) {
  history.since = std::min(history.since, now);
  if (!request.unit) {
    failed_at_ = now;
    if (now - history.since < kStruggleAfter) return Remedy::kAgain;
    const bool may = OthersGotThrough(history.since) || request.may_halve_blindly;
    return may ? Remedy::kHalve : Remedy::kAgain;
  }
  const bool others_fail = failed_at_ > delivered_at_;
  if (request.parked_before && !others_fail && OthersGotThrough(-absl::InfiniteDuration()))
    return Remedy::kPark;
  const bool destination_down = others_fail && now - delivered_at_ > kStruggleAfter;
  if (destination_down || delivered_at_ < history.since + kStruggleAfter) {
    history.alone_since = absl::InfiniteDuration();
    return Remedy::kAgain;
  }
  history.alone_since = std::min(history.alone_since, now);
  return now - history.alone_since < kParkAfter ? Remedy::kAgain : Remedy::kPark;
}

}  // namespace ampari
