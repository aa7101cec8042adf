// Shipments become frames: when, which, and what is registered and retired around them.
#include "forwarder/shipping/frame_assembler.h"

#include <gtest/gtest.h>

namespace ampari {
namespace {

struct Assembly {
  Assembly(size_t flush_bytes, size_t max_raw)
      : ring(1 << 20), assembler(flush_bytes, max_raw, ring, registrations) {}
  Ring ring;
  Registrations registrations;
  FrameAssembler assembler;
};

Shipment ScrapeOf(size_t values) {
  Shipment shipment;
  shipment.scrape.body_layout = 1;
  shipment.scrape.body_values.assign(values, 0x3ff8000000000000);  // 1.5: eight bytes each
  shipment.samples = values;
  return shipment;
}

uint32_t ScrapesIn(const Ring& ring, uint64_t sequence) {
  return ParseFrameHeader(*ring.At(sequence).frame)->scrapes;
}

TEST(FrameAssembler, AFlushIsOneFrameOfAllTargets) {
  Assembly a(1 << 18, 1 << 24);
  EXPECT_FALSE(a.assembler.waiting_since().has_value());
  a.assembler.Add(EncodedShipment(ScrapeOf(10)), absl::Seconds(5));
  a.assembler.Add(EncodedShipment(ScrapeOf(20)), absl::Seconds(6));
  EXPECT_EQ(a.assembler.waiting_since(), absl::Seconds(5));
  EXPECT_EQ(a.ring.last(), 0u);
  EXPECT_TRUE(a.assembler.Flush(absl::Seconds(6)));
  EXPECT_FALSE(a.assembler.Flush(absl::Seconds(6)));
  EXPECT_EQ(a.ring.last(), 1u);
  EXPECT_EQ(ScrapesIn(a.ring, 1), 2u);
  EXPECT_EQ(a.ring.At(1).samples, 30u);
}

TEST(FrameAssembler, EnoughBytesFlushAtOnce) {
  Assembly a(1000, 1 << 24);
  EXPECT_FALSE(a.assembler.Add(EncodedShipment(ScrapeOf(50)), absl::Seconds(1)));
  EXPECT_TRUE(a.assembler.Add(EncodedShipment(ScrapeOf(100)), absl::Seconds(1)));
  EXPECT_EQ(a.ring.last(), 1u);
}

TEST(FrameAssembler, AScrapeThatWouldNotFitBeginsAFrameAndIsNeverSplit) {
  Assembly a(5000, 6000);
  a.assembler.Add(EncodedShipment(ScrapeOf(500)), absl::Seconds(1));
  EXPECT_EQ(a.ring.last(), 0u);
  EXPECT_TRUE(a.assembler.Add(EncodedShipment(ScrapeOf(500)), absl::Seconds(1)));
  EXPECT_EQ(a.ring.last(), 1u);
  EXPECT_EQ(ScrapesIn(a.ring, 1), 1u);
}

TEST(FrameAssembler, BlocksGoBeforeTheirFrameAndRetirementsBehindIt) {
  Assembly a(1 << 18, 1 << 24);
  Shipment shipment = ScrapeOf(1);
  shipment.registrations.emplace_back().number = 9;
  a.assembler.Add(EncodedShipment(std::move(shipment)), absl::Seconds(1));
  uint64_t order = 0;
  const auto* block = a.registrations.Next(0, &order);
  ASSERT_NE(block, nullptr);  // although the frame is not there yet
  EXPECT_EQ(block->number, 9u);
  EXPECT_EQ(ParseRegistrationHeader(*block->bytes)->number, 9u);
  Shipment last = ScrapeOf(1);
  last.retired_blocks = {9};
  a.assembler.Add(EncodedShipment(std::move(last)), absl::Seconds(1));
  order = 0;
  EXPECT_EQ(a.registrations.NextRetirement(1, &order), nullptr);
  a.assembler.Flush(absl::Seconds(2));
  EXPECT_EQ(a.registrations.NextRetirement(0, &order), nullptr);
  ASSERT_NE(a.registrations.NextRetirement(1, &order), nullptr);
}

TEST(FrameAssembler, AShipmentThatOnlyRetiresMakesNoFrame) {
  Assembly a(1 << 18, 1 << 24);
  a.registrations.Add(4, "block");
  Shipment shipment;
  shipment.retired_blocks = {4};
  a.assembler.Add(EncodedShipment(std::move(shipment)), absl::Seconds(1));
  EXPECT_TRUE(a.assembler.Flush(absl::Seconds(2)));
  EXPECT_EQ(a.ring.last(), 0u);
  uint64_t order = 0;
  EXPECT_NE(a.registrations.NextRetirement(0, &order), nullptr);
  EXPECT_EQ(a.registrations.bytes(), 0u);
}

}  // namespace
}  // namespace ampari
