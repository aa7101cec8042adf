// Outbox: what a stream has still to tell its forwarder, in the order and at the rate in which it
// should be told.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "gateway/intake/stream_budget.h"
#include "gateway/store/arrival.h"

namespace ampari {

inline constexpr absl::Duration kSettledInterval =
    absl::Milliseconds(100);  // between acks that only move `settled`
inline constexpr size_t kMaxWaitingRefusals =
    1024;  // the oldest stay: what follows them is sent again anyway

inline constexpr size_t kPositionsPerMessage = 4096;

// A small state machine without a lock of its own: acknowledgements are cumulative, so only the
// last one is kept; the welcome comes first. Refusals go before acknowledgements.
class Outbox {
 public:
  void Welcome(const WelcomeReply& welcome) { welcome_ = welcome; }
  void Durable(uint64_t mark, uint64_t settled);
  void Refuse(const FrameRefusal& refusal);
  void Notice(bool superseded, bool paused, bool admitted);

  // The next serialised ampari.v1.GatewayMessage; nullopt when there is nothing to say at `now`
  // (monotonic).
  std::optional<std::string> Next(absl::Duration now, const IntakeLimits& limits);
  // Something is held back that Next() will give kSettledInterval later at most.
  bool HoldsBack() const { return mark_ == sent_mark_ && settled_ != sent_settled_; }

 private:
  struct State {
    bool superseded = false, paused = false, admitted = true;
    friend bool operator==(const State&, const State&) = default;
  };
  std::string AckMessage(absl::Duration now);
  std::string NextPositions();

  std::optional<WelcomeReply> welcome_;
  std::shared_ptr<const std::vector<StoredPosition>> positions_;  // to be told, from here on:
  size_t positions_sent_ = 0;
  std::deque<FrameRefusal> refusals_;
  std::optional<State> notice_;
  uint64_t mark_ = 0, settled_ = 0, sent_mark_ = 0, sent_settled_ = 0;
  absl::Duration last_ack_ = -absl::InfiniteDuration();
};

}  // namespace ampari
