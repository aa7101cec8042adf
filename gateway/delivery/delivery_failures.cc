// DeliveryRun: requests that fail for long, and what was parked of them.
#include <algorithm>
#include <utility>

#include "common/runtime/logging.h"
#include "gateway/delivery/delivery_run.h"

namespace ampari {

// What a failure calls for; `outcome` brakes the lane alone when it says nothing of the
// destination.
Remedy DeliveryRun::RemedyFor(Lane& lane, Attempt& attempt, const HttpResponse& response,
                              const std::string& words, Outcome& outcome) {
  const absl::Duration now = parts_.clock.Monotonic();
  if (outcome.fate == Fate::kDelivered) watch_.OnDelivered(now);
  if (outcome.fate != Fate::kRetry && outcome.fate != Fate::kHold) {
    if (!parked_.empty()) parked_.Remove(lane.range->UnitOf(attempt));
    return Remedy::kAgain;
  }
  const std::string unit = lane.range->UnitOf(attempt);
  FailedRequest failed;
  failed.parked_before = !unit.empty() && parked_.Contains(unit);
  failed.unit = failed.parked_before || !lane.range->divisible(attempt);
  failed.may_halve_blindly = outcome.fate == Fate::kRetry &&
                             !absl::IsUnavailable(response.transport) &&
                             lane.blind_halvings < kMaxBlindHalvings;
  const Remedy remedy = watch_.OnFailed(failed, now, attempt.failures);
  lane.health.OnFailed(attempt.failures, watch_, now);
  const bool its_own = failed.parked_before || !lane.health.healthy(now);
  if (its_own && response.transport.ok() && outcome.brake == Brake::kDestination)
    outcome.brake = Brake::kLane;
  if (remedy == Remedy::kHalve && !watch_.OthersGotThrough(attempt.failures.since))
    ++lane.blind_halvings;
  if (remedy == Remedy::kPark) NotePark(lane, attempt, unit, words);
  return remedy;
}

void DeliveryRun::NotePark(Lane& lane, Attempt& attempt, const std::string& unit,
                           const std::string& words) {
  lane.backoff.Reset();
  lane.not_before = absl::ZeroDuration();
  if (!parked_.Add(unit)) return;
  Log(LogLevel::kError, "set aside as parked: it alone has failed for an hour",
      {{"destination", parts_.id.name},
       {"what", lane.range->UnitText(attempt)},
       {"answer", words}});
}

// A resend is no new try.
bool DeliveryRun::MayTry(const Lane& lane, Attempt& attempt, absl::Duration now) {
  if (parked_.empty() || attempt.sends > 1) return true;
  return parked_.MayTry(lane.range->UnitOf(attempt), now);
}

void DeliveryRun::ParkUnsent(Lane& lane, Attempt* attempt) {
  Outcome outcome;
  outcome.fate = Fate::kPark;
  lane.range->OnAnswer(attempt, outcome, 0, "not sent, for what came before it was refused");
  SettleIfDone(lane);
  if (lane.give_up_due) GiveUpRange(lane);
}

}  // namespace ampari
