#include "gateway/delivery/delivery_run.h"

#include <algorithm>
#include <utility>

#include "common/runtime/logging.h"
#include "gateway/layouts/render_rules.h"

namespace ampari {
namespace {

constexpr absl::Duration kStopGrace = absl::Seconds(2);
constexpr absl::Duration kIdleWait = absl::Seconds(1);
constexpr absl::Duration kShortWait = absl::Milliseconds(100);
constexpr int64_t kCatchingUpMs = 60'000;  // behind by more than this
constexpr double kBackoffJitter = 0.2;
constexpr char kAwaitingWords[] = "waiting for forwarders";

PacingOptions PacingOf(const RemoteWriteConfig& config) {
  PacingOptions options;
  options.backoff = {config.queue.min_backoff, config.queue.max_backoff, kBackoffJitter};
  options.max_in_flight = std::max<uint32_t>(1, config.queue.max_shards);
  return options;
}

}  // namespace

DeliveryRun::DeliveryRun(DeliveryParts parts, DeliverySettings settings)
    : parts_(std::move(parts)),
      message_(parts_.id.tenant, settings.config),
      secrets_(settings.config),
      pacing_(PacingOf(settings.config)),
      builder_(parts_.layouts),
      random_(std::random_device{}()) {
  rules_.started_ms = parts_.source.NowMs();
  Configure(std::move(settings));
}

void DeliveryRun::Configure(DeliverySettings settings) {
  absl::StatusOr<RenderRules> rules = MakeRenderRules(settings.external_labels, settings.config);
  if (!rules.ok()) {  // configuration has checked them: the older ones stay
    Log(LogLevel::kError, "write_relabel_configs refused", {{"destination", parts_.id.name}});
    return;
  }
  const bool changed = rules->generation != rules_.render.generation;
  settings_ = std::move(settings);
  rules_.render = *std::move(rules);
  rules_.bounds.max_samples = std::max<uint32_t>(1, settings_.config.queue.max_samples_per_send);
  rules_.sample_age_limit = settings_.config.queue.sample_age_limit;
  message_ = WriteMessage(parts_.id.tenant, settings_.config);
  secrets_ = DestinationSecrets(settings_.config);
  const bool was_held = pacing_.held();
  pacing_.Reconfigure(PacingOf(settings_.config));
  const QueueConfig& queue = settings_.config.queue;
  for (Lane& lane : lanes_) {
    lane.backoff = Backoff({queue.min_backoff, queue.max_backoff, kBackoffJitter});
    lane.not_before = absl::ZeroDuration();
    if (was_held && changed) GiveUpRange(lane);
  }
  parts_.meter.SetUrl(settings_.config.url);
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
  lane.buffer.clear();
  lane.buffer_bytes = 0;
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
  if (mail.settings) Configure(*std::move(mail.settings));
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
  if (!metadata_.empty() && metadata_.NextRound() > now)
    until = std::min(until, metadata_.NextRound());
  return until - now;
}

std::string DeliveryRun::State(absl::Duration now) const {
  if (pacing_.held()) return "held";
  if (pacing_.braked(now)) return "retrying";
  bool pending = false;
  int64_t oldest_ms = parts_.source.NowMs();
  for (const Lane& lane : lanes_) {
    if (lane.failing_since < now && lane.range != nullptr) return "retrying";
    if (lane.range != nullptr) oldest_ms = std::min(oldest_ms, lane.range_origin_ms);
    if (!lane.buffer.empty())
      oldest_ms = std::min(oldest_ms, lane.buffer.front()->header.origin_ms);
    pending = pending || lane.range != nullptr || !lane.buffer.empty();
  }
  if (!pending) return "idle";
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
  } else if (in_flight_ >= settings_.config.queue.max_shards) {
    moment.brake = "max_shards";
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
    if (!stopping_) SendMetadata(now);
    Observe(now);
    parts_.http.Poll(NextWait(now));
  }
  parts_.source.SetWaker([] {});
  for (const Lane& lane : lanes_) {
    if (lane.range != nullptr) parts_.source.Unclaim(lane.number);
  }
}

}  // namespace ampari
