// The rows of the table "Connecting": what a welcome changes.
#include <algorithm>
#include <utility>

#include "common/runtime/logging.h"
#include "forwarder/shipping/session.h"

namespace ampari {
namespace {

constexpr uint64_t kDefaultWindowBytes = uint64_t{8} << 20;
constexpr uint64_t kLeastMaxFrameBytes = uint64_t{64} << 10;  // no gateway means less

}  // namespace

// The rows that end in a new instance. What this one need not send again is forgotten.
bool Session::MustBeginAnew(const v1::Welcome& welcome) {
  if (welcome.found() == v1::Welcome::FOUND_FORGOTTEN ||
      (welcome.found() == v1::Welcome::FOUND_NEW && ring_.acknowledged() > 0)) {
    Log(LogLevel::kWarn, "gateway forgot this instance: a new one begins");
    BecomeNewInstance(NewInstance::kUnknown, ring_.acknowledged());
  } else if (welcome.found() == v1::Welcome::FOUND_OTHER_STORE) {
    Log(LogLevel::kWarn, "gateway has another store: a new instance sends all that is unsettled",
        {{"settled", ring_.settled()}, {"acknowledged", ring_.acknowledged()}});
    BecomeNewInstance(NewInstance::kUnknown, ring_.settled());
  } else if (welcome.mark() > ring_.last()) {
    // Nobody else has this id, so the store tells of what this process never sent.
    Log(LogLevel::kError, "gateway knows more of this instance than there is: a new one begins",
        {{"mark", welcome.mark()}, {"last", ring_.last()}});
    BecomeNewInstance(NewInstance::kUnknown, ring_.acknowledged());
  } else {
    return false;
  }
  return true;
}

void Session::OnWelcome(const v1::Welcome& welcome, absl::Duration now) {
  if (status_.welcomed || held_welcome_) return;
  status_.refused = welcome.refused().substr(0, kMaxRefusedBytes);
  if (status_.refused.empty() && welcome.found() == v1::Welcome::FOUND_REFUSED) {
    status_.refused = "refused";
  }
  if (!status_.refused.empty()) return;  // the gateway ends the stream
  TakeLimits(welcome.limits());
  if (MustBeginAnew(welcome)) return;
  if (cargo_.awaits_positions()) {
    held_welcome_ = welcome;
  } else {
    TakeOver(welcome, now);
  }
}

void Session::TakeLimits(const v1::Limits& limits) {
  if (limits.max_frame_bytes() != 0) {
    status_.max_frame_bytes = std::max(limits.max_frame_bytes(), kLeastMaxFrameBytes);
  }
  max_in_flight_bytes_ = limits.max_unacknowledged_bytes() != 0 ? limits.max_unacknowledged_bytes()
                                                                : kDefaultWindowBytes;
  cargo_.OnLimits(limits);
}

void Session::OnPositions(const v1::Positions& positions, absl::Duration now) {
  if (!held_welcome_) return;
  cargo_.OnPositions(positions);
  if (!positions.complete()) return;
  const v1::Welcome welcome = *std::exchange(held_welcome_, std::nullopt);
  TakeOver(welcome, now);
}

void Session::TakeOver(const v1::Welcome& welcome, absl::Duration now) {
  store_id_ = welcome.store_id();
  status_.epoch = welcome.epoch();
  if (welcome.mark() < ring_.acknowledged()) RollBack(welcome);
  if (reconnect_) return;
  status_.welcomed = true;
  ring_.Acknowledge(welcome.mark());
  ring_.Settle(welcome.settled());
  high_sent_ = ring_.acknowledged();
  StartAt(ring_.acknowledged());
  not_before_ = now;
  SetSuperseded(welcome.superseded());
  if (reconnect_) return;
  if (const std::optional<uint64_t> from = cargo_.OnWelcomed(welcome); from) ForgetFrom(*from);
}

// The store lost acknowledged frames. It set its mark to just before the first sequence that the
// hello offered above it; if that one has left the ring since, only a new hello can tell.
void Session::RollBack(const v1::Welcome& welcome) {
  ++status_.rollbacks;
  Log(LogLevel::kError, "gateway lost acknowledged frames",
      {{"mark", welcome.mark()},
       {"acknowledged", ring_.acknowledged()},
       {"first_kept", ring_.first()}});
  if (told_last_ == 0) {
    return BecomeNewInstance(NewInstance::kUnknown, ring_.settled());  // nothing was offered
  }
  ring_.RollBack(std::max(welcome.mark(), ring_.settled()));
  const uint64_t expected = std::max(welcome.mark() + 1, told_first_);
  if (ring_.acknowledged() + 1 != expected) reconnect_ = true;
}

void Session::SetSuperseded(bool superseded) {
  if (superseded == status_.superseded) return;
  if (superseded) {
    Log(LogLevel::kWarn, "superseded by a newer instance: draining", {});
    status_.superseded = true;
    ++status_.supersessions;
    new_instance_wanted_ = false;
    return;
  }
  if (draining_) {
    status_.superseded = false;
    return;
  }
  // The successor is gone. What was sent under this instance may still be committed: its fate comes
  // first.
  Log(LogLevel::kWarn, "the newer instance is gone: working again as a new one", {});
  new_instance_wanted_ = true;
  BeginAloneIfSettled();
}

// Nothing that was sent under this instance may still be committed.
void Session::BeginAloneIfSettled() {
  if (!new_instance_wanted_ || ring_.acknowledged() < high_sent_) return;
  BecomeNewInstance(NewInstance::kAloneAgain, ring_.acknowledged());
}

void Session::GoElsewhere(uint64_t forget_upto) {
  leaving_ = false;
  BecomeNewInstance(NewInstance::kOtherGateway, forget_upto);
}

void Session::BecomeNewInstance(NewInstance why, uint64_t forget_upto) {
  cargo_.OnNewInstance(why, forget_upto);
  instance_ = options_.new_instance();
  store_id_.clear();
  ++status_.instances;
  status_.welcomed = status_.superseded = false;
  status_.epoch = status_.sent = 0;
  high_sent_ = ever_sent_ = 0;
  in_flight_bytes_ = 0;
  refused_sequence_ = 0;
  new_instance_wanted_ = false;
  reconnect_ = true;
}

}  // namespace ampari
