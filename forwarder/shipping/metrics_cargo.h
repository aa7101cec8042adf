// MetricsCargo: a session of metrics: registrations go before the frames that refer to them,
// retirements behind, and a frame that cannot be sent becomes a gap.
#pragma once

#include "forwarder/shipping/registrations.h"
#include "forwarder/shipping/session_cargo.h"

namespace ampari {

// Not thread-safe. Ring and registrations outlive it.
class MetricsCargo final : public SessionCargo {
 public:
  MetricsCargo(Ring& ring, Registrations& registrations)
      : ring_(ring), registrations_(registrations) {}

  v1::Signal signal() const override { return v1::SIGNAL_METRICS; }
  void OnLimits(const v1::Limits& limits) override;
  std::optional<uint64_t> OnWelcomed(const v1::Welcome& welcome) override;
  void OnAcknowledged() override;
  void OnNewInstance(NewInstance why, uint64_t forget_upto) override;
  UnfitFrame OnUnfit(uint64_t sequence, GapReason reason) override;
  std::optional<Outgoing> Next(uint64_t sent, bool superseded) override;

  // Blocks that are larger than the gateway takes; each time on each stream.
  uint64_t unsendable() const { return unsendable_; }

 private:
  Ring& ring_;
  Registrations& registrations_;
  uint64_t max_block_bytes_ = uint64_t{16} << 20;
  uint64_t unsendable_ = 0;
  uint64_t block_order_ = 0, retirement_order_ = 0;  // on the living stream
};

}  // namespace ampari
