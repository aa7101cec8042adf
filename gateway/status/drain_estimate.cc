#include "gateway/status/drain_estimate.h"

#include <map>

namespace ampari {
namespace {

constexpr double kLeastGrowth = 1e-6;  // bytes a second; below it lies what sums round to

}  // namespace

std::optional<double> DrainSeconds(const DrainRates& rates) {
  if (rates.pending == 0) return 0;
  const double net = rates.delivered_per_second - rates.accepted_per_second;
  if (!(net > 0)) return std::nullopt;
  return static_cast<double>(rates.pending) / net;
}

std::optional<double> FullSeconds(const DiskRates& rates) {
  if (rates.disk_bytes >= rates.max_bytes) return 0;
  double net = 0;                 // bytes a second
  std::map<double, double> ends;  // of queues that shrink: when they are empty, and their rate
  for (const QueueRates& queue : rates.queues) {
    if (queue.pending == 0) continue;
    const auto bytes = static_cast<double>(queue.pending_bytes);
    const double growth = (queue.accepted_per_second - queue.delivered_per_second) * bytes /
                          static_cast<double>(queue.pending);
    net += growth;
    if (growth < 0) ends[bytes / -growth] -= growth;
  }
  double at = 0, room = static_cast<double>(rates.max_bytes - rates.disk_bytes);
  for (const auto& [end, rate] : ends) {
    if (net > 0 && room <= net * (end - at)) return at + room / net;
    room -= net * (end - at);
    at = end;
    net += rate;
  }
  if (!(net > kLeastGrowth)) return std::nullopt;
  return at + room / net;
}

}  // namespace ampari
