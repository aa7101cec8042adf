#include "gateway/status/drain_estimate.h"

namespace ampari {

std::optional<double> DrainSeconds(const DrainRates& rates) {
  if (rates.pending == 0) return 0;
  const double net = rates.delivered_per_second - rates.accepted_per_second;
  if (!(net > 0)) return std::nullopt;
  return static_cast<double>(rates.pending) / net;
}

std::optional<double> FullSeconds(const DiskRates& rates) {
  const double growth = rates.accepted_per_second - rates.delivered_per_second;
  if (rates.disk_bytes >= rates.max_bytes) return 0;
  if (!(growth > 0) || rates.pending == 0 || rates.pending_bytes == 0) return std::nullopt;
  const double bytes_per_sample =
      static_cast<double>(rates.pending_bytes) / static_cast<double>(rates.pending);
  return static_cast<double>(rates.max_bytes - rates.disk_bytes) / (growth * bytes_per_sample);
}

}  // namespace ampari
