// Scrapes for the tests of the codec: random ones under a fixed seed, and the layouts that they
// belong to.
#pragma once

#include <cstdint>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "common/frame/frame.h"

namespace ampari {

using Sizes = std::map<uint64_t, uint32_t>;

class FixedLayouts final : public LayoutSizes {
 public:
  explicit FixedLayouts(Sizes sizes) : sizes_(std::move(sizes)) {}
  bool Size(uint64_t layout, uint32_t* size) const override {
    const auto it = sizes_.find(layout);
    if (it == sizes_.end()) return false;
    *size = it->second;
    return true;
  }

 private:
  Sizes sizes_;
};

inline constexpr uint64_t kBodyLayout = 7, kReportLayout = 8, kStaleLayout = 6;
inline constexpr uint32_t kBodySize = 150, kReportSize = 5, kStaleSize = 200;

inline FixedLayouts TestLayouts() {
  return FixedLayouts(
      {{kBodyLayout, kBodySize}, {kReportLayout, kReportSize}, {kStaleLayout, kStaleSize}});
}

using Random = std::mt19937_64;

inline bool OneIn(Random& random, uint64_t n) { return random() % n == 0; }

inline uint64_t RandomValueBits(Random& random) {
  static constexpr uint64_t kEdges[] = {0,
                                        0x8000000000000000,
                                        kStaleNanBits,
                                        kNormalNanBits,
                                        0xfff8000000000000,
                                        0x7ff0000000000000,
                                        0x433fffffffffffff /* 2^53 - 1 */,
                                        0x4340000000000000 /* 2^53 */,
                                        0x4340000000000001,
                                        1};
  switch (random() % 4) {
    case 0:
      return kEdges[random() % std::size(kEdges)];
    case 1:
      return random();  // any bits
    case 2: {
      const auto value = static_cast<double>(random() >> (11 + random() % 53));
      return __builtin_bit_cast(uint64_t, value);
    }
    default: {
      const double value = static_cast<double>(random() % 100000) / 8;
      return __builtin_bit_cast(uint64_t, value);
    }
  }
}

inline std::vector<uint64_t> RandomValues(Random& random, size_t count) {
  std::vector<uint64_t> values(count);
  for (uint64_t& value : values) value = RandomValueBits(random);
  return values;
}

inline std::vector<uint32_t> RandomPositions(Random& random, uint32_t size) {
  std::vector<uint32_t> positions;
  for (uint32_t i = 0; i < size; ++i) {
    if (OneIn(random, 10)) positions.push_back(i);
  }
  return positions;
}

// With any combination of sections.
inline Scrape RandomScrape(Random& random) {
  Scrape scrape;
  scrape.timestamp_ms = OneIn(random, 8) ? -static_cast<int64_t>(random() % 1000)
                                         : 1700000000000 + static_cast<int64_t>(random() % 100000);
  if (!OneIn(random, 8)) scrape.body_layout = kBodyLayout;
  const uint32_t body = scrape.body_layout == 0 ? 0 : kBodySize;
  if (OneIn(random, 2)) scrape.absent = RandomPositions(random, body);
  scrape.all_stale = OneIn(random, 6);
  if (!scrape.all_stale) scrape.body_values = RandomValues(random, body - scrape.absent.size());
  if (!OneIn(random, 8)) scrape.report_layout = kReportLayout;
  scrape.report_stale = OneIn(random, 6);
  if (!scrape.report_stale && scrape.report_layout != 0) {
    scrape.report_values = RandomValues(random, kReportSize);
  }
  if (OneIn(random, 3)) {
    for (const uint32_t position : RandomPositions(random, body)) {
      scrape.timestamps.push_back(
          {position, scrape.timestamp_ms - static_cast<int64_t>(random() % 5000) + 2500});
    }
  }
  if (OneIn(random, 3)) scrape.stale_positions = RandomPositions(random, kStaleSize);
  if (!scrape.stale_positions.empty()) scrape.stale_layout = kStaleLayout;
  if (OneIn(random, 3)) {
    scrape.metadata.push_back({"istio_requests_total", MetricType::kCounter, "requests", ""});
    scrape.metadata.push_back(
        {"other", MetricType::kUnknown, std::string(random() % 300, 'h'), "s"});
  }
  return scrape;
}

inline uint64_t SamplesOf(const Scrape& scrape) {
  return SampleCount(scrape, scrape.body_layout == 0 ? 0 : kBodySize,
                     scrape.report_layout == 0 ? 0 : kReportSize);
}

inline std::string EncodeFrame(const std::vector<Scrape>& scrapes, uint64_t sequence = 1) {
  FrameBuilder builder;
  for (const Scrape& scrape : scrapes) builder.Add(scrape, SamplesOf(scrape));
  return builder.Finish(sequence);
}

}  // namespace ampari
