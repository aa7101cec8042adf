// What is halved and what is parked of requests that fail for long, by a hand-moved clock.
#include "gateway/delivery/lane_health.h"

#include <gtest/gtest.h>

#include "gateway/delivery/parked_units.h"

namespace ampari {
namespace {

constexpr FailedRequest kMany{};
constexpr FailedRequest kManyBlindly{false, false, true};
constexpr FailedRequest kUnit{true, false, false};
constexpr FailedRequest kParkedUnit{true, true, false};

absl::Duration At(int minutes) { return absl::Hours(1000) + absl::Minutes(minutes); }

// A request that fails at every minute from `from` to `to`; others are delivered half a minute
// before each of these, or not.
struct Course {
  FailureWatch watch;
  FailureHistory history;

  Remedy Fail(const FailedRequest& request, int from, int to, bool others) {
    Remedy remedy = Remedy::kAgain;
    for (int minute = from; minute <= to && remedy == Remedy::kAgain; ++minute) {
      if (others) watch.OnDelivered(At(minute) - absl::Seconds(30));
      remedy = watch.OnFailed(request, At(minute), history);
    }
    return remedy;
  }
};

TEST(FailureWatch, ARequestIsHalvedAfterTenMinutesAndAtEveryFailureFromThenOn) {
  Course course;
  EXPECT_EQ(course.Fail(kMany, 0, 9, true), Remedy::kAgain);
  EXPECT_EQ(course.Fail(kMany, 10, 10, true), Remedy::kHalve);
  FailureHistory part = course.history;
  EXPECT_EQ(course.watch.OnFailed(kMany, At(10), part), Remedy::kHalve);
  FailureHistory other;
  EXPECT_EQ(course.watch.OnFailed(kMany, At(10), other), Remedy::kAgain) << "it has just begun";
}

TEST(FailureWatch, NothingIsHalvedForLongWhileNothingGetsThrough) {
  Course course;
  EXPECT_EQ(course.Fail(kMany, 0, 5000, false), Remedy::kAgain);
  EXPECT_EQ(course.Fail(kManyBlindly, 5001, 5001, false), Remedy::kHalve);
}

TEST(FailureWatch, AUnitIsParkedAfterAnHourAlone) {
  Course course;
  EXPECT_EQ(course.Fail(kUnit, 0, 70, true), Remedy::kAgain) << "ten minutes and an hour";
  EXPECT_EQ(course.Fail(kUnit, 71, 71, true), Remedy::kPark);
}

TEST(FailureWatch, ADestinationThatTakesNothingParksNothing) {
  Course course;
  course.watch.OnDelivered(At(-1));
  for (int minute = 0; minute < 3 * 24 * 60; ++minute) {
    EXPECT_EQ(course.Fail(kUnit, minute, minute, false), Remedy::kAgain);
    FailureHistory another;
    course.watch.OnFailed(kMany, At(minute), another);
  }
  // It comes back, and the unit fails once more among the first.
  EXPECT_EQ(course.Fail(kUnit, 4400, 4410, true), Remedy::kAgain);
}

TEST(FailureWatch, AnOutageInBetweenBeginsTheHourAnew) {
  Course course;
  EXPECT_EQ(course.Fail(kUnit, 0, 60, true), Remedy::kAgain);
  for (int minute = 61; minute < 200; ++minute) {
    FailureHistory another;
    course.watch.OnFailed(kMany, At(minute), another);
    EXPECT_EQ(course.Fail(kUnit, minute, minute, false), Remedy::kAgain) << minute;
  }
  EXPECT_EQ(course.Fail(kUnit, 200, 259, true), Remedy::kAgain);
  EXPECT_EQ(course.Fail(kUnit, 260, 260, true), Remedy::kPark);
}

// A destination of one lane: its other requests get through once the unit is found, and then
// nothing is left to be sent.
TEST(FailureWatch, TheRestOfItsLaneIsWitnessEnough) {
  Course course;
  EXPECT_EQ(course.Fail(kManyBlindly, 0, 10, false), Remedy::kHalve);
  course.watch.OnDelivered(At(10));
  EXPECT_EQ(course.Fail(kUnit, 11, 70, false), Remedy::kAgain);
  EXPECT_EQ(course.Fail(kUnit, 71, 71, false), Remedy::kPark);
}

// Of an outage's first moments: some requests are still taken, others not.
TEST(FailureWatch, WhatIsTakenJustAfterTheFirstFailureIsNoWitness) {
  Course course;
  EXPECT_EQ(course.Fail(kUnit, 0, 0, false), Remedy::kAgain);
  course.watch.OnDelivered(At(0) + absl::Seconds(1));
  EXPECT_EQ(course.Fail(kUnit, 1, 5000, false), Remedy::kAgain);
}

TEST(FailureWatch, WhatWasParkedBeforeGoesAtOnceWhileOthersGetThrough) {
  Course course;
  EXPECT_EQ(course.watch.OnFailed(kParkedUnit, At(0), course.history), Remedy::kAgain)
      << "nothing has got through yet";
  course.watch.OnDelivered(At(1));
  EXPECT_EQ(course.watch.OnFailed(kParkedUnit, At(2), course.history), Remedy::kPark);
  FailureHistory other, again;
  course.watch.OnFailed(kMany, At(3), other);
  EXPECT_EQ(course.watch.OnFailed(kParkedUnit, At(3), again), Remedy::kAgain) << "others fail too";
}

TEST(LaneHealth, ALaneIsUnhealthyAfterTenMinutesAlone) {
  Course course;
  LaneHealth lane;
  EXPECT_EQ(lane.failing_since(), absl::InfiniteDuration());
  for (int minute = 0; minute <= 10; ++minute) {
    EXPECT_TRUE(lane.healthy(At(minute))) << minute;
    course.Fail(kMany, minute, minute, true);
    lane.OnFailed(course.history, course.watch, At(minute));
  }
  EXPECT_EQ(lane.failing_since(), At(0));
  EXPECT_FALSE(lane.healthy(At(11)));
  lane.OnDelivered();
  EXPECT_TRUE(lane.healthy(At(12)));
  EXPECT_EQ(lane.failing_since(), absl::InfiniteDuration());
}

TEST(LaneHealth, ALaneOfADestinationThatIsDownIsHealthy) {
  Course course;
  LaneHealth lane;
  for (int minute = 0; minute <= 600; ++minute) {
    course.Fail(kMany, minute, minute, false);
    lane.OnFailed(course.history, course.watch, At(minute));
  }
  EXPECT_TRUE(lane.healthy(At(600)));
  course.watch.OnDelivered(At(601));  // another lane is the first that gets through
  EXPECT_TRUE(lane.healthy(At(601))) << "it must not be left out of the alignment";
}

TEST(ParkedUnits, AreTriedAtOnceAndThenOnceAMinute) {
  ParkedUnits units;
  EXPECT_TRUE(units.MayTry("a", At(0))) << "it is not parked";
  EXPECT_TRUE(units.Add("a"));
  EXPECT_TRUE(units.Contains("a"));
  EXPECT_TRUE(units.MayTry("a", At(0)));
  EXPECT_FALSE(units.Add("a")) << "no longer new";
  EXPECT_FALSE(units.MayTry("a", At(0) + absl::Seconds(59)));
  EXPECT_TRUE(units.MayTry("a", At(1)));
  units.Remove("a");
  EXPECT_TRUE(units.empty());
}

TEST(ParkedUnits, AreBounded) {
  ParkedUnits units;
  for (size_t i = 0; i <= kMaxParkedUnits; ++i) {
    units.Add(std::to_string(i));
    units.MayTry(std::to_string(i), At(static_cast<int>(i)));
  }
  EXPECT_FALSE(units.Contains("0"));
  EXPECT_TRUE(units.Contains("1"));
}

}  // namespace
}  // namespace ampari
