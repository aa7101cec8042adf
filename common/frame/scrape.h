// Scrape: what one scrape of one target contributes to a frame, as a plain value. The codec is
// frame.h, the bytes are in FORMAT.md.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace ampari {

// The staleness marker is a signalling NaN: its bits are copied, never computed with.
inline constexpr uint64_t kStaleNanBits = 0x7ff0000000000002;
inline constexpr uint64_t kNormalNanBits = 0x7ff8000000000001;

// Values match those of prometheus.MetricMetadata.MetricType.
enum class MetricType : uint8_t {
  kUnknown = 0,
  kCounter = 1,
  kGauge = 2,
  kHistogram = 3,
  kGaugeHistogram = 4,
  kSummary = 5,
  kInfo = 6,
  kStateSet = 7,
};

// TYPE, HELP and UNIT of one family, sent when first seen and when they change.
struct FamilyMetadata {
  std::string family;
  MetricType type = MetricType::kUnknown;
  std::string help;
  std::string unit;
  friend bool operator==(const FamilyMetadata&, const FamilyMetadata&) = default;
};

struct PositionTimestamp {
  uint32_t position = 0;  // in the body layout
  int64_t timestamp_ms = 0;
  friend bool operator==(const PositionTimestamp&, const PositionTimestamp&) = default;
};

// Values are kept as the bits of doubles: [value bits] in the order of the layout's positions,
// without the absent ones. Positions are ascending and unique.
struct Scrape {
  int64_t timestamp_ms = 0;
  uint64_t body_layout = 0;             // 0: no body (a failed scrape before any success)
  uint64_t report_layout = 0;           // 0: none; `up` and its companions
  std::vector<uint64_t> body_values;    // layout size - absent, or empty when all_stale
  std::vector<uint64_t> report_values;  // size of the report layout, or empty when report_stale
  std::vector<uint32_t> absent;  // positions of the body layout without a sample in this scrape
  std::vector<PositionTimestamp>
      timestamps;  // positions whose samples carry a timestamp of their own
  bool all_stale =
      false;  // every position of the body layout but the absent ones gets a staleness marker
  bool report_stale = false;  // the target is gone: so does the report layout
  uint64_t stale_layout =
      0;  // with stale_positions: series of an earlier layout that vanished, each gets a marker
  std::vector<uint32_t> stale_positions;
  std::vector<FamilyMetadata> metadata;

  friend bool operator==(const Scrape&, const Scrape&) = default;
};

// The number of samples that a scrape stands for, staleness markers and report samples included;
// what the ledger counts. `body_size` and `report_size` are the sizes of its layouts.
uint64_t SampleCount(const Scrape& scrape, uint64_t body_size, uint64_t report_size);

}  // namespace ampari
