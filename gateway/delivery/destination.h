// Destination: delivers one tenant's metrics to one remote-write endpoint, in order per lane, as
// long as the data is kept.
#pragma once

#include <memory>

#include "common/runtime/clock.h"
#include "gateway/config.h"
#include "gateway/delivery/delivery_status.h"
#include "gateway/layouts/layout_cache.h"
#include "gateway/store/store.h"

namespace ampari {

// Thread-safe. Owns one thread with its own event loop (libcurl multi). `store`, `layouts` and
// `clock` must outlive it.
class Destination {
 public:
  Destination(DestinationId id, RemoteWriteConfig config, Labels external_labels, Store& store,
              LayoutCache& layouts, const Clock& clock);
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
