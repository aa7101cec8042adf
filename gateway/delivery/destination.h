// Destination: delivers one tenant's metrics to one remote-write endpoint, in order per lane, as long as the data is kept.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "common/runtime/clock.h"
#include "gateway/config.h"
#include "gateway/layouts/layout_cache.h"
#include "gateway/store/store.h"

namespace ampari {

struct DeliveryStatus {
  DestinationId id;
  std::string url;                   // without user information
  bool held = false;                 // a human must act
  std::string state;                 // "delivering", "catching up", "retrying", "held", "idle", in words
  std::string last_error;            // the region's words, bounded, no secret
  uint64_t requests_total = 0, retries_total = 0, request_bytes_total = 0;
  std::map<int, uint64_t> responses_total;  // by HTTP status; 0: no answer
  uint32_t in_flight = 0;
  uint64_t samples_sent_total = 0;
  double delivered_rate = 0;         // samples/s over the last minute
  double accepted_rate = 0;
  std::string brake;                 // what slows it most now, e.g. "429 91 %", or empty
  int64_t held_since_ms = 0, failing_since_ms = 0;
  std::map<std::string, uint64_t> over_limit_series;  // refused by a limit, by series, the first 100
};

// Thread-safe. Owns one thread with its own event loop (libcurl multi). `store`, `layouts` and `clock` must outlive it.
class Destination {
 public:
  Destination(DestinationId id, RemoteWriteConfig config, Labels external_labels, Store& store, LayoutCache& layouts,
              const Clock& clock);
  ~Destination();  // Stop()

  void Start();
  // New URL, secrets, rules or limits under the same name; the backlog stays.
  void Reconfigure(RemoteWriteConfig config, Labels external_labels);
  DeliveryStatus status() const;
  // Stops sending; what was answered is settled, what was not is sent again after the next start.
  void Stop();

 private:
  class Core;
  std::unique_ptr<Core> core_;
};

}  // namespace ampari
