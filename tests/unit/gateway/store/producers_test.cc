// The table "Connecting": every row, and several instances of one producer.
#include "gateway/store/producers.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace ampari {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr char kStore[] = "store-one";

struct Said {
  std::string store_id;
  uint64_t first = 0, last = 0, acknowledged = 0, settled = 0;
};

HelloRequest Hello(char instance, const Said& said = {}, bool draining = false) {
  HelloRequest hello;
  hello.tenant = "t";
  hello.entry = "e";
  hello.forwarder_name = "node";
  hello.instance_id = std::string(16, instance);
  hello.peer = std::string("10.0.0.") + instance;
  hello.draining = draining;
  hello.store_id = said.store_id;
  hello.first_sequence = said.first;
  hello.last_sequence = said.last;
  hello.acknowledged = said.acknowledged;
  hello.settled = said.settled;
  return hello;
}

class ProducersTest : public testing::Test {
 protected:
  HelloVerdict Say(const HelloRequest& hello) {
    HelloVerdict verdict = producers_.Hello(hello, kStore, now_, next_);
    if (verdict.created) ++next_;
    return verdict;
  }
  void Later(absl::Duration by) {
    now_.monotonic += by;
    now_.persisted_ms += absl::ToInt64Milliseconds(by);
  }
  Producers producers_{ProducerBounds{4, 10}};
  Moment now_{1'700'000'000'000, absl::Seconds(100)};
  InstanceNumber next_ = 1;
};

TEST_F(ProducersTest, WhatAHelloIsAnswered) {
  struct Row {
    const char* name;
    bool known;
    uint64_t mark;
    Said said;
    HelloFound found;
    uint64_t mark_after;
    size_t alarms;
  };
  const Row rows[] = {
      {"never welcomed", false, 0, {"", 1, 5}, HelloFound::kNew, 0, 0},
      {"welcome was lost", true, 3, {"", 1, 5}, HelloFound::kKnown, 3, 0},
      {"mark = acknowledged", true, 9, {kStore, 8, 12, 9, 7}, HelloFound::kKnown, 9, 0},
      {"mark > acknowledged", true, 11, {kStore, 8, 12, 9, 7}, HelloFound::kKnown, 11, 0},
      {"rolled back, ring covers", true, 5, {kStore, 4, 12, 9, 3}, HelloFound::kRolledBack, 5, 1},
      {"rolled back, ring begins later",
       true,
       5,
       {kStore, 8, 12, 9, 3},
       HelloFound::kRolledBack,
       7,
       2},
      {"rolled back, settled above the mark",
       true,
       5,
       {kStore, 4, 12, 9, 6},
       HelloFound::kRolledBack,
       6,
       2},
      {"rolled back, ring empty", true, 5, {kStore, 0, 0, 9, 9}, HelloFound::kRolledBack, 9, 2},
      {"forgotten", false, 0, {kStore, 8, 12, 9, 7}, HelloFound::kForgotten, 0, 0},
      {"other store", false, 0, {"store-two", 8, 12, 9, 7}, HelloFound::kOtherStore, 0, 0},
      {"known, but welcomed elsewhere since",
       true,
       5,
       {"store-two", 8, 12, 9, 7},
       HelloFound::kOtherStore,
       0,
       0},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    Producers producers{ProducerBounds{}};
    if (row.known) {
      Instance instance;
      instance.number = 1;
      instance.tenant = "t";
      instance.entry = "e";
      instance.forwarder_name = "node";
      instance.id = std::string(16, 'a');
      instance.epoch = 3;
      instance.mark = row.mark;
      producers.Load(instance, now_);
    }
    HelloVerdict verdict = producers.Hello(Hello('a', row.said), kStore, now_, 2);
    EXPECT_EQ(verdict.reply.found, row.found);
    EXPECT_EQ(verdict.reply.mark, row.mark_after);
    EXPECT_EQ(verdict.alarms.size(), row.alarms);
    bool takes_frames = row.found == HelloFound::kNew || row.found == HelloFound::kKnown ||
                        row.found == HelloFound::kRolledBack;
    EXPECT_EQ(verdict.instance != nullptr, takes_frames);
    EXPECT_EQ(verdict.reply.epoch, takes_frames ? (row.known ? 3u : 1u) : 0u);
  }
}

TEST_F(ProducersTest, RollbackAlarmNamesTheRange) {
  Instance* instance = Say(Hello('a')).instance;
  instance->mark = 5;
  HelloVerdict verdict = Say(Hello('a', {kStore, 8, 12, 9, 3}));
  EXPECT_THAT(verdict.alarms, ElementsAre(HasSubstr("has seen 9 acknowledged, the mark is 5"),
                                          HasSubstr("frames 6 to 7")));
}

TEST_F(ProducersTest, AnotherTenantsInstanceIsNotMet) {
  Say(Hello('a'));
  HelloRequest hello = Hello('a', {kStore, 1, 5, 1, 0});
  hello.tenant = "u";
  EXPECT_EQ(Say(hello).reply.found, HelloFound::kForgotten);
}

TEST_F(ProducersTest, ANewerInstanceSupersedesAndWaitsUntilTheOlderHasDrained) {
  Say(Hello('a'));
  HelloVerdict newer = Say(Hello('b'));
  EXPECT_EQ(newer.reply.epoch, 2u);
  EXPECT_FALSE(newer.reply.admitted);
  std::vector<StandingChange> told = producers_.Judge(now_);
  ASSERT_EQ(told.size(), 1u);
  EXPECT_EQ(told[0].number, 1u);
  EXPECT_TRUE(told[0].superseded);
  EXPECT_TRUE(told[0].admitted) << "the older delivers its ring";
  producers_.Drained(1);
  told = producers_.Judge(now_);
  ASSERT_EQ(told.size(), 1u);
  EXPECT_EQ(told[0].number, 2u);
  EXPECT_TRUE(told[0].admitted);
}

TEST_F(ProducersTest, TheNewerIsAdmittedWhenTheOlderHasNoStream) {
  Say(Hello('a'));
  producers_.Disconnected(1, now_);
  EXPECT_TRUE(Say(Hello('b')).reply.admitted);
}

TEST_F(ProducersTest, TheNewerIsAdmittedWhenTheOldersStreamGoes) {
  Say(Hello('a'));
  Say(Hello('b'));
  producers_.Judge(now_);
  producers_.Disconnected(1, now_);
  ASSERT_EQ(producers_.Judge(now_).size(), 1u);
  EXPECT_TRUE(producers_.Find(2)->admitted);
}

TEST_F(ProducersTest, TheNewerIsAdmittedAfterSixtySeconds) {
  Say(Hello('a'));
  Say(Hello('b'));
  producers_.Judge(now_);
  Later(absl::Seconds(59));
  EXPECT_THAT(producers_.Judge(now_), IsEmpty());
  Later(absl::Seconds(1));
  ASSERT_EQ(producers_.Judge(now_).size(), 1u);
  EXPECT_TRUE(producers_.Find(2)->admitted);
}

TEST_F(ProducersTest, LogsAreAdmittedAtOnce) {
  HelloRequest older = Hello('a'), newer = Hello('b');
  older.signal = newer.signal = Signal::kLogs;
  Say(older);
  EXPECT_TRUE(Say(newer).reply.admitted);
}

TEST_F(ProducersTest, ADrainingHelloSupersedesNobody) {
  Say(Hello('a'));
  HelloVerdict draining = Say(Hello('b', {}, true));
  EXPECT_TRUE(draining.reply.admitted);
  EXPECT_THAT(producers_.Judge(now_), IsEmpty());
  EXPECT_FALSE(producers_.Find(1)->superseded);
}

TEST_F(ProducersTest, ASupersededOneWorksAgainSixtySecondsAfterItsSuccessorWent) {
  Say(Hello('a'));
  Say(Hello('b'));
  producers_.Judge(now_);
  producers_.Disconnected(2, now_);
  Later(absl::Seconds(59));
  EXPECT_THAT(producers_.Judge(now_), IsEmpty());
  EXPECT_TRUE(Say(Hello('a')).reply.superseded);
  Later(absl::Seconds(1));
  std::vector<StandingChange> told = producers_.Judge(now_);
  ASSERT_EQ(told.size(), 1u);
  EXPECT_EQ(told[0].number, 1u);
  EXPECT_FALSE(told[0].superseded);
}

TEST_F(ProducersTest, TwoAliveForTenMinutesAreAnAlarmThatNamesBothAddresses) {
  Say(Hello('a'));
  Say(Hello('b'));
  EXPECT_THAT(producers_.Clones(now_), IsEmpty());
  Later(absl::Minutes(10));
  EXPECT_THAT(producers_.Clones(now_),
              ElementsAre(testing::AllOf(HasSubstr("10.0.0.a"), HasSubstr("10.0.0.b"))));
  EXPECT_THAT(producers_.Clones(now_), IsEmpty()) << "told once";
}

TEST_F(ProducersTest, ANewInstanceOverTheBoundNamesTheOldestToEvict) {
  for (char id : {'a', 'b', 'c', 'd'}) {
    Say(Hello(id));
    producers_.Disconnected(next_ - 1, now_);
  }
  HelloVerdict verdict = Say(Hello('e'));
  EXPECT_EQ(verdict.reply.found, HelloFound::kRefused);
  EXPECT_EQ(verdict.evict, 1u);
  producers_.Remove(1);
  EXPECT_EQ(Say(Hello('e')).reply.epoch, 5u) << "epochs go on";
}

TEST_F(ProducersTest, ProducersOfAnEntryAreBounded) {
  Producers producers{ProducerBounds{64, 1}};
  for (int i = 0; i < 3; ++i) {
    HelloRequest hello = Hello('a');
    hello.forwarder_name = "node-" + std::to_string(i);
    HelloVerdict verdict = producers.Hello(hello, kStore, now_, static_cast<uint32_t>(i + 1));
    EXPECT_EQ(verdict.reply.found, i < 1 ? HelloFound::kNew : HelloFound::kRefused) << i;
  }
}

TEST_F(ProducersTest, ForgetsByLastContactOnlyWhoHasNoStream) {
  Say(Hello('a'));
  Say(Hello('b'));
  producers_.Disconnected(1, now_);
  Later(absl::Hours(73));
  EXPECT_THAT(producers_.ForgottenBefore(now_.persisted_ms - 72 * 3600 * 1000), ElementsAre(1u));
}

}  // namespace
}  // namespace ampari
