#include "gateway/store/store.h"

#include <gtest/gtest.h>

#include "gateway/store/ledger.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/gateway/store/store_rig.h"

namespace ampari {
namespace {

class StoreTest : public testing::Test {
 protected:
  void SetUp() override {
    rig_.Open();
    rig_.Apply({"region"});
  }
  void Reopen() {
    rig_.Close();
    rig_.Open();
    rig_.Apply({"region"});
  }
  StoreRig rig_;
};

TEST_F(StoreTest, AcknowledgesStoresReadsAndSettles) {
  StoreRig::Stream stream = rig_.Connect(HelloOf("node-1", 'a'));
  EXPECT_EQ(stream.welcome.found, HelloFound::kNew);
  EXPECT_EQ(stream.welcome.epoch, 1u);
  rig_.Send(stream, 1, 10, 7);
  std::vector<RecordPtr> records = rig_.ReadAll(rig_.Id());
  ASSERT_EQ(records.size(), 10u);
  EXPECT_EQ(records[3]->frame, std::string(100, 'e'));
  EXPECT_EQ(records[3]->header.frame_sequence, 4u);
  EXPECT_EQ(records[3]->header.cumulative_items, 28u);
  EXPECT_EQ(rig_.LedgerOf(rig_.Id()).pending, 70u);
  rig_.SettleBelow(rig_.Id(), 6);
  Ledger ledger = rig_.LedgerOf(rig_.Id());
  EXPECT_EQ(ledger.accepted, 70u);
  EXPECT_EQ(ledger.delivered, 35u);
  EXPECT_EQ(ledger.pending, 35u);
  EXPECT_EQ(ledger.pending_frames, 5u);
  EXPECT_TRUE(Holds(ledger));
  stream.sink->WaitSettled(5);
  EXPECT_TRUE(rig_.store().Verify().empty());
}

TEST_F(StoreTest, EverythingIsThereAfterReopening) {
  StoreRig::Stream stream = rig_.Connect(HelloOf("node-1", 'a'));
  rig_.Send(stream, 1, 10, 7);
  rig_.SettleBelow(rig_.Id(), 6);
  Reopen();
  Ledger ledger = rig_.LedgerOf(rig_.Id());
  EXPECT_EQ(ledger.accepted, 70u);
  EXPECT_EQ(ledger.pending, 35u);
  HelloRequest hello = HelloOf("node-1", 'a');
  hello.store_id = stream.welcome.store_id;
  hello.acknowledged = 10;
  StoreRig::Stream again = rig_.Connect(hello);
  EXPECT_EQ(again.welcome.found, HelloFound::kKnown);
  EXPECT_EQ(again.welcome.mark, 10u);
  EXPECT_EQ(again.welcome.settled, 5u);
  rig_.Send(again, 11, 12, 1);
  rig_.SettleAll(rig_.Id());
  EXPECT_EQ(rig_.LedgerOf(rig_.Id()).pending, 0u);
  EXPECT_TRUE(rig_.store().Verify().empty());
}

TEST_F(StoreTest, ADuplicateIsAcknowledgedAndAGapInTheNumbersRefused) {
  StoreRig::Stream stream = rig_.Connect(HelloOf("node-1", 'a'));
  rig_.Send(stream, 1, 3, 1);
  rig_.store().SubmitFrame(stream.id, FrameOf(2, 1));
  rig_.store().SubmitFrame(stream.id, FrameOf(6, 1));
  FrameRefusal refusal = stream.sink->WaitRefusal();
  EXPECT_EQ(refusal.sequence, 6u);
  EXPECT_EQ(refusal.reason, FrameRefusal::Reason::kSequence);
  rig_.Send(stream, 4, 4, 1);
  EXPECT_EQ(rig_.ReadAll(rig_.Id()).size(), 4u);
  EXPECT_EQ(rig_.store().status().duplicate_frames_total, 1u);
}

TEST_F(StoreTest, ASecondOpenerIsRefused) {
  EXPECT_THAT(
      Store::Open(rig_.options(), rig_.clock()),
      StatusIs(absl::StatusCode::kFailedPrecondition, testing::HasSubstr("another process")));
}

}  // namespace
}  // namespace ampari
