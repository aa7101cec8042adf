// MetricsShipper: turns shipments into frames, keeps them in the bounded ring and streams them to
// the gateway.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "common/runtime/clock.h"
#include "forwarder/shipping/shipment.h"
#include "forwarder/shipping/shipping_options.h"

namespace ampari {

// Thread-safe. Owns its threads: one that flushes, gRPC's own. `clock` must outlive it.
class MetricsShipper {
 public:
  MetricsShipper(ShippingOptions options, const Clock& clock);
  ~MetricsShipper();  // Stop(zero) if it was not called
  MetricsShipper(const MetricsShipper&) = delete;
  MetricsShipper& operator=(const MetricsShipper&) = delete;

  void Start();  // nothing after Stop()
  // Never blocks on the network; a full ring expires the oldest unsent frames as a gap record.
  void Push(Shipment shipment);
  // Goes to another gateway by the rules of GatewayMove; its own address: stays.
  void MoveTo(const std::string& address);
  // A scrape whose EncodedScrapeBound is above this cannot fit a frame and must fail as a scrape.
  size_t max_scrape_bytes() const;
  ShippingStatus status() const;
  // Flushes, says that it is draining and waits until everything is acknowledged or `grace` is
  // over. OK or DeadlineExceeded with what is left.
  absl::Status Stop(absl::Duration grace);

 private:
  class Core;
  std::unique_ptr<Core> core_;
};

}  // namespace ampari
