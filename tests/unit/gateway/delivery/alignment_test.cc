// Who may send when lanes stand at different times.
#include "gateway/delivery/alignment.h"

#include <gtest/gtest.h>

namespace ampari {
namespace {

constexpr int64_t kMinute = 60'000;
constexpr int64_t kNow = 1'700'000'000'000;

using Stands = std::array<LaneStand, kLanes>;

int64_t Ago(int64_t minutes) { return kNow - minutes * kMinute; }

TEST(Alignment, NobodyIsHeldWhenAllAreLive) {
  Stands lanes;
  lanes[0].origin_ms = Ago(0);
  lanes[1].origin_ms = Ago(20);
  Alignment alignment;
  alignment.Update(lanes, kNow);
  EXPECT_TRUE(alignment.May(0, Ago(0)));
  EXPECT_TRUE(alignment.May(1, Ago(20)));
  EXPECT_TRUE(alignment.May(2, Ago(0)));
}

TEST(Alignment, AfterAnOutageNobodyRunsThirtyMinutesAhead) {
  Stands lanes;
  for (int i = 0; i < 4; ++i) lanes[i].origin_ms = Ago(180);
  lanes[2].origin_ms = Ago(150);
  lanes[3].origin_ms = Ago(149);
  Alignment alignment;
  alignment.Update(lanes, kNow);
  EXPECT_EQ(alignment.slowest_ms(), Ago(180));
  EXPECT_TRUE(alignment.May(0, Ago(180)));
  EXPECT_TRUE(alignment.May(2, Ago(150)));
  EXPECT_FALSE(alignment.May(3, Ago(149)));
  EXPECT_FALSE(alignment.May(9, Ago(0))) << "live data waits";
}

TEST(Alignment, AnUnhealthyLaneIsLeftOutUntilItIsBack) {
  Stands lanes;
  for (int i = 0; i < 4; ++i) lanes[i].origin_ms = Ago(100);
  lanes[0] = {Ago(180), false};
  Alignment alignment;
  alignment.Update(lanes, kNow);
  EXPECT_TRUE(alignment.left_out(0));
  EXPECT_TRUE(alignment.May(1, Ago(70)));
  lanes[0].healthy = true;
  alignment.Update(lanes, kNow);
  EXPECT_TRUE(alignment.left_out(0)) << "it is still far behind";
  lanes[0].origin_ms = Ago(29);
  alignment.Update(lanes, kNow);
  EXPECT_FALSE(alignment.left_out(0));
}

TEST(Alignment, OneThatFellBehindAloneDelaysNobody) {
  Stands lanes;
  lanes[0].origin_ms = Ago(120);
  lanes[1].origin_ms = Ago(0);
  Alignment alignment;
  alignment.Update(lanes, kNow);
  EXPECT_TRUE(alignment.left_out(0));
  EXPECT_TRUE(alignment.May(0, Ago(120)));
  EXPECT_TRUE(alignment.May(1, Ago(0)));
}

TEST(Alignment, AnnouncedRingsHoldTheOthersBack) {
  Stands lanes;
  lanes[0].origin_ms = Ago(170);  // announced, nothing stored yet
  lanes[1].origin_ms = Ago(100);
  lanes[2].origin_ms = Ago(100);
  Alignment alignment;
  alignment.Update(lanes, kNow);
  EXPECT_FALSE(alignment.May(1, Ago(100)));
  EXPECT_TRUE(alignment.May(1, Ago(140)));
}

TEST(Alignment, AllUnhealthyHoldNobody) {
  Stands lanes;
  for (LaneStand& lane : lanes) lane = {Ago(300), false};
  Alignment alignment;
  alignment.Update(lanes, kNow);
  EXPECT_TRUE(alignment.May(5, Ago(0)));
}

}  // namespace
}  // namespace ampari
