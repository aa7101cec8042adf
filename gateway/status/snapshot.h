// GatewaySnapshot: everything that is shown, at one moment, as plain values of their owners.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "gateway/delivery/destination.h"
#include "gateway/intake/intake_status.h"
#include "gateway/layouts/layout_cache.h"
#include "gateway/status/drain_estimate.h"
#include "gateway/store/store_status.h"
#include "gateway/tenants/entry_table.h"

namespace ampari {

struct ReloadStatus {
  bool last_successful = true;
  double success_seconds = 0;  // Unix time of the last configuration that was taken over
  std::string error;           // of the last reload, bounded, no secret
};

// A credential that ends by itself.
struct CredentialEnd {
  std::string credential;     // tls_certificate, token, password, client_certificate, ca
  DestinationId destination;  // whose it is; without a name: the gateway's own
  double unix_seconds = 0;
};

struct GatewaySnapshot {
  int64_t now_ms = 0;  // the store's clock, which its stamps use
  StoreStatus store;
  std::vector<DeliveryStatus> deliveries;
  IntakeStatus intake;
  std::vector<EntryIdentity> entries;
  ReloadStatus reload;
  std::vector<CredentialEnd> credentials;
  std::string tenants_problem;  // why token files could not be read again, or empty
  uint64_t layout_cache_bytes = 0;
  LayoutCacheCounts layouts;
};

// The delivery of a destination, or null (it is removed and held).
const DeliveryStatus* DeliveryOf(const GatewaySnapshot& snapshot, const DestinationId& id);
// What decides when the disk is full: each queue at the destination that holds most of it.
DiskRates DiskRatesOf(const GatewaySnapshot& snapshot);
std::string_view SignalName(Signal signal);

}  // namespace ampari
