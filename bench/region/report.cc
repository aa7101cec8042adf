#include <string>

#include "absl/strings/str_format.h"
#include "bench/region/log_lines.h"
#include "bench/region/region.h"
#include "common/http/json_writer.h"

namespace ampari::bench {
namespace {

void WriteCounts(const TenantCounts& counts, JsonWriter& out) {
  out.Field("samples", counts.samples)
      .Field("series", counts.series)
      .Field("resends", counts.resends)
      .Field("doubles", counts.doubles)
      .Field("conflicts", counts.conflicts)
      .Field("out_of_order", counts.out_of_order)
      .Field("refused", counts.refused)
      .Field("newest_ms", counts.newest_ms == INT64_MIN ? 0 : counts.newest_ms);
}

void WriteTexts(std::string_view key, const std::vector<std::string>& texts, JsonWriter& out) {
  out.Key(key).BeginArray();
  for (const std::string& text : texts) out.Value(text);
  out.EndArray();
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
  JsonWriter out;
  out.BeginObject();
  WriteCounts(Total(), out);
  out.Field("requests", requests).Field("bytes", bytes).Key("statuses").BeginObject();
  for (const auto& [status, count] : statuses) out.Field(std::to_string(status), count);
  out.EndObject().Counts("malformed", malformed).Key("tenants").BeginObject();
  for (const auto& [name, counts] : tenants) {
    out.Key(name).BeginObject();
    WriteCounts(counts, out);
    const auto found = problems.find(name);
    if (found != problems.end()) WriteTexts("problems", found->second, out);
    out.EndObject();
  }
  out.EndObject().Key("logs").BeginObject();
  for (const auto& [name, tenant] : logs) {
    out.Key(name).BeginObject();
    WriteLogCounts(tenant.counts, out);
    WriteTexts("problems", tenant.problems, out);
    out.EndObject();
  }
  out.EndObject().EndObject();
  return out.Take() + "\n";
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
