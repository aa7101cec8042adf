// The rows of "Connecting" and "Logs" (proto/README.md) for a session of logs, each as the steps of
// one connection after another.
#include <gtest/gtest.h>

#include "forwarder/shipping/gateway_move.h"
#include "tests/unit/forwarder/shipping/log_session_harness.h"

namespace ampari {
namespace {

using v1::Refusal;
using v1::Welcome;

TEST(LogConnecting, TheFirstWelcomeDirectsEverythingAndNothingIsPushedBefore) {
  LogSessionHarness h;
  EXPECT_FALSE(h.Push("a*0-1"));
  EXPECT_EQ(h.Connect(), "H(0-0 0 0)");
  EXPECT_EQ(h.last_hello.signal(), v1::SIGNAL_LOGS);
  h.producer_age_ms = 5000;
  h.Welcome(Welcome::FOUND_NEW, 0);
  EXPECT_EQ(h.Directions(), "none");
  EXPECT_FALSE(h.session.status().welcomed) << "positions are a part of the welcome";
  h.Positions("a10 b20", /*complete=*/false);
  h.Positions("c30");
  EXPECT_TRUE(h.session.status().welcomed);
  EXPECT_FALSE(h.Push("a10-12")) << "before the directions are taken";
  EXPECT_EQ(h.Directions(), "1 all: a10 b20 c30");
  EXPECT_EQ(h.last_producer_age, absl::Seconds(5));
  EXPECT_TRUE(h.Push("a10-12 d*0-4"));
  EXPECT_EQ(h.Sent(), "F1r0");
}

TEST(LogConnecting, ANewProducerHasNoPositions) {
  LogSessionHarness h;
  h.Connect();
  h.Welcome(Welcome::FOUND_NEW, 0);
  h.Positions("");
  EXPECT_EQ(h.Directions(), "1 all:");
}

TEST(LogConnecting, PositionsThatNeverEndAreNoWelcome) {
  LogSessionHarness h;
  h.Connect();
  h.Welcome(Welcome::FOUND_NEW, 0);
  h.Positions("a1", /*complete=*/false);
  h.now += Session::kWelcomeTimeout;
  EXPECT_TRUE(h.session.wants_reconnect(h.now));
  h.Disconnect();
  h.Connect();
  h.Welcome(Welcome::FOUND_KNOWN, 0);
  h.Positions("b2");
  EXPECT_EQ(h.Directions(), "1 all: b2");
}

TEST(LogConnecting, AReconnectDirectsNothingAndTheRingGoesOn) {
  LogSessionHarness h;
  h.Begin("a10 q7");
  h.Push("a10-12 b*0-5");
  h.Push("a12-14");
  h.Push("b5-9");
  EXPECT_EQ(h.Sent(), "F1r0 F2r0 F3r0");
  h.Ack(1);
  h.Disconnect();
  EXPECT_EQ(h.Connect(), "H(1-3 1 0)");
  h.Welcome(Welcome::FOUND_KNOWN, 2);
  EXPECT_EQ(h.Sent(), "") << "not before the positions";
  h.Positions("a14 b5 q7");
  EXPECT_EQ(h.ring.acknowledged(), 2u);
  EXPECT_EQ(h.Directions(), "none");
  EXPECT_EQ(h.Sent(), "F3r0");
  EXPECT_TRUE(h.Push("b9-10"));
  EXPECT_EQ(h.Sent(), "F4r0");
}

// A successor or a clone was at work while there was no stream.
TEST(LogConnecting, AReconnectThatFindsFilesElsewhereCorrectsBeforeItSends) {
  LogSessionHarness h;
  h.Begin("a10 q7 r7");
  h.Push("a10-12 b*0-5");
  h.Push("a12-14 c*3-4");
  h.Push("b5-9");
  h.Sent();
  h.Reconnect(Welcome::FOUND_KNOWN, 1, "a13 b5 q8 n2");
  EXPECT_EQ(h.ring.last(), 1u) << "the second and what is behind it is forgotten";
  EXPECT_EQ(h.Directions(), "2: a13 b5 c?3 n2 q8 r?7");
  EXPECT_EQ(h.Sent(), "");
  EXPECT_TRUE(h.Push("a13-14 b5-9"));
  EXPECT_EQ(h.Sent(), "F2r0");
}

TEST(LogConnecting, ARolledBackStoreIsSentTheRingAndDirectsNothing) {
  LogSessionHarness h;
  h.Begin("a0");
  for (int i = 0; i < 4; ++i) h.Push(absl::StrCat("a", i, "-", i + 1));
  h.Sent();
  h.Ack(4, 1);
  h.Reconnect(Welcome::FOUND_ROLLED_BACK, 2, "a2");
  EXPECT_EQ(h.Directions(), "none");
  EXPECT_EQ(h.Sent(), "F3r0 F4r0");
  EXPECT_EQ(h.session.status().rollbacks, 1u);
}

// What has left the ring is on disk: also of files that are quiet.
TEST(LogConnecting, ARolledBackStoreDirectsWhatTheRingHasNoMore) {
  LogSessionHarness h;
  h.Begin("a0 q0");
  for (const char* parts : {"q0-5", "a0-1", "a1-2", "a2-3"}) h.Push(parts);
  h.Sent();
  h.Ack(4, 3);
  h.Disconnect();
  EXPECT_EQ(h.Connect(), "H(4-4 4 3)");
  h.Welcome(Welcome::FOUND_ROLLED_BACK, 3);  // it had nothing; 1 to 3 are gone for good
  h.Positions("a0 q0");
  EXPECT_EQ(h.Directions(), "2: a0 q0");
  EXPECT_EQ(h.Sent(), "");
  EXPECT_TRUE(h.Push("a0-3 q0-5"));
  EXPECT_EQ(h.Sent(), "F4r0");
}

TEST(LogConnecting, AForgottenInstanceOffersWhatItReadAndDirectsNothing) {
  LogSessionHarness h;
  h.Begin("a10 q7");
  h.Push("a10-12");
  h.Push("a12-14 b*0-5");
  h.Push("b5-6");
  h.Sent();
  h.Ack(1);
  const std::string first_instance = h.last_hello.instance();
  h.Disconnect();
  h.Connect();
  h.Welcome(Welcome::FOUND_FORGOTTEN, 0);
  EXPECT_TRUE(h.session.wants_reconnect(h.now));
  h.Disconnect();
  EXPECT_EQ(h.Connect(), "H(1-2 0 0)");
  EXPECT_NE(h.last_hello.instance(), first_instance);
  h.Welcome(Welcome::FOUND_NEW, 0);
  h.Positions("");
  EXPECT_EQ(h.Directions(), "none");
  EXPECT_EQ(h.Sent(), "O(a12 b0 q7) F1r0 F2r0");
}

TEST(LogConnecting, AnotherStoreIsOfferedTheFromOfWhatIsSentAgain) {
  LogSessionHarness h;
  h.Begin("a10 q7");
  h.Push("a10-12");
  h.Push("a12-14");
  h.Sent();
  h.Ack(2, 1);
  h.Disconnect();
  h.Connect();
  h.Welcome(Welcome::FOUND_OTHER_STORE, 0);
  h.store_id = "another";
  h.Reconnect(Welcome::FOUND_NEW, 0, "");
  EXPECT_EQ(h.Directions(), "none");
  EXPECT_EQ(h.Sent(), "O(a12 q7) F1r0");
  h.Reconnect(Welcome::FOUND_KNOWN, 0, "");  // it may not have been heard
  EXPECT_EQ(h.Sent(), "O(a12 q7) F1r0");
  h.Ack(1);
  h.Reconnect(Welcome::FOUND_KNOWN, 1, "a14 q7");
  EXPECT_EQ(h.Sent(), "") << "the acknowledgement covered it";
}

// What left the ring before it was settled is read again from disk.
TEST(LogConnecting, AnotherStoreIsOfferedWhereTheFirstUnsettledLineIs) {
  LogSessionHarness h(2000);
  h.Begin("a10 q7");
  for (int i = 10; i < 14; ++i) {
    h.Push(absl::StrCat("a", i, "-", i + 1), 600);
    h.Sent();
    h.Ack(h.ring.last(), 1);
  }
  EXPECT_EQ(h.ring.first(), 3u);
  h.Disconnect();
  h.Connect();
  h.Welcome(Welcome::FOUND_OTHER_STORE, 0);
  h.Reconnect(Welcome::FOUND_NEW, 0, "");
  EXPECT_EQ(h.Directions(), "2: a11");
  EXPECT_EQ(h.Sent(), "O(a11 q7)");
  h.Push("a11-14");
  EXPECT_EQ(h.Sent(), "F1r0");
}

TEST(LogConnecting, WhatAnotherStoreKnowsAlreadyStands) {
  LogSessionHarness h;
  h.Begin("a10 q7");
  h.Push("a10-12 b*0-2");
  h.Sent();
  h.Disconnect();
  h.Connect();
  h.Welcome(Welcome::FOUND_OTHER_STORE, 0);
  h.Reconnect(Welcome::FOUND_NEW, 0, "a9 q5");  // an older copy of the disk
  EXPECT_EQ(h.Directions(), "2: a9 b?0 q5") << "saying first of a known file is right too";
  EXPECT_EQ(h.Sent(), "O(b0)");
  EXPECT_TRUE(h.Push("a9-12 b0-2 q5-7"));
  EXPECT_EQ(h.Sent(), "F1r0");
}

TEST(LogConnecting, AStoreThatKnowsMoreThanThereIsMeansANewInstance) {
  LogSessionHarness h;
  h.Begin("a1");
  h.Push("a1-2");
  h.Disconnect();
  h.Connect();
  h.Welcome(Welcome::FOUND_KNOWN, 40);
  EXPECT_TRUE(h.session.wants_reconnect(h.now));
  h.Reconnect(Welcome::FOUND_NEW, 0, "a1");
  EXPECT_EQ(h.Sent(), "F1r0") << "what it knows needs no offer";
}

TEST(LogRefusing, TheRefusedFrameAndAllBehindItAreReadAgainUnderItsNumber) {
  LogSessionHarness h;
  h.Begin("a10 c1");
  h.Push("a10-12 b*0-5");  // 1
  h.Push("a12-14 b5-6");   // 2
  h.Push("c1-2 d*3-9");    // 3
  h.Push("a14-15 b6-9");   // 4
  EXPECT_EQ(h.Sent(), "F1r0 F2r0 F3r0 F4r0");
  h.RefusePositions(2, 1, "a11");
  h.Ack(1);
  EXPECT_EQ(h.ring.last(), 1u);
  EXPECT_FALSE(h.Push("a15-16")) << "read under the old round";
  // b where frame 2 began it, c and d as frame 3 did.
  EXPECT_EQ(h.Directions(), "2: a11 b5 c1 d?3");
  EXPECT_EQ(h.Sent(), "");
  EXPECT_TRUE(h.Push("a11-15 b5-9 c1-2 d*3-9"));
  EXPECT_EQ(h.Sent(), "F2r1");
  h.Ack(2);
  EXPECT_EQ(h.ring.acknowledged(), 2u);
}

TEST(LogRefusing, AnUnknownFileIsSentAsFirstFromWhereItWas) {
  LogSessionHarness h;
  h.Begin("a10");
  h.Push("a10-12");
  h.Sent();
  h.RefusePositions(1, 1, "a?");
  EXPECT_EQ(h.Directions(), "2: a?10");
  EXPECT_TRUE(h.Push("a*10-12"));
  EXPECT_EQ(h.Sent(), "F1r1");
}

TEST(LogRefusing, LowerRoundsSayNothingNew) {
  LogSessionHarness h;
  h.Begin("a10 b1");
  h.Push("a10-12");
  h.Sent();
  h.RefusePositions(1, 1, "a11");
  h.Directions();
  h.Push("a11-12 b1-2");
  h.Push("b2-3");
  EXPECT_EQ(h.Sent(), "F1r1 F2r1");
  h.RefusePositions(1, 1, "a0");
  h.RefusePositions(2, 0, "b0");
  EXPECT_EQ(h.Directions(), "none");
  EXPECT_EQ(h.ring.last(), 2u);
  h.RefusePositions(2, 2, "b0");
  EXPECT_EQ(h.Directions(), "3: b0");
  h.Push("b0-3");
  EXPECT_EQ(h.Sent(), "F2r2");
}

TEST(LogRefusing, DirectionsThatWereNotTakenBecomeOne) {
  LogSessionHarness h;
  h.Begin("a10 b1 c5");
  h.Push("a10-12 b1-2 c5-6");
  h.Sent();
  h.RefusePositions(1, 1, "a11");
  h.Reconnect(Welcome::FOUND_KNOWN, 0, "a13 b1 c5");
  EXPECT_EQ(h.Directions(), "3: a13 b1 c5");
}

TEST(LogRefusing, ANewStreamBeginsAtRoundZero) {
  LogSessionHarness h;
  h.Begin("a10");
  h.Push("a10-12");
  h.Sent();
  h.RefusePositions(1, 1, "a11");
  h.Directions();
  h.Push("a11-12");
  EXPECT_EQ(h.Sent(), "F1r1");
  h.Reconnect(Welcome::FOUND_KNOWN, 0, "a11");
  EXPECT_EQ(h.Sent(), "F1r0");
  h.RefusePositions(1, 1, "a12");
  EXPECT_EQ(h.Directions(), "3: a12");
}

TEST(LogRefusing, ARefusalOfWhatWasNotSentAsks) {
  LogSessionHarness h;
  h.Begin("a10");
  h.Push("a10-12");
  h.RefusePositions(1, 1, "a11");
  EXPECT_TRUE(h.session.wants_reconnect(h.now));
}

TEST(LogRefusing, WithoutWordsOnFilesItIsTriedAgainAfterAWhile) {
  LogSessionHarness h;
  h.Begin("a10");
  h.Push("a10-12 b*0-1");
  h.Sent();
  h.RefusePositions(1, 1, "");  // too many files
  EXPECT_EQ(h.Directions(), "2: a10 b?0");
  h.Push("a10-12 b*0-1");
  EXPECT_EQ(h.Sent(), "");
  h.now += Session::kRefusedDelay;
  EXPECT_EQ(h.Sent(), "F1r1");
}

TEST(LogRefusing, AMalformedFrameIsTriedThreeTimesThenReadAgainAndNeverAGap) {
  LogSessionHarness h;
  h.Begin("a10 b1");
  h.Push("a10-12");
  h.Push("a12-13 b1-2");
  h.Push("b2-3");
  h.Sent();
  for (int i = 0; i < 3; ++i) {
    EXPECT_FALSE(h.session.wants_reconnect(h.now));
    h.Refuse(2, Refusal::REASON_MALFORMED);
    h.now += Session::kRefusedDelay;
    if (i < 2) {
      EXPECT_EQ(h.Sent(), "F2r0 F3r0");
    }
  }
  EXPECT_TRUE(h.session.wants_reconnect(h.now)) << "only a welcome tells what is stored";
  EXPECT_EQ(h.Sent(), "");
  h.Reconnect(Welcome::FOUND_KNOWN, 1, "a12 b1");
  EXPECT_EQ(h.Directions(), "2: a12 b1");
  EXPECT_EQ(h.ring.last(), 1u);
  EXPECT_EQ(h.ring.expired_frames(), 0u);
  h.Push("a12-13");
  EXPECT_EQ(h.Sent(), "F2r0");
}

TEST(LogRefusing, AFrameThatIsBuiltAnewHasThreeTriesOfItsOwn) {
  LogSessionHarness h;
  h.Begin("a10");
  h.Push("a10-12");
  h.Sent();
  for (int i = 0; i < 3; ++i, h.now += Session::kRefusedDelay, h.Sent())
    h.Refuse(1, Refusal::REASON_MALFORMED);
  h.Reconnect(Welcome::FOUND_KNOWN, 0, "a10");
  EXPECT_EQ(h.Directions(), "2: a10");
  h.Push("a10-11");
  EXPECT_EQ(h.Sent(), "F1r0");
  h.Refuse(1, Refusal::REASON_MALFORMED);
  EXPECT_FALSE(h.session.wants_reconnect(h.now));
  h.now += Session::kRefusedDelay;
  EXPECT_EQ(h.Sent(), "F1r0");
}

TEST(LogRefusing, AFrameThatWasTakenAfterAllIsNotReadAgain) {
  LogSessionHarness h;
  h.Begin("a10");
  h.Push("a10-12");
  h.Push("a12-13");
  h.Sent();
  for (int i = 0; i < 3; ++i, h.now += Session::kRefusedDelay, h.Sent())
    h.Refuse(1, Refusal::REASON_MALFORMED);
  h.Reconnect(Welcome::FOUND_KNOWN, 1, "a12");
  EXPECT_EQ(h.Directions(), "none");
  EXPECT_EQ(h.Sent(), "F2r0");
}

TEST(LogRefusing, AFrameOverTheLimitOfTheWelcomeIsReadAgain) {
  LogSessionHarness h;
  h.max_frame_bytes = 65536;
  h.Begin("a10 b1");
  h.Push("b1-2");
  h.Push("a10-12", 70000);
  EXPECT_EQ(h.Sent(), "F1r0");
  EXPECT_TRUE(h.session.wants_reconnect(h.now));
  h.Reconnect(Welcome::FOUND_KNOWN, 1, "a10 b2");
  EXPECT_EQ(h.Directions(), "2: a10");
}

TEST(LogRefusing, AWrongSequenceGoesBackToTheLastAcknowledgementAndThenAsks) {
  LogSessionHarness h;
  h.Begin("a0");
  for (int i = 0; i < 3; ++i) h.Push(absl::StrCat("a", i, "-", i + 1));
  h.Sent();
  h.Ack(1);
  for (int i = 0; i < 2; ++i) {
    h.Refuse(2, Refusal::REASON_SEQUENCE);
    h.now += Session::kRefusedDelay;
    EXPECT_EQ(h.Sent(), "F2r0 F3r0");
  }
  h.Refuse(2, Refusal::REASON_SEQUENCE);
  EXPECT_TRUE(h.session.wants_reconnect(h.now));
  EXPECT_EQ(h.Directions(), "none");
}

TEST(LogRetiring, IsSaidOnceEverythingBeforeItIsAcknowledged) {
  LogSessionHarness h;
  h.Begin("a10 g3");
  h.Push("a10-12 b*0-2");
  h.Retire("bg");
  h.Push("a12-13");
  EXPECT_EQ(h.Sent(), "F1r0 F2r0");
  h.Ack(1);
  EXPECT_EQ(h.Sent(), "X(bg)");
  EXPECT_EQ(h.Sent(), "");
  h.Reconnect(Welcome::FOUND_KNOWN, 1, "a12 b2");
  EXPECT_EQ(h.Directions(), "none");
  EXPECT_EQ(h.Sent(), "X(b) F2r0") << "only what the gateway still has";
  h.Reconnect(Welcome::FOUND_KNOWN, 2, "a13");
  EXPECT_EQ(h.Directions(), "none");
  EXPECT_EQ(h.Sent(), "");
}

TEST(LogRetiring, ALaterAcknowledgementCoversIt) {
  LogSessionHarness h;
  h.Begin("a10 g3");
  h.Retire("g");
  EXPECT_EQ(h.Sent(), "X(g)");
  h.Push("a10-11");
  EXPECT_EQ(h.Sent(), "F1r0");
  h.Ack(1);
  // Somebody else brought it up again: then it is a file like another.
  h.Reconnect(Welcome::FOUND_KNOWN, 1, "a11 g3");
  EXPECT_EQ(h.Sent(), "");
  EXPECT_EQ(h.Directions(), "2: g3");
}

TEST(LogRetiring, AFileThatIsReadAgainIsNotRetired) {
  LogSessionHarness h;
  h.Begin("a10 g3");
  h.Push("a10-11 g3-4");
  h.Sent();
  h.Retire("ag");
  h.Push("g4-5");
  EXPECT_EQ(h.Sent(), "F2r0");
  h.Ack(2);
  EXPECT_EQ(h.Sent(), "X(a)");
}

TEST(LogRetiring, DirectionsTakeItBack) {
  LogSessionHarness h;
  h.Begin("a10 g3");
  h.Push("a10-11");
  h.Push("a11-12");
  h.Retire("ag");
  h.Sent();
  h.RefusePositions(2, 1, "a10");
  EXPECT_EQ(h.Directions(), "2: a10");
  h.Ack(1);
  EXPECT_EQ(h.Sent(), "X(g)") << "everything that was before it is acknowledged or forgotten";
  h.Push("a10-12");
  h.Retire("a");
  EXPECT_EQ(h.Sent(), "F2r1");
  h.Ack(2);
  EXPECT_EQ(h.Sent(), "X(a)");
}

// The successor may hold the file open and read it on from where it is stored.
TEST(LogRetiring, IsNotSaidBesideASuccessor) {
  LogSessionHarness h;
  h.Begin("a10 g3");
  h.Push("g3-9");
  h.Sent();
  h.Retire("g");
  h.Notice(/*superseded=*/true);
  h.Ack(1);
  EXPECT_EQ(h.Sent(), "");
  h.Reconnect(Welcome::FOUND_KNOWN, 1, "a10 g9", 0, /*superseded=*/true);
  EXPECT_EQ(h.Sent(), "");
  h.Notice(/*superseded=*/false);
  h.Reconnect(Welcome::FOUND_NEW, 0, "a10 g9");
  EXPECT_EQ(h.Directions(), "2 all: a10");
  EXPECT_EQ(h.Sent(), "X(g)");
}

TEST(LogRetiring, IsBoundedAndSaidInPieces) {
  LogRetirements retirements;
  std::vector<std::string> keys;
  for (size_t i = 0; i < LogRetirements::kMaxFiles + 10; ++i)
    keys.push_back(absl::StrCat(1000000000000000 + i));
  retirements.Add(keys, 0);
  EXPECT_EQ(retirements.size(), LogRetirements::kMaxFiles);
  EXPECT_FALSE(retirements.contains(keys[9]));
  EXPECT_TRUE(retirements.contains(keys[10]));
  EXPECT_EQ(retirements.Next(0, 0).size(), LogRetirements::kFilesPerMessage);
}

TEST(LogSuperseding, TheRefusedFilesAreLeftToTheSuccessor) {
  LogSessionHarness h;
  h.Begin("a10 b1");
  h.Push("a10-12 b1-2");
  h.Push("b2-3 c*0-4");
  h.Sent();
  h.Notice(/*superseded=*/true);
  h.RefusePositions(1, 1, "a12");
  EXPECT_EQ(h.Directions(), "2: b1 c?0");
  h.Push("b1-3 c*0-4");
  EXPECT_EQ(h.Sent(), "F1r1");
  h.Ack(1);
  h.now += Session::kQuietBeforeDrained;
  EXPECT_EQ(h.Sent(), "D");
}

TEST(LogSuperseding, SoItIsWhenTheWelcomeShowsIt) {
  LogSessionHarness h;
  h.Begin("a10 b1 q5");
  h.Push("a10-12 b1-2");
  h.Sent();
  h.Reconnect(Welcome::FOUND_KNOWN, 0, "a12 b1 q9 n1", 0, /*superseded=*/true);
  EXPECT_EQ(h.Directions(), "2: b1") << "not what only the successor read";
}

TEST(LogSuperseding, WithoutASuccessorItWorksAgainFromWhereThatStopped) {
  LogSessionHarness h;
  h.Begin("a10 b1 q5");
  h.Push("a10-12");
  h.Sent();
  h.Notice(/*superseded=*/true);
  h.Push("b1-2");
  h.Push("c*4-5 b2-3");
  h.Notice(/*superseded=*/false);
  EXPECT_EQ(h.Sent(), "") << "what is in flight is settled first";
  h.Ack(1);
  EXPECT_TRUE(h.session.wants_reconnect(h.now));
  h.Disconnect();
  EXPECT_EQ(h.Connect(), "H(1-2 0 0)");
  h.Welcome(Welcome::FOUND_NEW, 0);
  h.Positions("a20 b1 n7");  // it read a on, and retired q
  EXPECT_EQ(h.Directions(), "2 all: a20 b3 c5 n7 q?5") << "frames that fit are kept";
  EXPECT_EQ(h.Sent(), "F1r0 F2r0");
}

TEST(LogSuperseding, AndForgetsWhatThatHasMoved) {
  LogSessionHarness h;
  h.Begin("a10 b1");
  h.Notice(/*superseded=*/true);
  h.Push("a10-12");
  h.Push("c*4-5 b1-3");
  h.Notice(/*superseded=*/false);
  h.Disconnect();
  h.Connect();
  h.Welcome(Welcome::FOUND_NEW, 0);
  h.Positions("a10 b2");
  EXPECT_EQ(h.Directions(), "2 all: a12 b2 c?4");
  EXPECT_EQ(h.Sent(), "F1r0");
}

// No acknowledgement will cover what was refused.
TEST(LogSuperseding, ARefusalMeanwhileHoldsTheNewInstanceUpNoLonger) {
  LogSessionHarness h;
  h.Begin("a10 b1");
  h.Push("a10-12");
  h.Sent();
  h.Notice(/*superseded=*/true);
  h.Notice(/*superseded=*/false);
  EXPECT_FALSE(h.session.wants_reconnect(h.now)) << "what is in flight is settled first";
  h.RefusePositions(1, 1, "a12");
  EXPECT_TRUE(h.session.wants_reconnect(h.now));
  h.Reconnect(Welcome::FOUND_NEW, 0, "a12 b1");
  EXPECT_FALSE(h.session.status().superseded);
  EXPECT_EQ(h.Directions(), "3 all: a12 b1");
}

TEST(LogSuperseding, ARefusalMeanwhileThatIsNotOfPositionsAsks) {
  LogSessionHarness h;
  h.Begin("a10");
  h.Push("a10-12");
  h.Sent();
  h.Notice(/*superseded=*/true);
  h.Notice(/*superseded=*/false);
  h.Refuse(1, Refusal::REASON_SEQUENCE);
  EXPECT_TRUE(h.session.wants_reconnect(h.now)) << "it is not sent again";
  h.Reconnect(Welcome::FOUND_KNOWN, 0, "a10");
  EXPECT_TRUE(h.session.wants_reconnect(h.now));
  h.Reconnect(Welcome::FOUND_NEW, 0, "a10");
  EXPECT_EQ(h.Sent(), "F1r0");
}

TEST(LogMoving, PositionsGoAlong) {
  LogSessionHarness h;
  GatewayMove move("old:1", absl::Minutes(10), h.session, h.ring);
  h.Begin("a10 b1 q5");
  h.Push("a10-12");
  h.Sent();
  move.To("new:1", h.now);
  h.Push("a12-13 c*0-9");
  EXPECT_EQ(h.Sent(), "");
  h.Ack(1, 1);
  EXPECT_TRUE(move.Step(h.now));
  h.store_id = "new";
  // b was read there before, in an earlier time; q stands there as it should.
  h.Reconnect(Welcome::FOUND_NEW, 0, "b0 q5");
  EXPECT_EQ(h.Directions(), "none");
  EXPECT_EQ(h.Sent(), "X(b) O(a12 b1 c0) F1r0");
  h.Reconnect(Welcome::FOUND_KNOWN, 0, "a12 b1 c0 q5");
  EXPECT_EQ(h.Directions(), "none");
  EXPECT_EQ(h.Sent(), "F1r0");
  h.Ack(1);
  h.Push("b1-2");
  EXPECT_EQ(h.Sent(), "F2r0");
}

TEST(LogMoving, NothingIsTakenFromASuccessorThere) {
  LogSessionHarness h;
  GatewayMove move("old:1", absl::Minutes(10), h.session, h.ring);
  h.Begin("b1");
  move.To("new:1", h.now);
  EXPECT_TRUE(move.Step(h.now));
  h.Disconnect();
  h.Connect();
  h.Welcome(Welcome::FOUND_NEW, 0);
  h.Reconnect(Welcome::FOUND_KNOWN, 0, "b9", 0, /*superseded=*/true);
  EXPECT_EQ(h.Sent(), "D") << "no retirement and no offer";
  EXPECT_EQ(h.Directions(), "none");
}

TEST(LogDraining, SaysDrainedAfterTheLastFrame) {
  LogSessionHarness h;
  h.Begin("a0");
  h.Push("a0-1");
  h.session.Drain();
  h.session.EndInput();
  EXPECT_EQ(h.Sent(), "F1r0 D");
  h.Disconnect();
  EXPECT_EQ(h.Connect(), "H(1-1 0 0 draining)");
}

}  // namespace
}  // namespace ampari
