// LogDestination: delivers one tenant's logs to one Loki-push endpoint, in order per stream, as
// long as the data is kept.
#pragma once

#include <memory>

#include "common/runtime/clock.h"
#include "gateway/config.h"
#include "gateway/delivery/delivery_status.h"
#include "gateway/store/store.h"

namespace ampari {

// Thread-safe. Owns one thread with its own event loop (libcurl multi). `store` and `clock` must
// outlive it.
class LogDestination {
 public:
  LogDestination(const DestinationId& id, LokiWriteConfig config, Labels external_labels,
                 Store& store, const Clock& clock);
  ~LogDestination();  // Stop()

  void Start();
  // New URL, secrets, rules or limits under the same name; the backlog stays.
  void Reconfigure(LokiWriteConfig config, Labels external_labels);
  DeliveryStatus status() const;
  // Stops sending; what was answered is settled, what was not is sent again after the next start.
  void Stop();

 private:
  class Core;
  std::unique_ptr<Core> core_;
};

}  // namespace ampari
