// GatewaySnapshot: everything that is shown, at one moment, as plain values of their owners.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "gateway/delivery/destination.h"
#include "gateway/intake/intake_status.h"
#include "gateway/store/store_status.h"
#include "gateway/tenants/entry_table.h"

namespace ampari {

struct ReloadStatus {
  bool last_successful = true;
  double success_seconds = 0;  // Unix time of the last configuration that was taken over
  std::string error;           // of the last reload, bounded, no secret
};

struct GatewaySnapshot {
  int64_t now_ms = 0;  // the store's clock, which its stamps use
  StoreStatus store;
  std::vector<DeliveryStatus> deliveries;
  IntakeStatus intake;
  std::vector<EntryIdentity> entries;
  ReloadStatus reload;
  double certificate_expiry_seconds = 0;  // Unix time; 0 without TLS
  std::string tenants_problem;            // why token files could not be read again, or empty
  uint64_t layout_cache_bytes = 0, layout_renders_total = 0;
};

// The delivery of a destination, or null (it is removed and held).
const DeliveryStatus* DeliveryOf(const GatewaySnapshot& snapshot, const DestinationId& id);
std::string_view SignalName(Signal signal);

}  // namespace ampari
