#include "forwarder/scrape/schedule.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/support/fake_clock.h"

namespace ampari {
namespace {

absl::Time At(double seconds) { return absl::UnixEpoch() + absl::Seconds(seconds); }

// Published vectors of FNV-1a with 64 bits (draft-eastlake-fnv, appendix C).
TEST(Schedule, HashIsFnv1a64) {
  EXPECT_EQ(Fnv1a64(""), 0xcbf29ce484222325ULL);
  EXPECT_EQ(Fnv1a64("a"), 0xaf63dc4c8601ec8cULL);
  EXPECT_EQ(Fnv1a64("foobar"), 0x85944171f73967e8ULL);
  EXPECT_EQ(Fnv1a64("bar", Fnv1a64("foo")), Fnv1a64("foobar"));
}

TEST(Schedule, TargetsSpreadEvenly) {
  constexpr int kTargets = 10'000, kBuckets = 10;
  const absl::Duration interval = absl::Seconds(10);
  std::vector<int> buckets(kBuckets);
  for (int i = 0; i < kTargets; ++i) {
    const Labels labels{{"instance", absl::StrCat("10.0.", i / 250, ".", i % 250, ":15020")}};
    const uint64_t hash = TargetHash(labels, "http://10.0.0.1:15020/stats/prometheus");
    const absl::Duration offset = OffsetInInterval(hash, 42, interval);
    ASSERT_GE(offset, absl::ZeroDuration());
    ASSERT_LT(offset, interval);
    ++buckets[absl::ToInt64Milliseconds(offset) * kBuckets / 10'000];
  }
  for (const int count : buckets) EXPECT_NEAR(count, kTargets / kBuckets, 150);
}

TEST(Schedule, OffsetDependsOnTargetUrlAndSeedOnly) {
  const Labels a{{"instance", "a"}}, b{{"instance", "b"}};
  EXPECT_EQ(TargetHash(a, "u"), TargetHash(Labels{{"instance", "a"}}, "u"));
  EXPECT_NE(TargetHash(a, "u"), TargetHash(b, "u"));
  EXPECT_NE(TargetHash(a, "u"), TargetHash(a, "v"));
  EXPECT_EQ(OffsetSeed("node-1", a), OffsetSeed("node-1", a));
  EXPECT_NE(OffsetSeed("node-1", a), OffsetSeed("node-2", a));
  EXPECT_NE(OffsetSeed("node-1", a), OffsetSeed("node-1", b));
  const absl::Duration interval = absl::Seconds(15);
  EXPECT_NE(OffsetInInterval(TargetHash(a, "u"), OffsetSeed("node-1", {}), interval),
            OffsetInInterval(TargetHash(a, "u"), OffsetSeed("node-2", {}), interval));
}

TEST(Schedule, SlotsAreFixedInAbsoluteTime) {
  struct Row {
    double now, interval, offset, at, after;
  };
  for (const Row& row : std::vector<Row>{
           {100, 15, 0, 90, 105},
           {100, 15, 10, 100, 115},  // exactly on the slot: that one is now, the next is later
           {99.9, 15, 10, 85, 100},
           {100.1, 15, 10, 100, 115},
           {7, 15, 10, -5, 10},  // before the first slot after the epoch
           {1'700'000'000, 60, 59, 1'699'999'979, 1'700'000'039},
       }) {
    SCOPED_TRACE(row.now);
    const absl::Duration interval = absl::Seconds(row.interval), offset = absl::Seconds(row.offset);
    EXPECT_EQ(SlotAt(At(row.now), interval, offset), At(row.at));
    EXPECT_EQ(SlotAfter(At(row.now), interval, offset), At(row.after));
  }
}

TEST(Schedule, TimestampsSnapWithinTheTolerance) {
  struct Row {
    absl::Duration interval, late, stamp_late;
  };
  const auto ms = [](double n) { return absl::Milliseconds(n); };
  for (const Row& row : std::vector<Row>{
           {absl::Seconds(15), ms(0), ms(0)},
           {absl::Seconds(15), ms(2), ms(0)},
           {absl::Seconds(15), ms(2.1), ms(2.1)},
           {ms(100), ms(1), ms(0)},  // a hundredth of the interval is less than 2 ms
           {ms(100), ms(1.5), ms(1.5)},
       }) {
    EXPECT_EQ(AlignTimestamp(At(1000) + row.late, At(1000), row.interval),
              At(1000) + row.stamp_late);
  }
}

TEST(Schedule, EndOfRunWaitsForTheNextSlotAnotherIntervalAndATenth) {
  const EndOfRunTimes times = EndOfRun(At(101), absl::Seconds(10), absl::Seconds(5));
  EXPECT_EQ(times.stamp, At(105));
  EXPECT_EQ(times.write, At(116));
}

class Stamps : public ::testing::Test {
 protected:
  absl::Time Read() { return stamps_.Read(clock_.Now(), clock_.Monotonic()); }
  absl::Time AdvanceAndRead(absl::Duration by) {
    clock_.Advance(by);
    return Read();
  }

  FakeClock clock_;
  MonotonicStamps stamps_;
};

TEST_F(Stamps, FollowTheWallClock) {
  const absl::Time start = clock_.Now();
  EXPECT_EQ(Read(), start);
  EXPECT_EQ(AdvanceAndRead(absl::Seconds(15)), start + absl::Seconds(15));
  clock_.SetNow(start + absl::Hours(1));  // forwards: at once
  EXPECT_EQ(Read(), start + absl::Hours(1));
  EXPECT_EQ(stamps_.small_steps() + stamps_.large_steps(), 0);
}

TEST_F(Stamps, SlowDownAfterASmallStepBackUntilTheWallClockCaughtUp) {
  const absl::Time start = Read();
  clock_.SetNow(start - absl::Seconds(10));
  EXPECT_EQ(Read(), start);
  EXPECT_TRUE(stamps_.slowed());
  EXPECT_EQ(AdvanceAndRead(absl::Seconds(50)), start + absl::Seconds(45));
  // 10 s are made up for at a tenth of the time: after 100 s both clocks agree.
  EXPECT_EQ(AdvanceAndRead(absl::Seconds(50)), start + absl::Seconds(90));
  EXPECT_EQ(AdvanceAndRead(absl::Seconds(10)), start + absl::Seconds(100));
  EXPECT_FALSE(stamps_.slowed());
  EXPECT_EQ(stamps_.small_steps(), 1);
  EXPECT_EQ(stamps_.large_steps(), 0);
}

TEST_F(Stamps, NeverGoBackHoweverOftenTheClockStepsALittle) {
  absl::Time last = Read();
  for (int i = 0; i < 1000; ++i) {
    if (i % 7 == 0) clock_.SetNow(clock_.Now() - absl::Milliseconds(300));
    const absl::Time stamp = AdvanceAndRead(absl::Milliseconds(100));
    ASSERT_GT(stamp, last);
    last = stamp;
  }
  EXPECT_EQ(stamps_.large_steps(), 0);
}

TEST_F(Stamps, TenMinutesAreSlowedAndMoreAreFollowedAndCounted) {
  const absl::Time start = Read();
  clock_.SetNow(start - absl::Minutes(10));
  EXPECT_EQ(Read(), start);
  EXPECT_EQ(stamps_.large_steps(), 0);
  clock_.SetNow(start - absl::Minutes(10) - absl::Seconds(1));
  EXPECT_EQ(Read(), start - absl::Minutes(10) - absl::Seconds(1));
  EXPECT_EQ(stamps_.large_steps(), 1);
  EXPECT_FALSE(stamps_.slowed());
}

TEST_F(Stamps, AStepIsSeenThroughTheTimeThatPassed) {
  const absl::Time start = Read();
  clock_.Advance(absl::Minutes(30));
  clock_.SetNow(start - absl::Seconds(1));  // half an hour back, most of which has passed unseen
  EXPECT_EQ(Read(), start - absl::Seconds(1));
  EXPECT_EQ(stamps_.large_steps(), 1);
}

}  // namespace
}  // namespace ampari
