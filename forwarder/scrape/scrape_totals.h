// What the forwarder's metrics tell of all scrapes. Plain values.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace ampari {

// Why a scrape failed; kNone: it did not.
enum class ScrapeFailure : uint8_t {
  kNone,
  kConnection,
  kTimeout,
  kTls,
  kHttpStatus,
  kContentType,
  kBodySize,
  kTargetLimit,
  kParse,  // the body is not what its format allows
  kLimit,  // of the job, of a frame or of a registration
};
inline constexpr size_t kScrapeFailures = 10;
// As a value of the label `reason`.
std::string_view FailureName(ScrapeFailure failure);

// Sums over all scrapes of this process.
struct ScrapeTotals {
  uint64_t scrapes = 0, samples_scraped = 0, samples_shipped = 0, series_added = 0;
  uint64_t duplicates = 0, out_of_order = 0, out_of_bounds = 0, exemplars_dropped = 0;
  uint64_t body_bytes = 0, predicted = 0, looked_up = 0, parsed = 0;
  uint64_t end_of_runs = 0;
  std::array<uint64_t, kScrapeFailures> failures{};
};

}  // namespace ampari
