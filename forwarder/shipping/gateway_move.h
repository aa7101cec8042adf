// GatewayMove: which gateway this forwarder is bound to, and when it goes to another one that it is
// told to.
//
// From the moment that a move begins the old gateway is offered nothing that it has not seen; what
// is scraped meanwhile waits in the ring. The forwarder goes
//   - once everything that the old gateway may have is settled there, so that the region gets the
//     older samples of a series before the newer ones;
//   - or after `patience`: what the old gateway acknowledged stays with it as long as it answers;
//     one that does not answer may be lost with its disk, so what it has not settled is sent again.
// It arrives as a new instance. Not thread-safe; time is monotonic. Session and ring outlive it.
#pragma once

#include <cstdint>
#include <string>

#include "absl/time/time.h"
#include "forwarder/shipping/ring.h"
#include "forwarder/shipping/session.h"

namespace ampari {

class GatewayMove {
 public:
  GatewayMove(std::string home, absl::Duration patience, Session& session, const Ring& ring)
      : patience_(patience), session_(session), ring_(ring), home_(std::move(home)) {}

  const std::string& home() const { return home_; }      // host:port
  const std::string& target() const { return target_; }  // empty: it stays
  uint64_t moves() const { return moves_; }
  uint64_t impatient_moves() const { return impatient_moves_; }

  // Begins a move, gives it another target, or (home) ends it.
  void To(std::string address, absl::Duration now);
  // True: it went, and home() is to be connected to.
  bool Step(absl::Duration now);
  // The program stops: a gateway that answers gets everything, else the move is made at once.
  // As Step.
  bool Hurry();
  // When Step is due; infinite: not before something happens to the session.
  absl::Duration NextWake() const;

 private:
  bool Go(uint64_t forget_upto);
  bool GoUnsettled();

  const absl::Duration patience_;
  Session& session_;
  const Ring& ring_;
  std::string home_, target_;
  absl::Duration began_;
  uint64_t moves_ = 0, impatient_moves_ = 0;
};

}  // namespace ampari
