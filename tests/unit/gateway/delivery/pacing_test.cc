// How a destination is braked and held, by a hand-moved clock.
#include "gateway/delivery/pacing.h"

#include <gtest/gtest.h>

namespace ampari {
namespace {

absl::Duration Ms(int64_t ms) { return absl::Milliseconds(ms); }

PacingOptions Options() {
  PacingOptions options;
  options.backoff = {Ms(100), Ms(400), 0};
  options.hold = {Ms(1000), Ms(4000), 0};
  options.max_in_flight = 8;
  return options;
}

TEST(Pacing, FreeUpToItsSlots) {
  const Pacing pacing(Options());
  EXPECT_TRUE(pacing.MaySend(7, Ms(0)));
  EXPECT_FALSE(pacing.MaySend(8, Ms(0)));
}

TEST(Pacing, BrakeWaitsProbesAndOpensStepByStep) {
  Pacing pacing(Options());
  pacing.OnBrake("503", std::nullopt, Ms(0), Ms(10), 0);
  EXPECT_FALSE(pacing.MaySend(0, Ms(109)));
  EXPECT_EQ(pacing.NextChance(Ms(10)), Ms(110));
  EXPECT_TRUE(pacing.MaySend(0, Ms(110)));
  EXPECT_FALSE(pacing.MaySend(1, Ms(110)));
  EXPECT_EQ(pacing.why(), "503");
  for (const uint32_t window : {2, 4, 8}) {
    pacing.OnDelivered();
    EXPECT_TRUE(pacing.MaySend(window - 1, Ms(120)));
    EXPECT_FALSE(pacing.MaySend(window, Ms(120)));
  }
  EXPECT_EQ(pacing.why(), "");
}

TEST(Pacing, BrakeGrowsOncePerRoundAndIsCapped) {
  Pacing pacing(Options());
  const int64_t expected[] = {100, 200, 400, 400};
  int64_t now = 0;
  for (const int64_t delay : expected) {
    const int64_t started = now;
    now += 10;
    pacing.OnBrake("429", std::nullopt, Ms(started), Ms(now), 0);
    pacing.OnBrake("429", std::nullopt, Ms(started), Ms(now), 0);  // its companion in flight
    EXPECT_EQ(pacing.NextChance(Ms(now)), Ms(now + delay));
    now += delay;
  }
}

TEST(Pacing, RetryAfterOverrulesAShorterDelay) {
  Pacing pacing(Options());
  pacing.OnBrake("429", Ms(5000), Ms(0), Ms(10), 0);
  EXPECT_EQ(pacing.NextChance(Ms(10)), Ms(5010));
}

TEST(Pacing, HeldIsTriedOneAtATimeUntilASuccess) {
  Pacing pacing(Options());
  pacing.OnHold("401", Ms(0), 0);
  pacing.OnHold("401", Ms(1), 0);  // was in flight before
  EXPECT_TRUE(pacing.held());
  EXPECT_FALSE(pacing.MaySend(0, Ms(999)));
  EXPECT_TRUE(pacing.MaySend(0, Ms(1000)));
  EXPECT_FALSE(pacing.MaySend(1, Ms(1000)));
  pacing.OnHold("401", Ms(1010), 0);
  EXPECT_EQ(pacing.NextChance(Ms(1010)), Ms(3010));
  pacing.OnDelivered();
  EXPECT_FALSE(pacing.held());
  EXPECT_TRUE(pacing.MaySend(1, Ms(1020)));
}

}  // namespace
}  // namespace ampari
