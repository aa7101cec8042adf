// SessionCargo: what of a session depends on its signal. The session calls it; it sees the ring and
// keeps what the frames there refer to. Not thread-safe.
#pragma once

#include <cstdint>
#include <optional>

#include "ampari/v1/shipping.pb.h"
#include "forwarder/shipping/outgoing.h"
#include "forwarder/shipping/ring.h"

namespace ampari {

// Why an instance ends and another one begins.
enum class NewInstance {
  kAloneAgain,   // the gateway is the same, its successor is gone
  kUnknown,      // the gateway does not know the instance, or lost what it was sent
  kOtherGateway  // it moves
};

// What becomes of a frame that the gateway will never take.
enum class UnfitFrame {
  kIsGap,         // it is none any more
  kNeedsWelcome,  // the next welcome tells
};

class SessionCargo {
 public:
  virtual ~SessionCargo() = default;

  virtual v1::Signal signal() const = 0;
  // Of the frames that are sent now.
  virtual uint32_t round() const { return 0; }
  // A welcome takes effect only once all positions are told.
  virtual bool awaits_positions() const { return false; }

  // A hello is sent; nothing of the older streams counts any more.
  virtual void OnConnect() {}
  virtual void OnLimits(const v1::Limits& limits) { (void)limits; }
  virtual void OnPositions(const v1::Positions& positions) { (void)positions; }
  // A welcome takes effect; the ring's acknowledged() is its mark and nothing is in flight. The
  // first frame that is to be forgotten, with all behind it; nullopt: none.
  virtual std::optional<uint64_t> OnWelcomed(const v1::Welcome& welcome) = 0;
  virtual void OnAcknowledged() = 0;
  // Renumbers the ring: what is up to `forget_upto` need not be sent again.
  virtual void OnNewInstance(NewInstance why, uint64_t forget_upto) = 0;
  // A frame was refused by its positions, which raised the round. It and all behind it are
  // forgotten when this returns.
  virtual void OnPositionRefusal(const v1::Refusal& refusal, bool superseded) {
    (void)refusal, (void)superseded;
  }
  virtual UnfitFrame OnUnfit(uint64_t sequence, GapReason reason) = 0;
  // What is to be sent behind the frame `sent` and before the next one; nullopt: nothing.
  virtual std::optional<Outgoing> Next(uint64_t sent, bool superseded) = 0;
};

}  // namespace ampari
