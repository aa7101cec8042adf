#include "forwarder/shipping/session.h"

#include <algorithm>

#include "common/frame/wire.h"
#include "common/runtime/logging.h"

namespace ampari {
namespace {

constexpr uint64_t kDefaultMaxFrameBytes = uint64_t{16} << 20;

uint64_t WaitedMs(const RingEntry& entry, absl::Duration now) {
  return static_cast<uint64_t>(
      std::max<int64_t>(0, absl::ToInt64Milliseconds(now - entry.enqueued)));
}

}  // namespace

Session::Session(SessionOptions options, Ring& ring, SessionCargo& cargo)
    : options_(std::move(options)), ring_(ring), cargo_(cargo) {
  instance_ = options_.new_instance();
  status_.max_frame_bytes = kDefaultMaxFrameBytes;
}

Outgoing Session::Connect(absl::Duration now) {
  open_ = true;
  reconnect_ = drained_said_ = false;
  hello_at_ = not_before_ = now;
  status_.welcomed = status_.paused = false;
  status_.admitted = true;
  held_welcome_.reset();
  cargo_.OnConnect();
  // What is settled is never sent again; what is merely acknowledged may have to be.
  told_first_ = std::max(ring_.first(), ring_.settled() + 1);
  v1::ForwarderMessage message;
  v1::Hello& hello = *message.mutable_hello();
  hello.set_protocol_version(1);
  hello.set_forwarder_name(options_.forwarder_name);
  hello.set_instance(instance_);
  hello.set_signal(cargo_.signal());
  hello.set_draining(draining_ || status_.superseded);
  told_last_ = told_first_ <= last_offered() ? last_offered() : 0;
  if (told_last_ != 0) {
    hello.set_first_sequence(told_first_);
    hello.set_last_sequence(told_last_);
    hello.set_first_waited_ms(WaitedMs(ring_.At(told_first_), now));
    hello.set_last_waited_ms(WaitedMs(ring_.At(told_last_), now));
  }
  hello.set_acknowledged(ring_.acknowledged());
  hello.set_settled(ring_.settled());
  hello.set_store_id(store_id_);
  hello.set_version(AMPARI_VERSION);
  return WholeMessage(message);
}

// A superseded instance drains where its successor is. What the gateway may have, it is to settle.
uint64_t Session::last_offered() const {
  const bool holds_back = leaving_ && !status_.superseded;
  return holds_back ? std::min(ring_.last(), std::max(ever_sent_, ring_.acknowledged()))
                    : ring_.last();
}

bool Session::may_go() const {
  return leaving_ && !status_.superseded && ring_.settled() >= last_offered();
}

void Session::OnDisconnected() {
  open_ = false;
  status_.welcomed = false;
  ring_.Protect(0);
  high_sent_ = status_.sent = ring_.acknowledged();
  in_flight_bytes_ = 0;
}

bool Session::wants_reconnect(absl::Duration now) const {
  if (!open_) return false;
  return reconnect_ || (!status_.welcomed && now >= hello_at_ + kWelcomeTimeout);
}

absl::Duration Session::NextWake(absl::Duration now) const {
  absl::Duration wake = absl::InfiniteDuration();
  if (!open_) return wake;
  const auto consider = [&wake, now](absl::Duration at) {
    if (at > now) wake = std::min(wake, at);
  };
  if (!status_.welcomed) consider(hello_at_ + kWelcomeTimeout);
  consider(not_before_);
  if (status_.superseded && !drained_said_) consider(last_push_ + kQuietBeforeDrained);
  return wake;
}

void Session::OnMessage(const v1::GatewayMessage& message, absl::Duration now) {
  if (!open_ || reconnect_) return;
  switch (message.kind_case()) {
    case v1::GatewayMessage::kWelcome:
      return OnWelcome(message.welcome(), now);
    case v1::GatewayMessage::kAck:
      return OnAck(message.ack());
    case v1::GatewayMessage::kRefusal:
      return OnRefusal(message.refusal(), now);
    case v1::GatewayMessage::kNotice:
      return OnNotice(message.notice());
    case v1::GatewayMessage::kPositions:
      return OnPositions(message.positions(), now);
    case v1::GatewayMessage::KIND_NOT_SET:
      return;
  }
}

void Session::OnAck(const v1::Ack& ack) {
  if (!status_.welcomed) return;
  const uint64_t durable = std::min(ack.durable(), high_sent_);
  for (uint64_t s = ring_.acknowledged() + 1; s <= std::min(durable, status_.sent); ++s) {
    const RingEntry& entry = ring_.At(s);
    if (entry.frame != nullptr)
      in_flight_bytes_ -= std::min<uint64_t>(in_flight_bytes_, entry.frame->size());
  }
  status_.sent = std::max(status_.sent, durable);
  ring_.Acknowledge(durable);
  ring_.Settle(ack.settled());
  cargo_.OnAcknowledged();
  BeginAloneIfSettled();
}

void Session::OnRefusal(const v1::Refusal& refusal, absl::Duration now) {
  const uint64_t sequence = refusal.sequence();
  if (refusal.reason() == v1::Refusal::REASON_POSITION) return OnPositionRefusal(refusal, now);
  // Refusals of what was in flight behind a refused frame say nothing new.
  if (!status_.welcomed || sequence > status_.sent || sequence <= ring_.acknowledged()) return;
  ++status_.refused_frames;
  refusals_ = sequence == refused_sequence_ ? refusals_ + 1 : 1;
  refused_sequence_ = sequence;
  const bool unfit = refusal.reason() == v1::Refusal::REASON_OVERSIZE ||
                     refusal.reason() == v1::Refusal::REASON_MALFORMED;
  static LogLimit limit;
  Log(limit, LogLevel::kWarn, "frame refused",
      {{"sequence", sequence},
       {"reason", v1::Refusal::Reason_Name(refusal.reason())},
       {"words", refusal.message()}});
  if (refusals_ >= kMaxRefusals) {
    const bool oversize = refusal.reason() == v1::Refusal::REASON_OVERSIZE;
    const GapReason reason = oversize ? GapReason::kOversize : GapReason::kMalformed;
    // A welcome tells the mark.
    if (!unfit || cargo_.OnUnfit(sequence, reason) == UnfitFrame::kNeedsWelcome) reconnect_ = true;
  }
  if (new_instance_wanted_) reconnect_ = true;  // it is not sent again, so nothing will settle it
  // Everything before an unfit frame was taken; after a wrong sequence only the mark is sure.
  StartAt(unfit ? sequence - 1 : ring_.acknowledged());
  not_before_ = now + kRefusedDelay;
}

void Session::OnPositionRefusal(const v1::Refusal& refusal, absl::Duration now) {
  if (!status_.welcomed || refusal.round() <= cargo_.round()) return;  // of a round that is over
  const uint64_t sequence = refusal.sequence();
  if (sequence > status_.sent || sequence <= ring_.acknowledged()) {
    reconnect_ = true;  // only the gateway knows what it means
    return;
  }
  ++status_.refused_frames;
  static LogLimit limit;
  Log(limit, LogLevel::kInfo, "frame refused by its positions",
      {{"sequence", sequence},
       {"files", refusal.files_size()},
       {"round", refusal.round()},
       {"words", refusal.message()}});
  cargo_.OnPositionRefusal(refusal, status_.superseded);
  ForgetFrom(sequence);
  BeginAloneIfSettled();
  // Without files there is nothing to do better the next time.
  if (refusal.files_size() == 0) not_before_ = now + kRefusedDelay;
}

// The gateway has none of these and will not take them any more: their sequences are free.
void Session::ForgetFrom(uint64_t sequence) {
  ring_.Truncate(sequence);
  if (refused_sequence_ >= sequence) refused_sequence_ = 0;
  high_sent_ = std::min(high_sent_, ring_.last());
  ever_sent_ = std::min(ever_sent_, ring_.last());
  ring_.Protect(high_sent_);
  StartAt(std::min(status_.sent, ring_.last()));
}

void Session::OnNotice(const v1::Notice& notice) {
  status_.paused = notice.paused();
  status_.admitted = notice.admitted();
  SetSuperseded(notice.superseded());
}

// The next thing sent is what follows `sent`.
void Session::StartAt(uint64_t sent) {
  status_.sent = sent;
  in_flight_bytes_ = 0;
  for (uint64_t s = std::max(ring_.acknowledged() + 1, ring_.first()); s <= sent; ++s) {
    if (ring_.At(s).frame != nullptr) in_flight_bytes_ += ring_.At(s).frame->size();
  }
}

std::optional<Outgoing> Session::Next(absl::Duration now) {
  if (!open_ || reconnect_ || !status_.welcomed) return std::nullopt;
  if (std::optional<Outgoing> first = cargo_.Next(status_.sent, status_.superseded); first)
    return first;
  if (new_instance_wanted_) return std::nullopt;
  if (std::optional<Outgoing> frame = NextFrame(now); frame) return frame;
  return NextDrained(now);
}

std::optional<Outgoing> Session::NextFrame(absl::Duration now) {
  const uint64_t sequence = status_.sent + 1;
  if (sequence > last_offered() || now < not_before_ || status_.paused || !status_.admitted) {
    return std::nullopt;
  }
  const RingEntry& entry = ring_.At(sequence);
  if (entry.frame == nullptr) return SendGap(sequence, now);
  if (entry.frame->size() > status_.max_frame_bytes) {
    if (cargo_.OnUnfit(sequence, GapReason::kOversize) == UnfitFrame::kIsGap) {
      return SendGap(sequence, now);
    }
    reconnect_ = true;
    return std::nullopt;
  }
  if (in_flight_bytes_ > 0 && in_flight_bytes_ + entry.frame->size() > max_in_flight_bytes_) {
    return std::nullopt;
  }
  return SendFrame(sequence, now);
}

Outgoing Session::SendFrame(uint64_t sequence, absl::Duration now) {
  const RingEntry& entry = ring_.At(sequence);
  if (sequence <= ever_sent_) ++status_.resent_frames;
  ever_sent_ = std::max(ever_sent_, sequence);
  status_.sent = sequence;
  high_sent_ = std::max(high_sent_, sequence);
  in_flight_bytes_ += entry.frame->size();
  ring_.Protect(high_sent_);
  return {EncodeFramePrefix(WaitedMs(entry, now), cargo_.round(), entry.frame->size()),
          entry.frame};
}

// As many expired frames in a row as have the same reason.
Outgoing Session::SendGap(uint64_t sequence, absl::Duration now) {
  v1::ForwarderMessage message;
  message.set_waited_ms(WaitedMs(ring_.At(sequence), now));
  v1::Gap& gap = *message.mutable_gap();
  const GapReason reason = ring_.At(sequence).reason;
  gap.set_first_sequence(sequence);
  gap.set_reason(static_cast<v1::Gap::Reason>(reason));
  uint64_t end = sequence;
  for (; end <= last_offered() && end - sequence < kMaxGapCounts; ++end) {
    const RingEntry& entry = ring_.At(end);
    if (entry.frame != nullptr || entry.reason != reason) break;
    gap.add_counts(entry.samples);
  }
  status_.sent = end - 1;
  high_sent_ = std::max(high_sent_, status_.sent);
  ever_sent_ = std::max(ever_sent_, status_.sent);
  ring_.Protect(high_sent_);
  return WholeMessage(message);
}

std::optional<Outgoing> Session::NextDrained(absl::Duration now) {
  if (drained_said_ || status_.sent < ring_.last()) return std::nullopt;
  const bool quiet = status_.superseded && ring_.acknowledged() == ring_.last() &&
                     now >= last_push_ + kQuietBeforeDrained;
  if (!quiet && !(draining_ && input_ended_)) return std::nullopt;
  drained_said_ = true;
  v1::ForwarderMessage message;
  message.mutable_drained();
  return WholeMessage(message);
}

}  // namespace ampari
