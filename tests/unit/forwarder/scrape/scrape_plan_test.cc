#include "forwarder/scrape/scrape_plan.h"

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

namespace ampari {
namespace {

absl::Time At(double seconds) { return absl::UnixEpoch() + absl::Seconds(seconds); }

constexpr absl::Duration kInterval = absl::Seconds(10);
constexpr absl::Duration kOffset = absl::Seconds(3);

class Plan : public ::testing::Test {
 protected:
  // What is due at `now`, as "id@seconds" or "id!seconds" for an end of run.
  std::vector<std::string> DueAt(double now) {
    std::vector<std::string> all;
    while (const std::optional<ScrapePlan::Due> due = plan_.Pop(At(now))) {
      all.push_back(due->id + (due->end_of_run ? "!" : "@") +
                    std::to_string(absl::ToInt64Milliseconds(due->timestamp - absl::UnixEpoch())));
    }
    return all;
  }
  using List = std::vector<std::string>;

  ScrapePlan plan_;
};

TEST_F(Plan, FirstScrapeIsAtTheNextSlotAndThenEveryInterval) {
  plan_.Put("a", kInterval, kOffset, At(100));
  EXPECT_EQ(plan_.next(), At(103));
  EXPECT_EQ(DueAt(102.9), List{});
  EXPECT_EQ(DueAt(103), List{"a@103000"});
  EXPECT_EQ(DueAt(103), List{});
  EXPECT_EQ(DueAt(113.001), List{"a@113000"});  // snapped
  EXPECT_EQ(DueAt(123.5), List{"a@123500"});    // too late to snap
  EXPECT_EQ(plan_.next(), At(133));             // and the schedule stays
}

TEST_F(Plan, MissedSlotsAreSkipped) {
  plan_.Put("a", kInterval, kOffset, At(100));
  EXPECT_EQ(DueAt(163), List{"a@163000"});
  EXPECT_EQ(plan_.next(), At(173));
}

TEST_F(Plan, TargetsComeInTheOrderOfTheirSlots) {
  plan_.Put("late", kInterval, absl::Seconds(8), At(100));
  plan_.Put("early", kInterval, absl::Seconds(1), At(100));
  EXPECT_EQ(DueAt(108), (List{"early@108000", "late@108000"}));
}

TEST_F(Plan, PuttingAgainChangesNothingButANewIntervalIsObeyed) {
  plan_.Put("a", kInterval, kOffset, At(100));
  plan_.Put("a", kInterval, kOffset, At(102));
  EXPECT_EQ(DueAt(103), List{"a@103000"});
  plan_.Put("a", absl::Seconds(30), absl::Seconds(7), At(104));
  EXPECT_EQ(plan_.next(), At(127));
  EXPECT_EQ(plan_.size(), 1);
}

TEST_F(Plan, GoneTargetEndsAfterTwoSlotsAndATenth) {
  plan_.Put("a", kInterval, kOffset, At(100));
  EXPECT_EQ(DueAt(103), List{"a@103000"});
  plan_.Leave("a", At(105));
  plan_.Leave("a", At(106));  // only the first counts
  EXPECT_EQ(DueAt(123.9), List{});
  EXPECT_EQ(DueAt(124), List{"a!113000"});
  EXPECT_EQ(plan_.size(), 0);
  EXPECT_EQ(plan_.next(), absl::InfiniteFuture());
}

TEST_F(Plan, TargetThatComesBackInTimeGoesOn) {
  plan_.Put("a", kInterval, kOffset, At(100));
  plan_.Leave("a", At(105));
  plan_.Put("a", kInterval, kOffset, At(123.5));
  EXPECT_EQ(DueAt(130), List{});
  EXPECT_EQ(DueAt(133), List{"a@133000"});
}

TEST_F(Plan, PostponedEndKeepsItsTimestamp) {
  plan_.Put("a", kInterval, kOffset, At(100));
  plan_.Leave("a", At(105));
  const std::optional<ScrapePlan::Due> due = plan_.Pop(At(124));
  ASSERT_TRUE(due.has_value());
  plan_.Postpone(*due, At(125));
  EXPECT_EQ(DueAt(124), List{});
  EXPECT_EQ(DueAt(125), List{"a!113000"});
}

TEST_F(Plan, ReplanSkipsWhatTheClockJumpedOver) {
  plan_.Put("a", kInterval, kOffset, At(100));
  plan_.Put("gone", kInterval, kOffset, At(100));
  plan_.Leave("gone", At(100));
  plan_.Replan(At(5000));
  EXPECT_EQ(DueAt(5000), List{});
  EXPECT_EQ(DueAt(5003), List{"a@5003000"});
  EXPECT_EQ(DueAt(5014), (List{"a@5014000", "gone!5003000"}));
  plan_.Replan(At(50));  // back, by a large step
  EXPECT_EQ(DueAt(53), List{"a@53000"});
}

TEST_F(Plan, UnknownTargetsMayLeave) {
  plan_.Leave("nobody", At(1));
  EXPECT_EQ(plan_.size(), 0);
}

}  // namespace
}  // namespace ampari
