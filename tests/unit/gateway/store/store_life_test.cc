// What happens to what is stored over time: expiry, the reserve, removed and new destinations,
// aside, forgetting.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/frame/registration.h"
#include "gateway/store/ledger.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/gateway/store/store_rig.h"

namespace ampari {
namespace {

using testing::HasSubstr;

class StoreLifeTest : public testing::Test {
 protected:
  void Open(std::vector<std::string> destinations = {"region"}) {
    rig_.Open();
    rig_.Apply(destinations);
  }
  Ledger Now(const std::string& destination = "region") {
    return rig_.LedgerOf(rig_.Id(destination));
  }
  StoreRig rig_;
};

TEST_F(StoreLifeTest, FramesExpireByAgeOnThePersistedClock) {
  Open();
  StoreRig::Stream stream = rig_.Connect(HelloOf("node", 'a'));
  rig_.Send(stream, 1, 5, 10);
  rig_.clock().Advance(absl::Hours(48));
  rig_.Send(stream, 6, 7, 1);
  rig_.clock().Advance(absl::Hours(25));
  rig_.WaitUntil([&] { return Now().expired["age"] > 0; });
  EXPECT_EQ(Now().expired["age"], 50u);
  EXPECT_EQ(Now().pending, 2u);
  EXPECT_TRUE(Holds(Now()));
  EXPECT_TRUE(rig_.store().Verify().empty());
}

TEST_F(StoreLifeTest, AJumpOfTheWallClockExpiresNothing) {
  Open();
  StoreRig::Stream stream = rig_.Connect(HelloOf("node", 'a'));
  rig_.Send(stream, 1, 5, 10);
  rig_.clock().SetNow(rig_.clock().Now() + absl::Hours(24 * 365));
  int64_t before = rig_.store().NowMs();
  rig_.Send(stream, 6, 6, 10);
  EXPECT_EQ(rig_.store().NowMs(), before);
  EXPECT_EQ(Now().pending, 60u);
}

TEST_F(StoreLifeTest, ATenantsBudgetExpiresItsOldestFrames) {
  rig_.Open();
  QueueTopology small{"small", Signal::kMetrics, 1 << 20, {{"region", false}}};
  QueueTopology other{"t", Signal::kMetrics, 0, {{"region", false}}};
  ASSERT_THAT(rig_.store().Apply({small, other}), IsOk());
  HelloRequest hello = HelloOf("node", 'a');
  StoreRig::Stream safe = rig_.Connect(hello);
  rig_.Send(safe, 1, 10, 1, 100'000);
  hello.tenant = "small";
  hello.forwarder_name = "node-small";
  StoreRig::Stream stream = rig_.Connect(hello);
  rig_.Send(stream, 1, 40, 10, 100'000);
  DestinationId id{"small", Signal::kMetrics, "region"};
  rig_.WaitUntil([&] { return rig_.LedgerOf(id).pending_bytes <= 1 << 20; });
  Ledger ledger = rig_.LedgerOf(id);
  EXPECT_GE(ledger.expired["budget"], 290u);
  EXPECT_LE(ledger.expired["budget"], 310u) << "no more than needed";
  EXPECT_TRUE(Holds(ledger));
  EXPECT_EQ(Now().pending, 10u) << "nobody else's frames";
  EXPECT_GT(rig_.ReadAll(id).front()->header.frame_sequence, 29u) << "the oldest went";
}

TEST_F(StoreLifeTest, FramesInFlightDoNotExpire) {
  Open();
  StoreRig::Stream stream = rig_.Connect(HelloOf("node", 'a'));
  rig_.Send(stream, 1, 5, 10);
  uint32_t lane = rig_.ReadAll(rig_.Id()).front()->header.lane;
  uint64_t from = rig_.store().Lanes(rig_.Id())[lane].cursor;
  ASSERT_TRUE(rig_.store().Claim(rig_.Id(), lane, from, 4));
  StoreRig::Stream second = rig_.Connect(HelloOf("node-2", 'b'));
  rig_.Send(second, 1, 5, 1);
  ASSERT_NE(rig_.ReadAll(rig_.Id()).back()->header.lane, lane);
  rig_.clock().Advance(absl::Hours(73));
  rig_.WaitUntil([&] { return Now().expired["age"] > 0; });
  EXPECT_EQ(Now().expired["age"], 5u) << "only the other lane's";
  rig_.store().Unclaim(rig_.Id(), lane);
  rig_.WaitUntil([&] { return Now().expired["age"] == 55; });
  EXPECT_FALSE(rig_.store().Claim(rig_.Id(), lane, from, 4)) << "expired past it";
}

TEST_F(StoreLifeTest, TheReservePausesFramesInBandAndRecoversByItself) {
  Open();
  StoreRig::Stream stream = rig_.Connect(HelloOf("node", 'a'));
  rig_.Send(stream, 1, 1, 10);
  uint32_t lane = rig_.ReadAll(rig_.Id()).front()->header.lane;
  ASSERT_TRUE(rig_.store().Claim(rig_.Id(), lane, rig_.store().Lanes(rig_.Id())[lane].cursor,
                                 uint64_t{1} << 40));
  uint64_t sequence = 1;
  for (bool paused = false; !paused; paused = rig_.store().status().paused) {
    rig_.store().SubmitFrame(stream.id, FrameOf(++sequence, 10, 1 << 20));
    ASSERT_LT(sequence, 500u);
    rig_.WaitUntil(
        [&] { return stream.sink->durable() >= sequence || rig_.store().status().paused; });
  }
  stream.sink->WaitStanding({false, true, true});
  uint64_t mark = rig_.store().status().instances[0].mark;
  EXPECT_THAT(rig_.store().status().alarms, testing::Contains(HasSubstr("reserve")));
  rig_.store().SubmitFrame(stream.id, FrameOf(mark + 1, 10, 100));
  EXPECT_EQ(stream.sink->WaitRefusal().reason, FrameRefusal::Reason::kSequence);
  rig_.SettleAll(rig_.Id());
  stream.sink->WaitStanding({false, false, true});
  rig_.Send(stream, mark + 1, mark + 1, 10);
  EXPECT_TRUE(Holds(Now()));
}

TEST_F(StoreLifeTest, ARemovedDestinationIsHeldForADayAndCountsOn) {
  Open({"region", "second"});
  StoreRig::Stream stream = rig_.Connect(HelloOf("node", 'a'));
  rig_.Send(stream, 1, 5, 10);
  rig_.Apply({"region"});
  rig_.Send(stream, 6, 6, 1);
  EXPECT_EQ(Now("second").pending, 51u);
  rig_.clock().Advance(absl::Hours(23));
  rig_.Apply({"region", "second"});
  EXPECT_EQ(Now("second").pending, 51u) << "resumes";
  rig_.Apply({"region"});
  rig_.clock().Advance(absl::Hours(24));
  rig_.WaitUntil([&] { return Now("second").pending == 0; });
  EXPECT_EQ(Now("second").expired["removed"], 51u);
  EXPECT_TRUE(Holds(Now("second")));
  rig_.Apply({"region", "second"});
  EXPECT_EQ(Now("second").accepted, 0u) << "it is new";
  EXPECT_EQ(Now().pending, 51u);
}

TEST_F(StoreLifeTest, ARemovedTenantsFamiliesGoAndItsQueueStartsAnew) {
  Open();
  StoreRig::Stream stream = rig_.Connect(HelloOf("node", 'a'));
  rig_.Send(stream, 1, 5, 10);
  ASSERT_THAT(rig_.store().Apply({}), IsOk());
  rig_.clock().Advance(absl::Hours(25));
  rig_.WaitUntil([&] { return Now().expired["removed"] == 50; });
  rig_.Close();
  Open();
  EXPECT_EQ(Now().accepted, 0u);
  EXPECT_TRUE(rig_.ReadAll(rig_.Id()).empty());
  EXPECT_TRUE(rig_.store().Verify().empty());
}

TEST_F(StoreLifeTest, AVerifyCanBeEnded) {
  Open();
  StoreRig::Stream stream = rig_.Connect(HelloOf("node", 'a'));
  rig_.Send(stream, 1, 5, 10);
  int asked = 0;
  const auto problems = rig_.store().Verify([&] { return ++asked < 2; });
  EXPECT_EQ(asked, 2);
  ASSERT_EQ(problems.size(), 1u) << "what was not counted is not called right";
  EXPECT_THAT(problems[0].what, testing::HasSubstr("stopped"));
}

TEST_F(StoreLifeTest, ANewDestinationStartsAtTheEndOrWithTheOldestFrame) {
  Open();
  StoreRig::Stream stream = rig_.Connect(HelloOf("node", 'a'));
  rig_.Send(stream, 1, 5, 10);
  QueueTopology queue{"t", Signal::kMetrics, 0, {{"region"}, {"end"}, {"oldest", true}}};
  ASSERT_THAT(rig_.store().Apply({queue}), IsOk());
  rig_.Send(stream, 6, 6, 1);
  EXPECT_EQ(Now("end").accepted, 1u);
  EXPECT_EQ(Now("oldest").accepted, 51u);
  rig_.SettleAll(rig_.Id("oldest"));
  rig_.SettleAll(rig_.Id("end"));
  EXPECT_EQ(Now("oldest").delivered, 51u);
  EXPECT_EQ(Now("end").delivered, 1u);
  EXPECT_TRUE(rig_.store().Verify().empty());
}

TEST_F(StoreLifeTest, WhatIsSetAsideStaysPendingUntilItsAgeEndsIt) {
  Open();
  StoreRig::Stream stream = rig_.Connect(HelloOf("node", 'a'));
  rig_.Send(stream, 1, 2, 10);
  RecordPtr record = rig_.ReadAll(rig_.Id()).front();
  Settlement settlement;
  settlement.destination = rig_.Id();
  settlement.lane = record->header.lane;
  settlement.from = rig_.store().Lanes(rig_.Id())[settlement.lane].cursor;
  settlement.upto = record->sequence + 1;
  settlement.delivered = 3;
  settlement.rejected = {{"invalid", 1}};
  settlement.dead_letters = {{record->sequence, 1, 400, "{a=\"cut \xc3", "of any bytes \xff"}};
  settlement.aside = {{record->sequence, AsideReason::kTooOld, 6, "an hour \xff"}};
  rig_.store().Settle(settlement, [] {});
  rig_.WaitUntil([&] { return rig_.store().DeadLetters("t", 10).size() == 1; });
  EXPECT_EQ(Now().aside["too_old"], 6u);
  EXPECT_EQ(Now().pending, 16u);
  EXPECT_EQ(Now().rejected["invalid"], 1u);
  EXPECT_EQ(rig_.store().DeadLetters("t", 10)[0].response, "of any bytes \xff");
  EXPECT_TRUE(rig_.store().Verify().empty());
  rig_.SettleAll(rig_.Id());
  rig_.Close();
  Open();
  EXPECT_EQ(Now().pending, 6u);
  rig_.clock().Advance(absl::Hours(73));
  rig_.WaitUntil([&] { return Now().pending == 0; });
  EXPECT_EQ(Now().expired["age"], 6u);
  EXPECT_TRUE(Holds(Now()));
}

TEST_F(StoreLifeTest, DeadLettersAreBoundedAndTheOldestGo) {
  rig_.options().dead_letter_bytes = 3000;
  Open();
  StoreRig::Stream stream = rig_.Connect(HelloOf("node", 'a'));
  rig_.Send(stream, 1, 1, 10);
  RecordPtr record = rig_.ReadAll(rig_.Id()).front();
  Settlement settlement;
  settlement.destination = rig_.Id();
  settlement.lane = record->header.lane;
  settlement.from = rig_.store().Lanes(rig_.Id())[settlement.lane].cursor;
  settlement.upto = record->sequence + 1;
  settlement.rejected = {{"invalid", 10}};
  for (uint64_t i = 0; i < 10; ++i) {
    settlement.dead_letters.push_back({i, 1, 400, std::string(500, 's'), std::string(9000, 'r')});
  }
  settlement.dead_letters.back().response = "short";
  rig_.store().Settle(settlement, [] {});
  rig_.WaitUntil([&] { return !rig_.store().DeadLetters("t", 100).empty(); });
  std::vector<DeadLetter> letters = rig_.store().DeadLetters("t", 100);
  ASSERT_EQ(letters.size(), 1u) << "two of 4.5 KiB do not fit";
  EXPECT_EQ(letters[0].sequence, 9u);
}

TEST_F(StoreLifeTest, ASettlementThatDoesNotAddUpIsRefused) {
  Open();
  StoreRig::Stream stream = rig_.Connect(HelloOf("node", 'a'));
  rig_.Send(stream, 1, 1, 10);
  RecordPtr record = rig_.ReadAll(rig_.Id()).front();
  Settlement settlement;
  settlement.destination = rig_.Id();
  settlement.lane = record->header.lane;
  settlement.from = rig_.store().Lanes(rig_.Id())[settlement.lane].cursor;
  settlement.upto = record->sequence + 1;
  settlement.delivered = 9;
  rig_.store().Settle(settlement, [] { FAIL() << "done"; });
  rig_.WaitUntil([&] { return !rig_.store().status().alarms.empty(); });
  EXPECT_EQ(Now().pending, 10u);
}

TEST_F(StoreLifeTest, AGapCountsAsAcceptedAndExpired) {
  Open();
  StoreRig::Stream stream = rig_.Connect(HelloOf("node", 'a'));
  rig_.Send(stream, 1, 2, 10);
  rig_.store().SubmitGap(stream.id, {2, {10, 7, 8}, "ring_full"});
  stream.sink->WaitDurable(4);
  EXPECT_EQ(Now().accepted, 35u);
  EXPECT_EQ(Now().expired["ring_full"], 15u);
  rig_.Send(stream, 5, 5, 1);
  rig_.SettleAll(rig_.Id());
  stream.sink->WaitSettled(5);
  EXPECT_TRUE(Holds(Now()));
}

TEST_F(StoreLifeTest, BlocksStayUntilWhatRefersToThemIsTrimmed) {
  Open();
  StoreRig::Stream stream = rig_.Connect(HelloOf("node", 'a'));
  InstanceNumber number = rig_.store().status().instances[0].number;
  RegistrationBlock block;
  block.number = 1;
  block.first_series = 1;
  block.series = {Labels{{"__name__", "up"}}};
  block.first_layout = 1;
  block.layouts = {Layout{0, 1, {{false, 1, 1}}}};
  std::string bytes = EncodeRegistration(block);
  rig_.store().SubmitRegistration(stream.id, bytes);
  rig_.store().SubmitRegistration(stream.id, bytes);
  rig_.Send(stream, 1, 1, 10);
  rig_.store().SubmitRetire(stream.id, {1, 99});
  rig_.Send(stream, 2, 2, 10);
  rig_.Close();
  Open();
  absl::StatusOr<std::string> read = rig_.store().ReadBlockOfSeries(number, 1);
  ASSERT_THAT(read, IsOk());
  EXPECT_EQ(*read, bytes);
  EXPECT_THAT(rig_.store().ReadBlockOfLayout(number, 1), IsOk());
  EXPECT_THAT(rig_.store().ReadBlockOfLayout(number, 2), StatusIs(absl::StatusCode::kNotFound));
  rig_.SettleAll(rig_.Id());
  rig_.clock().Advance(absl::Seconds(61));
  rig_.WaitUntil([&] { return !rig_.store().ReadBlockOfSeries(number, 1).ok(); });
}

TEST_F(StoreLifeTest, AnInstanceIsForgottenAfterMaxAgeAndItsProducersAreAwaitedForTwoMinutes) {
  Open();
  HelloRequest hello = HelloOf("node", 'a');
  hello.store_id = rig_.Connect(hello).welcome.store_id;
  rig_.Close();
  Open();
  EXPECT_TRUE(rig_.store().AwaitingProducers());
  EXPECT_EQ(rig_.Connect(hello).welcome.found, HelloFound::kKnown);
  EXPECT_FALSE(rig_.store().AwaitingProducers());
  rig_.Close();
  Open();
  EXPECT_TRUE(rig_.store().AwaitingProducers());
  rig_.clock().Advance(absl::Minutes(2));
  EXPECT_FALSE(rig_.store().AwaitingProducers());
  rig_.clock().Advance(absl::Hours(72));
  rig_.WaitUntil([&] { return rig_.store().status().instances.empty(); });
  EXPECT_EQ(rig_.Connect(hello).welcome.found, HelloFound::kForgotten);
}

TEST_F(StoreLifeTest, FramesOfAnEvictedInstanceCountAsExpired) {
  rig_.options().max_instances_per_producer = 2;
  Open();
  for (char id : {'a', 'b'}) {
    StoreRig::Stream stream = rig_.Connect(HelloOf("node", id));
    rig_.Send(stream, 1, 3, 10);
    rig_.store().CloseStream(stream.id);
  }
  StoreRig::Stream third = rig_.Connect(HelloOf("node", 'c'));
  EXPECT_EQ(third.welcome.found, HelloFound::kNew);
  rig_.Send(third, 1, 1, 5);
  EXPECT_EQ(Now().expired["instances"], 30u);
  EXPECT_EQ(Now().pending, 35u);
  EXPECT_TRUE(rig_.store().Verify().empty());
  uint32_t lane = LaneOf("cluster-a", "node");
  uint64_t cursor = rig_.store().Lanes(rig_.Id())[lane].cursor;
  EXPECT_FALSE(rig_.store().Claim(rig_.Id(), lane, cursor, cursor + 7)) << "read again first";
  EXPECT_TRUE(rig_.store().Claim(rig_.Id(), lane, cursor, cursor + 7));
  rig_.SettleAll(rig_.Id());
  EXPECT_EQ(Now().pending, 0u);
  EXPECT_TRUE(Holds(Now()));
}

TEST_F(StoreLifeTest, OriginStampsFollowTheWaitAndNeverGoBack) {
  Open();
  HelloRequest hello = HelloOf("node", 'a');
  hello.first_sequence = 1;
  hello.last_sequence = 3;
  hello.first_waited_ms = 90'000;
  hello.last_waited_ms = 10'000;
  StoreRig::Stream stream = rig_.Connect(hello);
  int64_t now = rig_.store().NowMs();
  uint32_t lane = LaneOf("cluster-a", "node");
  EXPECT_EQ(rig_.store().OldestAnnounced(rig_.Id(), lane), now - 90'000);
  EXPECT_EQ(rig_.store().OldestAnnounced(rig_.Id(), lane ^ 1), std::nullopt);
  rig_.store().SubmitFrame(stream.id, FrameOf(1, 1, 10, 90'000));
  rig_.store().SubmitFrame(stream.id, FrameOf(2, 1, 10, 95'000));
  stream.sink->WaitDurable(2);
  std::vector<RecordPtr> records = rig_.ReadAll(rig_.Id());
  EXPECT_EQ(records[0]->header.origin_ms, now - 90'000);
  EXPECT_EQ(records[1]->header.origin_ms, now - 90'000);
  EXPECT_EQ(records[1]->header.intake_ms, now);
  rig_.store().SubmitFrame(stream.id, FrameOf(3, 1, 10, 10'000));
  stream.sink->WaitDurable(3);
  EXPECT_EQ(rig_.store().OldestAnnounced(rig_.Id(), lane), std::nullopt);
}

TEST_F(StoreLifeTest, AReloadReplacesTheLabelsOfAnEntry) {
  Open();
  rig_.Connect(HelloOf("node", 'a'));
  InstanceNumber number = rig_.store().status().instances[0].number;
  const QueueTopology queue{"t", Signal::kMetrics, 0, {{"region"}}};
  ASSERT_THAT(rig_.store().Apply({queue}, {{"cluster-a", Labels{{"cluster", "b"}}}}), IsOk());
  rig_.Close();
  Open();
  absl::StatusOr<Labels> labels = rig_.store().EnforcedLabels(number);
  ASSERT_THAT(labels, IsOk());
  EXPECT_EQ(labels->Get("cluster"), "b");
}

TEST_F(StoreLifeTest, ATenantWithoutADestinationForTheSignalIsRefusedInWords) {
  Open();
  HelloRequest hello = HelloOf("node", 'a');
  hello.signal = Signal::kLogs;
  StoreRig::Stream stream = rig_.Connect(hello);
  EXPECT_EQ(stream.welcome.found, HelloFound::kRefused);
  EXPECT_THAT(stream.welcome.refused, HasSubstr("no destination"));
}

TEST_F(StoreLifeTest, ANewerHelloClosesTheOlderStream) {
  Open();
  StoreRig::Stream first = rig_.Connect(HelloOf("node", 'a'));
  StoreRig::Stream second = rig_.Connect(HelloOf("node", 'a'));
  EXPECT_FALSE(first.sink->WaitClosed().ok());
  rig_.store().SubmitFrame(first.id, FrameOf(1, 10));
  rig_.Send(second, 1, 1, 1);
  EXPECT_EQ(Now().accepted, 1u) << "the closed stream's frame is ignored";
}

}  // namespace
}  // namespace ampari
