#include "gateway/delivery/pacing.h"

#include <algorithm>
#include <utility>

namespace ampari {

void Pacing::Reconfigure(PacingOptions options) {
  options_ = options;
  brake_ = Backoff(options.backoff);
  hold_ = Backoff(options.hold);
  window_ = options.max_in_flight;
  held_ = false;
  resume_at_ = absl::ZeroDuration();
  why_.clear();
}

bool Pacing::MaySend(uint32_t in_flight, absl::Duration now) const {
  if (now < resume_at_) return false;
  return in_flight < (held_ ? 1 : window_);
}

absl::Duration Pacing::NextChance(absl::Duration now) const {
  return now < resume_at_ ? resume_at_ : absl::InfiniteDuration();
}

void Pacing::OnDelivered() {
  brake_.Reset();
  hold_.Reset();
  resume_at_ = absl::ZeroDuration();
  if (std::exchange(held_, false)) window_ = 1;
  window_ = std::min(window_ * 2, options_.max_in_flight);
  if (window_ == options_.max_in_flight) why_.clear();
}

void Pacing::OnBrake(std::string why, std::optional<absl::Duration> retry_after,
                     absl::Duration started, absl::Duration now, double random) {
  why_ = std::move(why);
  if (started < braked_at_) {
    if (retry_after) resume_at_ = std::max(resume_at_, now + *retry_after);
    return;
  }
  braked_at_ = now;
  const absl::Duration delay = brake_.Next(random);
  window_ = 1;
  resume_at_ =
      std::max(resume_at_, now + std::max(delay, retry_after.value_or(absl::ZeroDuration())));
}

void Pacing::OnHold(std::string why, absl::Duration now, double random) {
  why_ = std::move(why);
  if (held_ && now < resume_at_) return;  // an answer to what was in flight before
  held_ = true;
  resume_at_ = now + hold_.Next(random);
}

}  // namespace ampari
