#include "forwarder/canary/canary_metric.h"

#include <gtest/gtest.h>

#include <bit>

namespace ampari {
namespace {

TEST(CanaryMetric, SeriesTakesExternalLabels) {
  EXPECT_EQ(CanarySeries("0a", "node-canary", {{"mesh", "prod"}, {"job", "other"}}).ToString(),
            R"({__name__="ampari_canary_timestamp_seconds", canary="0a", instance="node-canary", )"
            R"(job="ampari-canary", mesh="prod"})");
}

TEST(CanaryMetric, SampleRegistersWhatItUses) {
  const Labels series = CanarySeries("0a", "f", {});
  const Shipment shipment = CanarySample(series, 1'700'000'000'250);
  ASSERT_EQ(shipment.registrations.size(), 1u);
  const auto decoded = DecodeRegistration(EncodeRegistration(shipment.registrations[0]));
  ASSERT_TRUE(decoded.ok()) << decoded.status();
  EXPECT_EQ(decoded->series, std::vector<Labels>{series});
  EXPECT_EQ(decoded->first_layout, shipment.scrape.body_layout);
  EXPECT_EQ(shipment.scrape.timestamp_ms, 1'700'000'000'250);
  ASSERT_EQ(shipment.scrape.body_values.size(), 1u);
  EXPECT_EQ(std::bit_cast<double>(shipment.scrape.body_values[0]), 1'700'000'000.25);
  EXPECT_EQ(shipment.samples, SampleCount(shipment.scrape, 1, 0));
  EXPECT_TRUE(shipment.retired_blocks.empty());
}

TEST(CanaryMetric, EndIsAMarkerAndRetires) {
  const Shipment sample = CanarySample(CanarySeries("0a", "f", {}), 1);
  const Shipment end = CanaryEnd(2);
  EXPECT_TRUE(end.scrape.all_stale);
  EXPECT_EQ(end.scrape.body_layout, sample.scrape.body_layout);
  EXPECT_EQ(end.samples, SampleCount(end.scrape, 1, 0));
  EXPECT_EQ(sample.samples + end.samples, kCanarySamples);
  EXPECT_EQ(end.retired_blocks, std::vector<uint64_t>{sample.registrations[0].number});
}

}  // namespace
}  // namespace ampari
