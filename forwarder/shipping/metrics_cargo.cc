#include "forwarder/shipping/metrics_cargo.h"

#include "common/frame/wire.h"
#include "common/runtime/logging.h"

namespace ampari {

void MetricsCargo::OnLimits(const v1::Limits& limits) {
  if (limits.max_registration_bytes() != 0) max_block_bytes_ = limits.max_registration_bytes();
  registrations_.set_max_block_bytes(max_block_bytes_);
}

std::optional<uint64_t> MetricsCargo::OnWelcomed(const v1::Welcome& /*welcome*/) {
  block_order_ = retirement_order_ = 0;
  OnAcknowledged();
  return std::nullopt;
}

void MetricsCargo::OnAcknowledged() {
  registrations_.Forget(ring_.first_frame(), ring_.acknowledged());
}

void MetricsCargo::OnNewInstance(NewInstance /*why*/, uint64_t forget_upto) {
  registrations_.Renumber(ring_.Renumber(forget_upto));
  registrations_.Forget(ring_.first_frame(), 0);
}

UnfitFrame MetricsCargo::OnUnfit(uint64_t sequence, GapReason reason) {
  ring_.Expire(sequence, reason);
  return UnfitFrame::kIsGap;
}

std::optional<Outgoing> MetricsCargo::Next(uint64_t sent, bool /*superseded*/) {
  while (const auto* block = registrations_.Next(sent, &block_order_)) {
    if (block->bytes->size() <= max_block_bytes_) {
      return Outgoing{EncodeRegistrationPrefix(block->bytes->size()), block->bytes};
    }
    // The gateway would end the stream, again and again. It sets aside the frames that need it.
    ++unsendable_;
    static LogLimit limit;
    Log(limit, LogLevel::kError, "a series or layout is larger than the gateway takes",
        {{"block", block->number},
         {"bytes", block->bytes->size()},
         {"max_bytes", max_block_bytes_}});
  }
  if (const auto* due = registrations_.NextRetirement(sent, &retirement_order_); due != nullptr) {
    v1::ForwarderMessage message;
    for (const uint64_t block : due->blocks) message.mutable_retire()->add_blocks(block);
    return WholeMessage(message);
  }
  return std::nullopt;
}

}  // namespace ampari
