#include "gateway/delivery/delivery_run.h"

#include <algorithm>
#include <utility>

#include "common/runtime/logging.h"

namespace ampari {
namespace {

constexpr absl::Duration kStopGrace = absl::Seconds(2);
constexpr absl::Duration kIdleWait = absl::Seconds(1);
constexpr absl::Duration kShortWait = absl::Milliseconds(100);
constexpr int64_t kCatchingUpMs = 60'000;  // behind by more than this
constexpr char kAwaitingWords[] = "waiting for forwarders";

}  // namespace

DeliveryRun::DeliveryRun(DeliveryParts parts, const DeliverySettings& settings)
    : parts_(std::move(parts)), pacing_(PacingOptions()), random_(std::random_device{}()) {
  Configure(settings);
}

void DeliveryRun::Configure(const DeliverySettings& settings) {
  const absl::StatusOr<bool> changed = parts_.cargo.Configure(settings);
  if (!changed.ok()) {  // configuration has checked them: the older ones stay
    Log(LogLevel::kError, "rules refused",
        {{"destination", parts_.id.name}, {"error", changed.status()}});
    return;
  }
  rules_ = parts_.cargo.rules();
  secrets_ = DestinationSecrets(rules_.url, rules_.http);
  parked_.Clear();  // the change may be what mends them
  const bool was_held = pacing_.held();
  pacing_.Reconfigure(rules_.pacing);
  for (Lane& lane : lanes_) {
    lane.backoff = Backoff(rules_.pacing.backoff);
    lane.not_before = absl::ZeroDuration();
    lane.batch_bytes = rules_.batch_bytes;
    if (was_held && *changed) GiveUpRange(lane);
  }
  parts_.meter.SetUrl(rules_.url);
}

// A held range is composed anew: the change may be what mends it. Its frames are read again.
void DeliveryRun::GiveUpRange(Lane& lane) {
  lane.give_up_due = lane.range != nullptr && (lane.intending || lane.range->in_flight() > 0);
  if (lane.range == nullptr) return;
  if (lane.give_up_due) return;
  lane.attempted_below = std::max(lane.attempted_below, lane.range->upto());
  lane.range.reset();
  lane.frames_ahead -= lane.range_frames;
  range_items_ -= lane.range_items;
  parts_.source.Unclaim(lane.number);
  lane.ClearBuffer();
  lane.next_read = lane.cursor;
}

void DeliveryRun::TakeMail() {
  LoopMail::Contents mail = parts_.mail->Take();
  if (mail.records) reader_.Wake();
  for (const uint32_t number : mail.settled) {
    Lane& lane = lanes_[number];
    lane.frames_ahead -= lane.settling.front();
    lane.settling.pop_front();
  }
  for (const uint32_t number : mail.intended) OnIntended(lanes_[number]);
  if (mail.settings) Configure(*mail.settings);
  if (mail.stop && !stopping_) {
    stopping_ = true;
    stop_at_ = parts_.clock.Monotonic() + kStopGrace;
  }
}

bool DeliveryRun::AnyReady() const {
  return std::any_of(lanes_.begin(), lanes_.end(), [](const Lane& l) { return l.ReadyToSend(); });
}

// Whether the store has made everything durable that it was told.
bool DeliveryRun::AllDurable() const {
  return std::all_of(lanes_.begin(), lanes_.end(),
                     [](const Lane& l) { return l.settling.empty() && !l.intending; });
}

bool DeliveryRun::Finished(absl::Duration now) const {
  if (!stopping_) return false;
  if (now >= stop_at_) return true;
  return in_flight_ == 0 && AllDurable() && (!AnyReady() || pacing_.held() || pacing_.braked(now));
}

absl::Duration DeliveryRun::NextWait(absl::Duration now) const {
  if (reader_.unfinished()) return absl::ZeroDuration();
  absl::Duration until = now + (waiting_for_others_ ? kShortWait : kIdleWait);
  until = std::min(until, std::max(stop_at_, now));
  if (AnyReady()) until = std::min(until, std::max(pacing_.NextChance(now), now));
  for (const Lane& lane : lanes_) {
    const bool waits = lane.ReadyToSend() || (lane.range == nullptr && !lane.buffer.empty());
    if (waits && lane.not_before > now) until = std::min(until, lane.not_before);
  }
  if (read_again_at_ > now) until = std::min(until, read_again_at_);
  const absl::Duration extra_at = parts_.cargo.NextExtraAt();
  if (extra_at > now) until = std::min(until, extra_at);
  return until - now;
}

std::string DeliveryRun::State(absl::Duration now) const {
  if (pacing_.held()) return "held";
  bool pending = false;
  int64_t oldest_ms = parts_.source.NowMs();
  for (const Lane& lane : lanes_) {
    if (lane.health.failing_since() < now && lane.range != nullptr) return "retrying";
    if (lane.range != nullptr) oldest_ms = std::min(oldest_ms, lane.range_origin_ms);
    if (!lane.buffer.empty())
      oldest_ms = std::min(oldest_ms, lane.buffer.front()->header.origin_ms);
    pending = pending || lane.range != nullptr || !lane.buffer.empty();
  }
  if (!pending) return "idle";
  if (pacing_.braked(now)) return "retrying";
  if (awaiting_producers_) return kAwaitingWords;
  return parts_.source.NowMs() - oldest_ms > kCatchingUpMs ? "catching up" : "delivering";
}

void DeliveryRun::Observe(absl::Duration now) {
  DeliveryMeter::Moment moment;
  moment.held = pacing_.held();
  moment.state = State(now);
  moment.in_flight = in_flight_;
  moment.accepted_rate = reader_.accepted_rate();
  moment.now_ms = parts_.source.NowMs();
  if (pacing_.held() || pacing_.braked(now)) {
    moment.brake = pacing_.why();
  } else if (in_flight_ >= rules_.pacing.max_in_flight) {
    moment.brake = rules_.in_flight_limit;
  } else if (awaiting_producers_ && moment.state == kAwaitingWords) {
    moment.brake = kAwaitingWords;
  }
  parts_.meter.Observe(moment, now);
}

void DeliveryRun::Run() {
  StartLanes();
  parts_.source.SetWaker([mail = parts_.mail] { mail->Records(); });
  for (;;) {
    TakeMail();
    const absl::Duration now = parts_.clock.Monotonic();
    if (Finished(now)) break;
    if (!stopping_) {
      Read();
      Align(now);
      BuildRanges(now);
    }
    SendReady(now);
    if (!stopping_) SendExtra(now);
    Observe(now);
    parts_.http.Poll(NextWait(now));
  }
  parts_.source.SetWaker([] {});
  for (const Lane& lane : lanes_) {
    if (lane.range != nullptr) parts_.source.Unclaim(lane.number);
  }
}

}  // namespace ampari
