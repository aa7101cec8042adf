// Merged ranges that were intended: what the store remembers of them, and that they expire whole.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>

#include "gateway/store/ledger.h"
#include "tests/unit/gateway/store/store_rig.h"

namespace ampari {
namespace {

using testing::Contains;
using testing::HasSubstr;

class IntentTest : public testing::Test {
 protected:
  void SetUp() override {
    Open();
    stream_ = rig_.Connect(HelloOf("node", 'a'));
  }
  void Open() {
    rig_.Open();
    rig_.Apply({"region"});
  }
  void Reopen() {
    rig_.Close();
    Open();
  }
  // Frames of 10 items each, in one lane; the queue's sequence of the first.
  uint64_t Send(uint64_t first, uint64_t last) {
    rig_.Send(stream_, first, last, 10);
    const std::vector<RecordPtr> records = rig_.ReadAll(rig_.Id());
    lane_ = records.front()->header.lane;
    return records.front()->sequence;
  }
  void Intend(uint64_t from, uint64_t upto, uint64_t generation) {
    std::atomic<bool> done{false};
    rig_.store().IntendRange(rig_.Id(), lane_, from, upto, generation, [&done] { done = true; });
    rig_.WaitUntil([&done] { return done.load(); });
  }
  LaneState Lane() { return rig_.store().Lanes(rig_.Id())[lane_]; }
  Ledger Now() { return rig_.LedgerOf(rig_.Id()); }

  StoreRig rig_;
  StoreRig::Stream stream_;
  uint32_t lane_ = 0;
};

TEST_F(IntentTest, IsToldAfterAReopenUntilTheCursorHasPassedIt) {
  const uint64_t first = Send(1, 6);
  Intend(first, first + 4, 7);
  Reopen();
  EXPECT_EQ(Lane().cursor, first);
  EXPECT_EQ(Lane().merged_upto, first + 4);
  EXPECT_EQ(Lane().merged_generation, 7u);
  rig_.SettleBelow(rig_.Id(), first + 2);  // a part of it
  Reopen();
  EXPECT_EQ(Lane().cursor, first + 2);
  EXPECT_EQ(Lane().merged_upto, first + 4);
  rig_.SettleBelow(rig_.Id(), first + 4);
  EXPECT_EQ(Lane().merged_upto, 0u);
  EXPECT_EQ(Lane().merged_generation, 0u);
  Reopen();
  EXPECT_EQ(Lane().merged_upto, 0u);
  EXPECT_EQ(Now().pending, 20u);
}

TEST_F(IntentTest, AnotherOneTakesItsPlace) {
  const uint64_t first = Send(1, 6);
  Intend(first, first + 5, 7);
  Intend(first, first + 2, 8);
  Reopen();
  EXPECT_EQ(Lane().merged_upto, first + 2);
  EXPECT_EQ(Lane().merged_generation, 8u);
}

TEST_F(IntentTest, BesideTheCursorOrBeyondTheEndIsRefusedWithAnAlarm) {
  const uint64_t first = Send(1, 4);
  struct Row {
    uint64_t from, upto;
  };
  for (const Row row : {Row{first + 1, first + 3}, Row{first, first}, Row{first, first + 5}}) {
    rig_.store().IntendRange(rig_.Id(), lane_, row.from, row.upto, 7,
                             [] { ADD_FAILURE() << "this range is none"; });
  }
  Intend(first, first + 1, 9);  // behind them in the queue
  EXPECT_EQ(Lane().merged_generation, 9u);
  EXPECT_THAT(rig_.store().status().alarms, Contains(HasSubstr("begins beside the cursor")));
}

// Another lane has a frame that is as old as the range's first ones: when it is gone, expiry has
// passed by the range.
TEST_F(IntentTest, ExpiresOnlyWhole) {
  const uint64_t first = Send(1, 4);
  StoreRig::Stream other = rig_.Connect(HelloOf("node-2", 'b'));
  rig_.Send(other, 1, 1, 1);
  ASSERT_NE(rig_.ReadAll(rig_.Id()).back()->header.lane, lane_);
  rig_.clock().Advance(absl::Hours(48));
  Send(5, 6);
  const uint64_t upto = rig_.ReadAll(rig_.Id()).back()->sequence + 1;
  Intend(first, upto, 7);
  rig_.clock().Advance(absl::Hours(25));
  rig_.WaitUntil([this] { return Now().expired["age"] > 0; });
  EXPECT_EQ(Now().expired["age"], 1u) << "only the other lane's";
  EXPECT_EQ(Lane().merged_upto, upto);
  rig_.clock().Advance(absl::Hours(48));
  rig_.WaitUntil([this] { return Now().expired["age"] > 1; });
  EXPECT_EQ(Now().expired["age"], 61u);
  EXPECT_EQ(Lane().cursor, upto);
  EXPECT_EQ(Lane().merged_upto, 0u);
  EXPECT_TRUE(Holds(Now()));
  EXPECT_TRUE(rig_.store().Verify().empty());
}

}  // namespace
}  // namespace ampari
