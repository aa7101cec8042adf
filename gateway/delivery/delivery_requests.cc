// DeliveryRun: requests and answers.
#include <algorithm>
#include <utility>

#include "common/runtime/logging.h"
#include "gateway/delivery/delivery_run.h"

namespace ampari {
namespace {

// How long a lane waits that the region refuses (401, 403, …) while it takes others.
constexpr BackoffOptions kRefusedLane{absl::Seconds(5), absl::Minutes(1), 0.1};
// Of what may be in flight, the part that all unhealthy lanes together may have.
constexpr uint32_t kUnhealthyShare = 4;

}  // namespace

Lane* DeliveryRun::NextLane(absl::Duration now) {
  const uint32_t most_unhealthy = std::max(1u, rules_.pacing.max_in_flight / kUnhealthyShare);
  for (uint32_t i = 0; i < kLanes; ++i) {
    Lane& lane = lanes_[(turn_ + i) % kLanes];
    if (!lane.ReadyToSend()) continue;
    if (now < lane.not_before && !pacing_.held()) continue;
    if (unhealthy_in_flight_ >= most_unhealthy && !lane.health.healthy(now)) continue;
    turn_ = (lane.number + 1) % kLanes;
    return &lane;
  }
  return nullptr;
}

void DeliveryRun::SendReady(absl::Duration now) {
  while (pacing_.MaySend(in_flight_, now)) {
    Lane* lane = NextLane(now);
    if (lane == nullptr) return;
    Send(*lane, now);
  }
}

void DeliveryRun::Send(Lane& lane, absl::Duration now) {
  Attempt* attempt = lane.range->Take();
  HttpRequest request = parts_.cargo.Request(lane, *attempt);
  if (!MayTry(lane, *attempt, now)) return ParkUnsent(lane, attempt);
  const uint32_t unhealthy = lane.health.healthy(now) ? 0 : 1;
  ++in_flight_;
  unhealthy_in_flight_ += unhealthy;
  parts_.meter.OnRequest(attempt->items, attempt->body->size(), attempt->sends > 1);
  HttpLoop::Callbacks callbacks;
  callbacks.on_done = [this, &lane, attempt, unhealthy, now](const HttpResponse& response) {
    unhealthy_in_flight_ -= unhealthy;
    OnAnswer(lane, attempt, now, response);
  };
  parts_.http.Start(std::move(request), std::move(callbacks));
}

void DeliveryRun::OnAnswer(Lane& lane, Attempt* attempt, absl::Duration started,
                           const HttpResponse& response) {
  --in_flight_;
  Outcome outcome = parts_.cargo.Judge(response, parts_.clock.Now());
  const bool delivered = outcome.fate == Fate::kDelivered;
  parts_.meter.OnAnswer(response.status, delivered ? attempt->items : 0, parts_.clock.Monotonic());
  std::string words;
  if (delivered) {
    parts_.meter.OnSuccess();
  } else {
    words = AnswerWords(response, secrets_.Current());
    parts_.meter.OnFailure(words, absl::ToUnixMillis(parts_.clock.Now()));
  }
  const Remedy remedy = RemedyFor(lane, *attempt, response, words, outcome);
  if (remedy != Remedy::kPark) Pace(lane, outcome, response, started, words);
  if (remedy == Remedy::kHalve) outcome.fate = Fate::kHalve;
  if (remedy == Remedy::kPark) outcome.fate = Fate::kPark;
  lane.range->OnAnswer(attempt, outcome, response.status, words);
  SettleIfDone(lane);
  if (lane.give_up_due) GiveUpRange(lane);
}

void DeliveryRun::Pace(Lane& lane, const Outcome& outcome, const HttpResponse& response,
                       absl::Duration started, const std::string& words) {
  const absl::Duration now = parts_.clock.Monotonic();
  if (outcome.fate != Fate::kRetry && outcome.fate != Fate::kHold) {
    pacing_.OnDelivered();
    delivered_at_ = now;
    lane.backoff.Reset();
    lane.not_before = absl::ZeroDuration();
    lane.health.OnDelivered();
    return;
  }
  // Others got through since this lane began to fail: it is the lane, not the destination.
  const bool lane_alone = delivered_at_ > lane.health.failing_since();
  if (outcome.brake == Brake::kDestination) {
    pacing_.OnBrake(AnswerName(response), outcome.retry_after, started, now, Random());
    return;
  }
  if (outcome.fate == Fate::kHold && !lane_alone) {
    if (!pacing_.held()) {
      Log(LogLevel::kError, "the region refuses this destination; its data is kept",
          {{"destination", parts_.id.name}, {"answer", words}});
    }
    pacing_.OnHold(AnswerName(response), now, Random());
  }
  absl::Duration delay = lane.backoff.Next(Random());
  if (outcome.fate == Fate::kHold)
    delay = BackoffDelay(kRefusedLane, lane.backoff.failures(), Random());
  delay = std::max(delay, outcome.retry_after.value_or(absl::ZeroDuration()));
  lane.not_before = std::max(lane.not_before, now + delay);
}

void DeliveryRun::SendExtra(absl::Duration now) {
  if (extra_in_flight_ || pacing_.held() || !pacing_.MaySend(in_flight_, now)) return;
  std::optional<HttpRequest> request = parts_.cargo.NextExtra(now);
  if (!request) return;
  extra_in_flight_ = true;
  HttpLoop::Callbacks callbacks;
  callbacks.on_done = [this](const HttpResponse&) { extra_in_flight_ = false; };
  parts_.http.Start(*std::move(request), std::move(callbacks));
}

}  // namespace ampari
