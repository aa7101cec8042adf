// The gateway's own metrics, ampari_gateway_*. Pure: from a snapshot to families. docs/metrics list
// them with their meaning.
#pragma once

#include <vector>

#include "common/runtime/metrics.h"
#include "gateway/status/snapshot.h"

namespace ampari {

// The ledger, per tenant, signal and destination, in samples (or lines).
void AddLedgerMetrics(const GatewaySnapshot& snapshot, std::vector<MetricFamily>& families);
void AddStoreMetrics(const GatewaySnapshot& snapshot, std::vector<MetricFamily>& families);
void AddIntakeMetrics(const GatewaySnapshot& snapshot, std::vector<MetricFamily>& families);
void AddDeliveryMetrics(const GatewaySnapshot& snapshot, std::vector<MetricFamily>& families);
void AddLayoutMetrics(const GatewaySnapshot& snapshot, std::vector<MetricFamily>& families);
void AddReloadMetrics(const GatewaySnapshot& snapshot, std::vector<MetricFamily>& families);

}  // namespace ampari
