#include <string>

#include "absl/strings/str_format.h"
#include "bench/region/json_text.h"
#include "bench/region/region.h"

namespace ampari::bench {
namespace {

void AddCounts(const TenantCounts& counts, JsonObject& out) {
  out.Number("samples", counts.samples)
      .Number("series", counts.series)
      .Number("resends", counts.resends)
      .Number("doubles", counts.doubles)
      .Number("conflicts", counts.conflicts)
      .Number("out_of_order", counts.out_of_order)
      .Number("refused", counts.refused)
      .Number("newest_ms", counts.newest_ms == INT64_MIN ? 0 : counts.newest_ms);
}

std::string JsonArray(const std::vector<std::string>& texts) {
  std::string out;
  for (const std::string& text : texts) out += (out.empty() ? "" : ",") + JsonString(text);
  return "[" + out + "]";
}

}  // namespace

TenantCounts RegionReport::Total() const {
  TenantCounts total;
  for (const auto& [name, counts] : tenants) {
    total.samples += counts.samples;
    total.series += counts.series;
    total.resends += counts.resends;
    total.doubles += counts.doubles;
    total.conflicts += counts.conflicts;
    total.out_of_order += counts.out_of_order;
    total.refused += counts.refused;
    total.newest_ms = std::max(total.newest_ms, counts.newest_ms);
  }
  return total;
}

std::string RegionReport::ToJson() const {
  JsonObject by_status, by_reason, by_tenant, out;
  for (const auto& [status, count] : statuses) by_status.Number(std::to_string(status), count);
  for (const auto& [reason, count] : malformed) by_reason.Number(reason, count);
  for (const auto& [name, counts] : tenants) {
    JsonObject one;
    AddCounts(counts, one);
    const auto found = problems.find(name);
    if (found != problems.end()) one.Add("problems", JsonArray(found->second));
    by_tenant.Add(name, one.Take());
  }
  AddCounts(Total(), out);
  out.Number("requests", requests).Number("bytes", bytes);
  out.Add("statuses", by_status.Take()).Add("malformed", by_reason.Take());
  return out.Add("tenants", by_tenant.Take()).Take() + "\n";
}

std::function<std::string()> SampleLines(const TenantStore& tenant, bool compact) {
  return [all = tenant.AllSeries(), next = size_t{0}, compact]() mutable {
    constexpr size_t kPieceBytes = size_t{256} << 10;
    std::string out;
    for (; next < all.size() && out.size() < kPieceBytes; ++next) {
      const StoredSeries& series = *all[next];
      MutexLock lock(series.mu);
      if (compact && !series.samples.empty()) out += series.labels + "\n";
      for (const StoredSample& sample : series.samples) {
        if (!compact) out += series.labels + "\t";
        absl::StrAppendFormat(&out, "%d\t%016x\n", sample.timestamp_ms, sample.value_bits);
      }
    }
    return out;
  };
}

}  // namespace ampari::bench
