#include "gateway/intake/outbox.h"

#include <algorithm>
#include <utility>

#include "ampari/v1/shipping.pb.h"

namespace ampari {
namespace {

std::string WelcomeMessage(const WelcomeReply& welcome, const IntakeLimits& limits) {
  v1::GatewayMessage message;
  v1::Welcome& out = *message.mutable_welcome();
  out.set_store_id(welcome.store_id);
  out.set_epoch(welcome.epoch);
  out.set_mark(welcome.mark);
  out.set_settled(welcome.settled);
  out.mutable_limits()->set_max_frame_bytes(limits.max_frame_bytes);
  out.mutable_limits()->set_max_registration_bytes(limits.max_registration_bytes);
  out.mutable_limits()->set_max_unacknowledged_bytes(limits.max_unacknowledged_bytes);
  out.set_found(static_cast<v1::Welcome::Found>(welcome.found));
  out.set_refused(welcome.refused);
  out.set_superseded(welcome.superseded);
  out.set_producer_age_ms(welcome.producer_age_ms);
  return message.SerializeAsString();
}

void Fill(const std::string& key, const LogPosition& at, v1::FilePosition* out) {
  out->set_key(key);
  out->set_out(at.out);
  out->set_err(at.err);
}

std::string RefusalMessage(const FrameRefusal& refusal) {
  v1::GatewayMessage message;
  v1::Refusal& out = *message.mutable_refusal();
  out.set_sequence(refusal.sequence);
  out.set_reason(static_cast<v1::Refusal::Reason>(refusal.reason));
  out.set_message(refusal.message);
  out.set_round(refusal.round);
  for (const RefusedFile& file : refusal.files) {
    v1::RefusedFile& refused = *out.add_files();
    refused.set_key(file.key);
    refused.set_known(file.known);
    refused.set_out(file.stored.out);
    refused.set_err(file.stored.err);
  }
  return message.SerializeAsString();
}

}  // namespace

void Outbox::Durable(uint64_t mark, uint64_t settled) {
  mark_ = mark;
  settled_ = settled;
}

void Outbox::Refuse(const FrameRefusal& refusal) {
  constexpr auto kPosition = FrameRefusal::Reason::kPosition;
  if (refusal.reason == kPosition) {
    std::erase_if(refusals_, [](const FrameRefusal& older) { return older.reason == kPosition; });
  }
  if (refusals_.size() < kMaxWaitingRefusals) refusals_.push_back(refusal);
}

void Outbox::Notice(bool superseded, bool paused, bool admitted) {
  notice_ = State{superseded, paused, admitted};
}

std::string Outbox::AckMessage(absl::Duration now) {
  sent_mark_ = mark_;
  sent_settled_ = settled_;
  last_ack_ = now;
  v1::GatewayMessage message;
  message.mutable_ack()->set_durable(mark_);
  message.mutable_ack()->set_settled(settled_);
  return message.SerializeAsString();
}

std::string Outbox::NextPositions() {
  v1::GatewayMessage message;
  v1::Positions& out = *message.mutable_positions();
  const size_t upto = std::min(positions_->size(), positions_sent_ + kPositionsPerMessage);
  for (; positions_sent_ < upto; ++positions_sent_) {
    const StoredPosition& position = (*positions_)[positions_sent_];
    Fill(position.key, position.at, out.add_files());
  }
  out.set_complete(upto == positions_->size());
  if (out.complete()) positions_.reset();
  return message.SerializeAsString();
}

std::optional<std::string> Outbox::Next(absl::Duration now, const IntakeLimits& limits) {
  if (welcome_) {
    const WelcomeReply welcome = *std::exchange(welcome_, std::nullopt);
    mark_ = sent_mark_ = welcome.mark;
    settled_ = sent_settled_ = welcome.settled;
    positions_ = welcome.positions;
    positions_sent_ = 0;
    return WelcomeMessage(welcome, limits);
  }
  if (positions_ != nullptr) return NextPositions();
  if (notice_) {
    v1::GatewayMessage message;
    message.mutable_notice()->set_superseded(notice_->superseded);
    message.mutable_notice()->set_paused(notice_->paused);
    message.mutable_notice()->set_admitted(notice_->admitted);
    notice_.reset();
    return message.SerializeAsString();
  }
  if (!refusals_.empty()) {
    std::string message = RefusalMessage(refusals_.front());
    refusals_.pop_front();
    return message;
  }
  const bool moved = mark_ != sent_mark_;
  const bool settled_due = settled_ != sent_settled_ && now - last_ack_ >= kSettledInterval;
  if (!moved && !settled_due) return std::nullopt;
  return AckMessage(now);
}

}  // namespace ampari
