// A move from one gateway to another, as the steps of the session's connections.
#include "forwarder/shipping/gateway_move.h"

#include <gtest/gtest.h>

#include "tests/unit/forwarder/shipping/session_harness.h"

namespace ampari {
namespace {

using v1::Welcome;

constexpr absl::Duration kPatience = absl::Minutes(10);

struct MoveHarness : SessionHarness {
  explicit MoveHarness(size_t ring_bytes = size_t{1} << 20) : SessionHarness(ring_bytes) {}
  GatewayMove move{"old:1", kPatience, session, ring};

  // Frames 1 to 3 are at the gateway, 1 and 2 acknowledged, 1 settled.
  void Begin() {
    PushMany(3);
    Connect();
    Welcome(Welcome::FOUND_NEW, 0);
    EXPECT_EQ(Sent(), "F1 F2 F3");
    Ack(2, 1);
  }
  void To(const std::string& address) { move.To(address, now); }
  bool Step() { return move.Step(now); }
};

TEST(GatewayMove, GoesOnceEverythingSentIsSettledAndTakesTheRestAlong) {
  MoveHarness h;
  h.Begin();
  const std::string first_instance = h.last_hello.instance();
  h.To("new:1");
  EXPECT_EQ(h.move.target(), "new:1");
  h.PushMany(2);
  EXPECT_EQ(h.Sent(), "");  // waits for the new gateway
  h.Ack(3, 2);
  EXPECT_FALSE(h.Step());
  h.Ack(3, 3);
  EXPECT_TRUE(h.Step());
  EXPECT_EQ(h.move.home(), "new:1");
  EXPECT_EQ(h.move.target(), "");
  EXPECT_TRUE(h.session.wants_reconnect(h.now));
  h.Disconnect();
  EXPECT_EQ(h.Connect(), "H(1-2 0 0)");
  EXPECT_NE(h.last_hello.instance(), first_instance);
  EXPECT_EQ(h.last_hello.store_id(), "");
  h.Welcome(Welcome::FOUND_NEW, 0);
  EXPECT_EQ(h.Sent(), "F1 F2");
  EXPECT_EQ(h.move.moves(), 1u);
  EXPECT_EQ(h.move.impatient_moves(), 0u);
  EXPECT_FALSE(h.Step());
}

TEST(GatewayMove, AnOldGatewayThatComesBackIsOfferedOnlyWhatItMayHave) {
  MoveHarness h;
  h.Begin();
  h.Disconnect();
  h.PushMany(2);
  h.To("new:1");
  EXPECT_EQ(h.Connect(), "H(2-3 2 1)");
  h.Welcome(Welcome::FOUND_KNOWN, 2, 2);
  EXPECT_EQ(h.Sent(), "F3");
  h.Ack(3, 3);
  EXPECT_TRUE(h.Step());
  EXPECT_EQ(h.ring.last(), 2u);
}

TEST(GatewayMove, AGatewayThatHasSeenNothingIsLeftAtOnce) {
  MoveHarness h;
  h.PushMany(2);
  h.Connect();  // and no answer
  h.To("new:1");
  EXPECT_TRUE(h.Step());
  h.Disconnect();
  EXPECT_EQ(h.Connect(), "H(1-2 0 0)");
}

TEST(GatewayMove, AfterAWhileWhatIsAcknowledgedStaysWithAGatewayThatAnswers) {
  MoveHarness h;
  h.Begin();
  h.To("new:1");
  EXPECT_EQ(h.move.NextWake(), h.now + kPatience);
  h.now += kPatience - absl::Milliseconds(1);
  EXPECT_FALSE(h.Step());
  h.now += absl::Milliseconds(1);
  EXPECT_TRUE(h.Step());
  h.Disconnect();
  EXPECT_EQ(h.Connect(), "H(1-1 0 0)");  // what was frame 3
  EXPECT_EQ(h.move.impatient_moves(), 1u);
}

TEST(GatewayMove, AfterAWhileWhatAnAbsentGatewayHasNotSettledIsSentAgain) {
  MoveHarness h;
  h.Begin();
  h.Disconnect();
  h.Push();
  h.To("new:1");
  h.now += kPatience;
  EXPECT_TRUE(h.Step());
  EXPECT_EQ(h.Connect(), "H(1-3 0 0)");  // what were frames 2 to 4
  h.Welcome(Welcome::FOUND_NEW, 0);
  EXPECT_EQ(h.Sent(), "F1 F2 F3");
}

TEST(GatewayMove, ToldToStayItSendsWhatItHeldBack) {
  MoveHarness h;
  h.Begin();
  h.To("new:1");
  h.Push();
  EXPECT_EQ(h.Sent(), "");
  h.To("old:1");
  EXPECT_EQ(h.Sent(), "F4");
  h.Ack(4, 4);
  EXPECT_FALSE(h.Step());
  EXPECT_EQ(h.move.NextWake(), absl::InfiniteDuration());
}

TEST(GatewayMove, AnotherTargetDoesNotBeginThePatienceAnew) {
  MoveHarness h;
  h.Begin();
  h.To("new:1");
  const absl::Duration wake = h.move.NextWake();
  h.now += absl::Minutes(1);
  h.To("other:1");
  EXPECT_EQ(h.move.NextWake(), wake);
  h.Ack(3, 3);
  EXPECT_TRUE(h.Step());
  EXPECT_EQ(h.move.home(), "other:1");
}

TEST(GatewayMove, ASupersededOneDrainsWhereItsSuccessorIs) {
  MoveHarness h;
  h.Begin();
  h.To("new:1");
  h.Push();
  h.Notice(/*superseded=*/true);
  EXPECT_EQ(h.Sent(), "F4");
  h.Ack(4, 4);
  h.now += kPatience;
  EXPECT_FALSE(h.Step());
}

TEST(GatewayMove, WhatExpiredUnseenIsToldToTheNewGateway) {
  MoveHarness h(1000);
  h.Begin();
  h.To("new:1");
  h.PushMany(20);
  h.Ack(3, 3);
  EXPECT_TRUE(h.Step());
  h.Disconnect();
  h.Connect();
  h.Welcome(Welcome::FOUND_NEW, 0);
  EXPECT_EQ(h.Sent().substr(0, 3), "G1-");
  EXPECT_EQ(h.ring.last(), 20u);
}

TEST(GatewayMove, AReplacedDiskAtTheOldGatewayIsNotFilledAgain) {
  MoveHarness h;
  h.Begin();
  h.Disconnect();
  h.To("new:1");
  h.Connect();
  h.Welcome(Welcome::FOUND_OTHER_STORE, 0);
  EXPECT_TRUE(h.Step());
  h.Disconnect();
  EXPECT_EQ(h.Connect(), "H(1-2 0 0)");  // 2 and 3: above the settled one
}

TEST(GatewayMove, AProgramThatStopsDrainsWhereItIsAnswered) {
  MoveHarness h;
  h.Begin();
  h.To("new:1");
  h.Push();
  EXPECT_FALSE(h.move.Hurry());
  EXPECT_EQ(h.Sent(), "F4");
  EXPECT_EQ(h.move.target(), "");
  MoveHarness away;
  away.Begin();
  away.Disconnect();
  away.To("new:1");
  EXPECT_TRUE(away.move.Hurry());
  EXPECT_EQ(away.Connect(), "H(1-2 0 0)");
}

}  // namespace
}  // namespace ampari
