// The view of a ForwarderMessage against protobuf's own encoder, however the bytes are cut.
#include "common/frame/wire.h"

#include <gtest/gtest.h>

#include "ampari/v1/shipping.pb.h"

namespace ampari {
namespace {

std::vector<std::string_view> CutEvery(std::string_view bytes, size_t size) {
  std::vector<std::string_view> pieces = {{}};
  for (; !bytes.empty(); bytes.remove_prefix(std::min(size, bytes.size()))) {
    pieces.push_back(bytes.substr(0, size));
    pieces.emplace_back();
  }
  return pieces;
}

TEST(Wire, FrameIsFoundHoweverItIsCut) {
  v1::ForwarderMessage message;
  message.set_waited_ms(86400000);
  message.set_round(3);
  message.set_frame(std::string(300, 'f') + "end");
  const std::string bytes = message.SerializeAsString();
  for (size_t size = 1; size <= bytes.size(); ++size) {
    const auto pieces = CutEvery(bytes, size);
    const auto view = ParseForwarderMessage(pieces);
    ASSERT_TRUE(view.ok()) << view.status();
    EXPECT_EQ(view->kind, MessageKind::kFrame);
    EXPECT_EQ(view->waited_ms, 86400000u);
    EXPECT_EQ(view->round, 3u);
    EXPECT_EQ(JoinPieces(view->body), message.frame());
  }
}

TEST(Wire, PrefixAndBytesAreWhatProtobufWrites) {
  for (const uint64_t waited : {0, 1, 300, 86400000}) {
    for (const uint32_t round : {0u, 1u, 4000000000u}) {
      v1::ForwarderMessage message;
      message.set_waited_ms(waited);
      message.set_round(round);
      message.set_frame("0123456789");
      EXPECT_EQ(EncodeFramePrefix(waited, round, 10) + "0123456789", message.SerializeAsString());
    }
  }
  v1::ForwarderMessage message;
  message.set_registration("block");
  EXPECT_EQ(EncodeRegistrationPrefix(5) + "block", message.SerializeAsString());
}

TEST(Wire, OtherKindsAreNamed) {
  v1::ForwarderMessage hello, retire, gap, drained, registration, offer;
  hello.mutable_hello()->set_forwarder_name("node");
  retire.mutable_retire()->add_blocks(1);
  gap.mutable_gap()->set_first_sequence(2);
  gap.set_waited_ms(9);
  drained.mutable_drained();
  registration.set_registration("block");
  offer.mutable_offer();
  const std::pair<const v1::ForwarderMessage*, MessageKind> rows[] = {
      {&hello, MessageKind::kHello},
      {&retire, MessageKind::kRetire},
      {&gap, MessageKind::kGap},
      {&drained, MessageKind::kDrained},
      {&registration, MessageKind::kRegistration},
      {&offer, MessageKind::kOffer}};
  for (const auto& [message, kind] : rows) {
    const std::string bytes = message->SerializeAsString();
    const std::vector<std::string_view> pieces = {bytes};
    const auto view = ParseForwarderMessage(pieces);
    ASSERT_TRUE(view.ok()) << message->ShortDebugString();
    EXPECT_EQ(view->kind, kind);
    EXPECT_EQ(view->waited_ms, message->waited_ms());
    EXPECT_EQ(JoinPieces(view->body), message->registration());
  }
}

TEST(Wire, MalformedOrAmbiguousMessagesAreRefused) {
  const std::pair<const char*, std::string> rows[] = {
      {"empty", ""},
      {"no kind", std::string("\x20\1", 2)},
      {"two frames", std::string("\x32\1x\x32\1x", 6)},
      {"frame and drained", std::string("\x32\1x\x42\0", 5)},
      {"a frame that is cut", std::string("\x32\2x", 3)},
      {"a length that is cut", std::string("\x32\x80", 2)},
      {"a length beyond 64 bits", std::string("\x32\xff\xff\xff\xff\xff\xff\xff\xff\xff\2", 11)},
      {"field 0", std::string("\2\0\x32\1x", 5)},
      {"a group", std::string("\x4b\x4c\x32\1x", 5)},
  };
  for (const auto& [what, bytes] : rows) {
    const std::vector<std::string_view> pieces = {bytes};
    EXPECT_TRUE(absl::IsInvalidArgument(ParseForwarderMessage(pieces).status())) << what;
  }
}

TEST(Wire, UnknownFieldsArePassedOver) {
  // Field 15 as varint, 64 bits, bytes and 32 bits around a frame.
  const std::string bytes = std::string(
      "\x78\5\x79"
      "12345678"
      "\x32\1x"
      "\x7a\2ab"
      "\x7d"
      "1234",
      23);
  const std::vector<std::string_view> pieces = {bytes};
  const auto view = ParseForwarderMessage(pieces);
  ASSERT_TRUE(view.ok()) << view.status();
  EXPECT_EQ(JoinPieces(view->body), "x");
}

}  // namespace
}  // namespace ampari
