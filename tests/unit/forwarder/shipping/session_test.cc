// The rows of "Connecting" (proto/README.md), each as the steps of one connection after another.
#include "forwarder/shipping/session.h"

#include <gtest/gtest.h>

#include "tests/unit/forwarder/shipping/session_harness.h"

namespace ampari {
namespace {

using v1::Refusal;
using v1::Welcome;

TEST(Connecting, NewInstanceSendsFromItsFirstFrame) {
  SessionHarness h;
  h.PushMany(2);
  EXPECT_EQ(h.Connect(), "H(1-2 0 0)");
  EXPECT_EQ(h.last_hello.store_id(), "");
  EXPECT_EQ(h.last_hello.forwarder_name(), "node-1");
  EXPECT_EQ(h.last_hello.instance().size(), 16u);
  EXPECT_EQ(h.Sent(), "");  // nothing before the welcome
  h.Welcome(Welcome::FOUND_NEW, 0);
  EXPECT_EQ(h.Sent(), "F1 F2");
  h.Push();
  EXPECT_EQ(h.Sent(), "F3");
  h.Ack(3, 1);
  EXPECT_EQ(h.ring.acknowledged(), 3u);
  EXPECT_EQ(h.ring.settled(), 1u);
}

TEST(Connecting, AnEmptyRingTellsZeros) {
  SessionHarness h;
  EXPECT_EQ(h.Connect(), "H(0-0 0 0)");
  h.Welcome(Welcome::FOUND_NEW, 0);
  EXPECT_EQ(h.Sent(), "");
}

TEST(Connecting, WhatTheMarkCoversCountsAsAcknowledged) {
  SessionHarness h;
  h.PushMany(4);
  h.Connect();
  h.Welcome(Welcome::FOUND_NEW, 0);
  EXPECT_EQ(h.Sent(), "F1 F2 F3 F4");
  h.Ack(1);
  h.Disconnect();
  EXPECT_EQ(h.Connect(), "H(1-4 1 0)");
  EXPECT_EQ(h.last_hello.store_id(), "store");
  h.Welcome(Welcome::FOUND_KNOWN, 3);
  EXPECT_EQ(h.ring.acknowledged(), 3u);
  EXPECT_EQ(h.Sent(), "F4");
  EXPECT_EQ(h.session.status().resent_frames, 1u);
}

TEST(Connecting, TheMarkCoversNumbersInsideAWaitingGap) {
  SessionHarness h(2300);
  h.PushMany(3);
  h.Connect();
  h.Welcome(Welcome::FOUND_NEW, 0);
  EXPECT_EQ(h.Sent(), "F1 F2 F3");
  h.Disconnect();  // the gateway has 1 and 2, which was never heard
  h.Push(10, 1800);
  h.Push(10, 1800);
  EXPECT_EQ(h.ring.At(1).frame, nullptr);
  EXPECT_EQ(h.ring.At(3).frame, nullptr);
  h.Connect();
  h.Welcome(Welcome::FOUND_KNOWN, 2);
  EXPECT_EQ(h.Sent(), "G3-4 F5");
  EXPECT_EQ(h.last_gap.counts(0), 10u);
  EXPECT_EQ(h.last_gap.reason(), v1::Gap::REASON_RING_FULL);
}

TEST(Connecting, RolledBackStoreIsSentAllThatIsUnsettled) {
  SessionHarness h;
  h.PushMany(6);
  h.Connect();
  h.Welcome(Welcome::FOUND_NEW, 0);
  h.Sent();
  h.Ack(6, 2);
  h.Disconnect();
  EXPECT_EQ(h.Connect(), "H(3-6 6 2)");
  h.Welcome(Welcome::FOUND_ROLLED_BACK, 3);  // of 1..6 it has only 1..3
  EXPECT_EQ(h.Sent(), "F4 F5 F6");
  EXPECT_EQ(h.session.status().rollbacks, 1u);
  EXPECT_EQ(h.session.status().instances, 1u);
}

TEST(Connecting, RolledBackBelowWhatIsSettledSendsAboveIt) {
  SessionHarness h;
  h.PushMany(6);
  h.Connect();
  h.Welcome(Welcome::FOUND_NEW, 0);
  h.Sent();
  h.Ack(6, 4);
  h.Disconnect();
  EXPECT_EQ(h.Connect(), "H(5-6 6 4)");
  h.Welcome(Welcome::FOUND_ROLLED_BACK, 1);  // it takes 5 next, as the hello says
  EXPECT_EQ(h.Sent(), "F5 F6");
}

TEST(Connecting, RolledBackToWhatHasLeftTheRingMeanwhileAsksAgain) {
  SessionHarness h(3000);
  h.Push(10, 800);
  h.Push(10, 800);
  h.Push(10, 800);
  h.Connect();
  h.Welcome(Welcome::FOUND_NEW, 0);
  h.Sent();
  h.Ack(3);
  h.Disconnect();
  EXPECT_EQ(h.Connect(), "H(1-3 3 0)");
  h.Push(10, 1500);  // takes the room of 1 and 2
  EXPECT_EQ(h.ring.first(), 3u);
  h.Welcome(Welcome::FOUND_ROLLED_BACK, 0);
  EXPECT_EQ(h.Sent(), "");
  EXPECT_TRUE(h.session.wants_reconnect(h.now));
  h.Disconnect();
  EXPECT_EQ(h.Connect(), "H(3-4 2 0)");
  h.Welcome(Welcome::FOUND_KNOWN, 2);
  EXPECT_EQ(h.Sent(), "F3 F4");
}

TEST(Connecting, RolledBackWithNothingToOfferIsANewInstance) {
  SessionHarness h;
  h.PushMany(2);
  h.Connect();
  h.Welcome(Welcome::FOUND_NEW, 0);
  h.Sent();
  h.Ack(2, 2);
  h.Disconnect();
  EXPECT_EQ(h.Connect(), "H(0-0 2 2)");
  h.Welcome(Welcome::FOUND_ROLLED_BACK, 1);
  EXPECT_TRUE(h.session.wants_reconnect(h.now));
  EXPECT_EQ(h.session.status().instances, 2u);
}

TEST(Connecting, ForgottenInstanceComesBackAsNewWithWhatWasNeverAcknowledged) {
  SessionHarness h;
  h.registrations.Add(7, "7");
  h.PushMany(4);
  h.Connect();
  h.Welcome(Welcome::FOUND_NEW, 0);
  EXPECT_EQ(h.Sent(), "B7 F1 F2 F3 F4");
  h.Ack(2, 1);
  const std::string first_instance = h.last_hello.instance();
  h.Disconnect();
  h.Connect();
  EXPECT_EQ(h.last_hello.instance(), first_instance);
  h.Welcome(Welcome::FOUND_FORGOTTEN, 0);
  EXPECT_EQ(h.Sent(), "");
  EXPECT_TRUE(h.session.wants_reconnect(h.now));
  h.Disconnect();
  EXPECT_EQ(h.Connect(), "H(1-2 0 0)");
  EXPECT_NE(h.last_hello.instance(), first_instance);
  EXPECT_EQ(h.last_hello.store_id(), "");
  h.Welcome(Welcome::FOUND_NEW, 0);
  EXPECT_EQ(h.Sent(), "B7 F1 F2");  // once 3 and 4
}

TEST(Connecting, AnotherStoreIsSentAllThatIsUnsettledByANewInstance) {
  SessionHarness h;
  h.PushMany(5);
  h.Connect();
  h.Welcome(Welcome::FOUND_NEW, 0);
  h.Sent();
  h.Ack(4, 2);
  h.Disconnect();
  h.Connect();
  h.Welcome(Welcome::FOUND_OTHER_STORE, 0);
  EXPECT_TRUE(h.session.wants_reconnect(h.now));
  h.Disconnect();
  EXPECT_EQ(h.Connect(), "H(1-3 0 0)");
  h.Welcome(Welcome::FOUND_NEW, 0);
  EXPECT_EQ(h.Sent(), "F1 F2 F3");  // once 3, 4 and 5
}

TEST(Connecting, AStoreThatKnowsMoreThanThereIsMeansANewInstance) {
  SessionHarness h;
  h.PushMany(2);
  h.Connect();
  h.Welcome(Welcome::FOUND_KNOWN, 40);
  EXPECT_TRUE(h.session.wants_reconnect(h.now));
  h.Disconnect();
  EXPECT_EQ(h.Connect(), "H(1-2 0 0)");
}

TEST(Connecting, ARefusedSignalSendsNothing) {
  SessionHarness h;
  h.PushMany(2);
  h.Connect();
  v1::GatewayMessage message;
  message.mutable_welcome()->set_found(Welcome::FOUND_REFUSED);
  message.mutable_welcome()->set_refused("no destination for metrics");
  h.session.OnMessage(message, h.now);
  EXPECT_EQ(h.Sent(), "");
  EXPECT_EQ(h.session.status().refused, "no destination for metrics");
  h.Disconnect();
  h.Connect();
  message.mutable_welcome()->set_refused(std::string(size_t{1} << 20, 'w'));
  h.session.OnMessage(message, h.now);
  EXPECT_EQ(h.session.status().refused, std::string(Session::kMaxRefusedBytes, 'w'));
  h.Disconnect();
  h.Connect();
  h.Welcome(Welcome::FOUND_NEW, 0);
  EXPECT_EQ(h.session.status().refused, "");
  EXPECT_EQ(h.Sent(), "F1 F2");
}

TEST(Connecting, NoWelcomeInTimeIsANewAttempt) {
  SessionHarness h;
  h.Connect();
  EXPECT_EQ(h.session.NextWake(h.now), h.now + Session::kWelcomeTimeout);
  h.now += Session::kWelcomeTimeout - absl::Milliseconds(1);
  EXPECT_FALSE(h.session.wants_reconnect(h.now));
  h.now += absl::Milliseconds(1);
  EXPECT_TRUE(h.session.wants_reconnect(h.now));
}

TEST(Registering, RepeatsWhatTheRingOrALivingLayoutNeedsInOrder) {
  SessionHarness h;
  h.registrations.Add(5, "5");
  h.Push();  // 1
  h.registrations.Add(3, "3");
  h.Push();  // 2
  h.registrations.Retire({5}, 2);
  h.Connect();
  h.Welcome(Welcome::FOUND_NEW, 0);
  EXPECT_EQ(h.Sent(), "B5 B3 F1 F2 R5");
  h.Ack(1);
  h.Disconnect();
  h.Connect();
  h.Welcome(Welcome::FOUND_KNOWN, 1);
  EXPECT_EQ(h.Sent(), "B5 B3 F2 R5");  // frame 2 may refer to 5
  h.Ack(2);
  h.Disconnect();
  h.Connect();
  h.Welcome(Welcome::FOUND_KNOWN, 2);
  EXPECT_EQ(h.Sent(), "B3 R5");  // its retirement may not have been heard
  h.Push();
  EXPECT_EQ(h.Sent(), "F3");
  h.Ack(3);
  h.Disconnect();
  h.Connect();
  h.Welcome(Welcome::FOUND_KNOWN, 3);
  EXPECT_EQ(h.Sent(), "B3");
}

TEST(Registering, ANewInstanceOwesNoRetirementOfWhatItNeverRegistered) {
  SessionHarness h;
  h.registrations.Add(5, "5");
  h.PushMany(2);
  h.registrations.Retire({5}, 2);
  h.registrations.Add(6, "6");
  h.Push();  // 3
  h.Connect();
  h.Welcome(Welcome::FOUND_NEW, 0);
  EXPECT_EQ(h.Sent(), "B5 B6 F1 F2 R5 F3");
  h.Ack(2);
  h.Disconnect();
  h.Connect();
  h.Welcome(Welcome::FOUND_FORGOTTEN, 0);
  h.Disconnect();
  h.Connect();
  h.Welcome(Welcome::FOUND_NEW, 0);
  EXPECT_EQ(h.Sent(), "B6 F1");
}

TEST(Refusing, AMalformedFrameIsTriedThreeTimesThenAGap) {
  SessionHarness h;
  h.PushMany(3);
  h.Connect();
  h.Welcome(Welcome::FOUND_NEW, 0);
  EXPECT_EQ(h.Sent(), "F1 F2 F3");
  h.Refuse(2, Refusal::REASON_MALFORMED);
  h.Refuse(3, Refusal::REASON_SEQUENCE);  // was in flight behind it
  EXPECT_EQ(h.Sent(), "");
  EXPECT_EQ(h.session.NextWake(h.now), h.now + Session::kRefusedDelay);
  h.now += Session::kRefusedDelay;
  EXPECT_EQ(h.Sent(), "F2 F3");
  h.Refuse(2, Refusal::REASON_MALFORMED);
  h.Refuse(3, Refusal::REASON_SEQUENCE);
  h.now += Session::kRefusedDelay;
  EXPECT_EQ(h.Sent(), "F2 F3");
  h.Refuse(2, Refusal::REASON_MALFORMED);
  h.Refuse(3, Refusal::REASON_SEQUENCE);
  h.now += Session::kRefusedDelay;
  EXPECT_EQ(h.Sent(), "G2-2 F3");
  EXPECT_EQ(h.last_gap.reason(), v1::Gap::REASON_MALFORMED);
  EXPECT_EQ(h.last_gap.counts(0), 10u);
  h.Ack(3);
  EXPECT_EQ(h.ring.acknowledged(), 3u);
}

TEST(Refusing, AFrameOverTheLimitOfTheWelcomeIsAGapAtOnce) {
  SessionHarness h;
  h.max_frame_bytes = 65536;
  h.Push(10, 70000);
  h.Push();
  h.Connect();
  h.Welcome(Welcome::FOUND_NEW, 0);
  EXPECT_EQ(h.Sent(), "G1-1 F2");
  EXPECT_EQ(h.last_gap.reason(), v1::Gap::REASON_OVERSIZE);
}

TEST(Refusing, AWrongSequenceGoesBackToTheLastAcknowledgementAndThenAsks) {
  SessionHarness h;
  h.PushMany(3);
  h.Connect();
  h.Welcome(Welcome::FOUND_NEW, 0);
  h.Sent();
  h.Ack(1);
  for (int i = 0; i < 2; ++i) {
    h.Refuse(3, Refusal::REASON_SEQUENCE);
    h.now += Session::kRefusedDelay;
    EXPECT_EQ(h.Sent(), "F2 F3");
  }
  h.Refuse(3, Refusal::REASON_SEQUENCE);
  EXPECT_TRUE(h.session.wants_reconnect(h.now));
}

TEST(Flowing, TheWindowHoldsBackAndAnAcknowledgementOpensIt) {
  SessionHarness h;
  for (int i = 0; i < 4; ++i) h.Push(1, 1000);
  h.window = 2 * h.ring.At(1).frame->size() + 10;
  h.Connect();
  h.Welcome(Welcome::FOUND_NEW, 0);
  EXPECT_EQ(h.Sent(), "F1 F2");
  h.Ack(1);
  EXPECT_EQ(h.Sent(), "F3");
  h.Ack(3);
  EXPECT_EQ(h.Sent(), "F4");
}

TEST(Flowing, AFrameLargerThanTheWindowGoesAlone) {
  SessionHarness h;
  h.window = 10;
  h.PushMany(2);
  h.Connect();
  h.Welcome(Welcome::FOUND_NEW, 0);
  EXPECT_EQ(h.Sent(), "F1");
  h.Ack(1);
  EXPECT_EQ(h.Sent(), "F2");
}

TEST(Flowing, PausedOrNotAdmittedHoldsFramesButNotRegistrations) {
  SessionHarness h;
  h.Push();
  h.Connect();
  h.Welcome(Welcome::FOUND_NEW, 0);
  h.Notice(false, /*paused=*/true);
  h.registrations.Add(1, "1");
  EXPECT_EQ(h.Sent(), "B1");
  EXPECT_TRUE(h.session.status().paused);
  h.Notice(false, false, /*admitted=*/false);
  EXPECT_EQ(h.Sent(), "");
  h.Notice(false, false, true);
  EXPECT_EQ(h.Sent(), "F1");
}

TEST(Flowing, EverySendTellsHowLongTheFrameHasWaited) {
  SessionHarness h;
  h.Push();
  h.now += absl::Seconds(90);
  h.Push();
  h.Connect();
  EXPECT_EQ(h.last_hello.first_waited_ms(), 90000u);
  EXPECT_EQ(h.last_hello.last_waited_ms(), 0u);
  h.Welcome(Welcome::FOUND_NEW, 0);
  h.now += absl::Seconds(1);
  (void)h.Words(*h.session.Next(h.now));
  EXPECT_EQ(h.last_waited_ms, 91000u);
  (void)h.Words(*h.session.Next(h.now));
  EXPECT_EQ(h.last_waited_ms, 1000u);
}

TEST(Flowing, AcknowledgementsBeyondWhatWasSentAreCut) {
  SessionHarness h;
  h.PushMany(2);
  h.Connect();
  h.Welcome(Welcome::FOUND_NEW, 0);
  h.Sent();
  h.PushMany(3);
  h.Ack(5, 9);
  EXPECT_EQ(h.ring.acknowledged(), 2u);
  EXPECT_EQ(h.ring.settled(), 2u);
  EXPECT_EQ(h.Sent(), "F3 F4 F5");
}

TEST(Superseding, TheOlderDrainsAndSaysSo) {
  SessionHarness h;
  h.Push();
  h.Connect();
  h.Welcome(Welcome::FOUND_NEW, 0);
  EXPECT_EQ(h.Sent(), "F1");
  h.Notice(/*superseded=*/true);
  EXPECT_TRUE(h.session.status().superseded);
  h.Push();  // what was collected when the notice came
  EXPECT_EQ(h.Sent(), "F2");
  h.now += Session::kQuietBeforeDrained;
  EXPECT_EQ(h.Sent(), "");  // not acknowledged yet
  h.Ack(2);
  EXPECT_EQ(h.Sent(), "D");
  EXPECT_EQ(h.Sent(), "");
}

TEST(Superseding, ASupersededInstanceConnectsAsDraining) {
  SessionHarness h;
  h.Connect();
  h.Welcome(Welcome::FOUND_NEW, 0);
  h.Notice(/*superseded=*/true);
  h.Disconnect();
  EXPECT_EQ(h.Connect(), "H(0-0 0 0 draining)");
}

TEST(Superseding, WithoutASuccessorItWorksAgainUnderANewIdOnceNothingIsInFlight) {
  SessionHarness h;
  h.PushMany(2);
  h.Connect();
  const std::string first_instance = h.last_hello.instance();
  h.Welcome(Welcome::FOUND_NEW, 0);
  EXPECT_EQ(h.Sent(), "F1 F2");
  h.Notice(/*superseded=*/true);
  h.Notice(/*superseded=*/false);
  h.Push();
  EXPECT_EQ(h.Sent(), "");  // 1 and 2 may be committed under the old id
  EXPECT_TRUE(h.session.status().superseded);
  h.Ack(2);
  EXPECT_FALSE(h.session.status().superseded);
  EXPECT_TRUE(h.session.wants_reconnect(h.now));
  h.Disconnect();
  EXPECT_EQ(h.Connect(), "H(1-1 0 0)");
  EXPECT_NE(h.last_hello.instance(), first_instance);
  h.Welcome(Welcome::FOUND_NEW, 0);
  EXPECT_EQ(h.Sent(), "F1");  // once 3
}

TEST(Superseding, TheWelcomeCanTellBoth) {
  SessionHarness h;
  h.Push();
  h.Connect();
  h.Welcome(Welcome::FOUND_KNOWN, 0, 0, /*superseded=*/true);
  EXPECT_TRUE(h.session.status().superseded);
  EXPECT_EQ(h.Sent(), "F1");
  h.Disconnect();
  h.Connect();
  h.Welcome(Welcome::FOUND_KNOWN, 1, 0, /*superseded=*/false);
  EXPECT_FALSE(h.session.status().superseded);
  EXPECT_TRUE(h.session.wants_reconnect(h.now));
  EXPECT_EQ(h.session.status().instances, 2u);
}

TEST(Draining, SaysDrainedAfterTheLastFrame) {
  SessionHarness h;
  h.Push();
  h.Connect();
  h.Welcome(Welcome::FOUND_NEW, 0);
  h.Sent();
  h.session.Drain();
  EXPECT_EQ(h.Sent(), "");  // input has not ended
  h.Push();
  h.session.EndInput();
  EXPECT_EQ(h.Sent(), "F2 D");
  h.Disconnect();
  EXPECT_EQ(h.Connect(), "H(1-2 0 0 draining)");
  h.Welcome(Welcome::FOUND_KNOWN, 1);
  EXPECT_EQ(h.Sent(), "F2 D");
}

}  // namespace
}  // namespace ampari
