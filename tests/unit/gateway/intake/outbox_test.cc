#include "gateway/intake/outbox.h"

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "ampari/v1/shipping.pb.h"

namespace ampari {
namespace {

class OutboxTest : public testing::Test {
 protected:
  // The next message as text, "" for none.
  std::string Next(int64_t ms) {
    const std::optional<std::string> bytes = outbox_.Next(absl::Milliseconds(ms), limits_);
    if (!bytes) return "";
    v1::GatewayMessage message;
    EXPECT_TRUE(message.ParseFromString(*bytes));
    return message.ShortDebugString();
  }
  void WelcomeAt(uint64_t mark, uint64_t settled) {
    WelcomeReply welcome;
    welcome.found = HelloFound::kKnown;
    welcome.store_id = "s";
    welcome.epoch = 7;
    welcome.mark = mark;
    welcome.settled = settled;
    outbox_.Welcome(welcome);
  }
  static FrameRefusal Refusal(uint64_t sequence, FrameRefusal::Reason reason, std::string message) {
    FrameRefusal refusal;
    refusal.sequence = sequence;
    refusal.reason = reason;
    refusal.message = std::move(message);
    return refusal;
  }
  Outbox outbox_;
  IntakeLimits limits_{
      .max_frame_bytes = 1, .max_registration_bytes = 2, .max_unacknowledged_bytes = 3};
};

TEST_F(OutboxTest, TheWelcomeComesFirstAndTellsTheLimits) {
  outbox_.Durable(9, 9);
  outbox_.Refuse(Refusal(3, FrameRefusal::Reason::kMalformed, "why"));
  WelcomeAt(5, 4);
  EXPECT_EQ(Next(0),
            "welcome { store_id: \"s\" epoch: 7 mark: 5 settled: 4 limits { max_frame_bytes: 1 "
            "max_registration_bytes: 2 max_unacknowledged_bytes: 3 } found: FOUND_KNOWN }");
  EXPECT_EQ(Next(0), "refusal { sequence: 3 reason: REASON_MALFORMED message: \"why\" }");
  EXPECT_EQ(Next(0), "") << "the welcome's own numbers need no acknowledgement";
}

TEST_F(OutboxTest, ANoticeThatIsThereFollowsTheWelcome) {
  WelcomeAt(0, 0);
  outbox_.Notice(false, true, false);
  EXPECT_NE(Next(0), "");
  EXPECT_EQ(Next(0), "notice { paused: true }");
}

TEST_F(OutboxTest, AcknowledgementsAreCumulative) {
  WelcomeAt(0, 0);
  Next(0);
  outbox_.Durable(1, 0);
  outbox_.Durable(2, 0);
  outbox_.Durable(3, 1);
  EXPECT_EQ(Next(1), "ack { durable: 3 settled: 1 }");
  EXPECT_EQ(Next(1), "");
  EXPECT_FALSE(outbox_.HoldsBack());
}

TEST_F(OutboxTest, SettledAloneIsToldOncePerInterval) {
  WelcomeAt(5, 0);
  Next(0);
  outbox_.Durable(5, 1);
  EXPECT_EQ(Next(1000), "ack { durable: 5 settled: 1 }");
  outbox_.Durable(5, 2);
  EXPECT_EQ(Next(1099), "");
  EXPECT_TRUE(outbox_.HoldsBack());
  outbox_.Durable(5, 3);
  EXPECT_EQ(Next(1100), "ack { durable: 5 settled: 3 }");
  outbox_.Durable(5, 4);
  outbox_.Durable(6, 4);
  EXPECT_EQ(Next(1101), "ack { durable: 6 settled: 4 }")
      << "a new mark goes at once and takes settled with it";
}

TEST_F(OutboxTest, NoticesKeepTheLastStateAndRefusalsTheirOrder) {
  WelcomeAt(0, 0);
  Next(0);
  outbox_.Notice(false, true, true);
  outbox_.Notice(true, false, true);
  outbox_.Refuse(Refusal(1, FrameRefusal::Reason::kOversize, ""));
  outbox_.Refuse(Refusal(2, FrameRefusal::Reason::kSequence, ""));
  EXPECT_EQ(Next(0), "notice { superseded: true admitted: true }");
  EXPECT_EQ(Next(0), "refusal { sequence: 1 reason: REASON_OVERSIZE }");
  EXPECT_EQ(Next(0), "refusal { sequence: 2 reason: REASON_SEQUENCE }");
  EXPECT_EQ(Next(0), "");
}

TEST_F(OutboxTest, RefusalsAreBounded) {
  WelcomeAt(0, 0);
  Next(0);
  for (uint64_t i = 1; i <= kMaxWaitingRefusals + 10; ++i) {
    outbox_.Refuse(Refusal(i, FrameRefusal::Reason::kSequence, ""));
  }
  size_t told = 0;
  while (!Next(0).empty()) ++told;
  EXPECT_EQ(told, kMaxWaitingRefusals);
}

TEST_F(OutboxTest, PositionsFollowTheWelcomeInPieces) {
  WelcomeReply welcome;
  auto positions = std::make_shared<std::vector<StoredPosition>>(kPositionsPerMessage + 1);
  for (StoredPosition& position : *positions) position = {std::string(16, 'k'), {1, 2}};
  welcome.positions = positions;
  welcome.producer_age_ms = 90;
  outbox_.Welcome(welcome);
  outbox_.Notice(true, false, true);
  EXPECT_NE(Next(0).find("producer_age_ms: 90"), std::string::npos);
  v1::GatewayMessage message;
  ASSERT_TRUE(message.ParseFromString(*outbox_.Next({}, limits_)));
  EXPECT_EQ(message.positions().files_size(), static_cast<int>(kPositionsPerMessage));
  EXPECT_FALSE(message.positions().complete());
  EXPECT_EQ(Next(0),
            "positions { files { key: \"kkkkkkkkkkkkkkkk\" out: 1 err: 2 } complete: true }");
  EXPECT_EQ(Next(0), "notice { superseded: true admitted: true }");
}

TEST_F(OutboxTest, AProducerWithoutFilesIsToldSo) {
  WelcomeReply welcome;
  welcome.positions = std::make_shared<const std::vector<StoredPosition>>();
  outbox_.Welcome(welcome);
  EXPECT_NE(Next(0), "");
  EXPECT_EQ(Next(0), "positions { complete: true }");
  EXPECT_EQ(Next(0), "");
}

TEST_F(OutboxTest, ARefusalNamesTheFilesAndTheRound) {
  WelcomeAt(0, 0);
  Next(0);
  FrameRefusal refusal = Refusal(4, FrameRefusal::Reason::kPosition, "moved");
  refusal.round = 2;
  refusal.files = {{std::string(16, 'k'), true, {7, 8}}, {std::string(16, 'n'), false, {}}};
  outbox_.Refuse(refusal);
  EXPECT_EQ(
      Next(0),
      "refusal { sequence: 4 reason: REASON_POSITION message: \"moved\" round: 2 files { key: "
      "\"kkkkkkkkkkkkkkkk\" known: true out: 7 err: 8 } files { key: \"nnnnnnnnnnnnnnnn\" } }");
}

// Each names up to 65,536 files; a forwarder that has not heard of the last round sends none of it.
TEST_F(OutboxTest, OneRefusalOfPositionsWaits) {
  WelcomeAt(0, 0);
  Next(0);
  outbox_.Refuse(Refusal(3, FrameRefusal::Reason::kOversize, "large"));
  for (uint32_t round = 1; round <= 3; ++round) {
    FrameRefusal refusal = Refusal(4, FrameRefusal::Reason::kPosition, "moved");
    refusal.round = round;
    outbox_.Refuse(refusal);
  }
  EXPECT_EQ(Next(0), "refusal { sequence: 3 reason: REASON_OVERSIZE message: \"large\" }");
  EXPECT_EQ(Next(0), "refusal { sequence: 4 reason: REASON_POSITION message: \"moved\" round: 3 }");
  EXPECT_EQ(Next(0), "");
}

}  // namespace
}  // namespace ampari
