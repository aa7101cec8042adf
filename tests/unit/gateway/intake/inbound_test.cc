#include "gateway/intake/inbound.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <string>
#include <vector>

#include "ampari/v1/shipping.pb.h"
#include "common/frame/frame.h"
#include "common/frame/log_frame.h"
#include "tests/support/status_matchers.h"

namespace ampari {
namespace {

using testing::HasSubstr;
using testing::Not;

v1::Hello GoodHello() {
  v1::Hello hello;
  hello.set_protocol_version(1);
  hello.set_forwarder_name("node-1");
  hello.set_instance(std::string(16, 'i'));
  hello.set_signal(v1::SIGNAL_METRICS);
  return hello;
}

absl::StatusOr<HelloRequest> Parse(const v1::Hello& hello) {
  v1::ForwarderMessage message;
  *message.mutable_hello() = hello;
  const std::string bytes = message.SerializeAsString();
  return ParseHello({bytes});
}

TEST(ParseHello, TakesEveryField) {
  v1::Hello hello = GoodHello();
  hello.set_draining(true);
  hello.set_first_sequence(5);
  hello.set_last_sequence(9);
  hello.set_first_waited_ms(1000);
  hello.set_last_waited_ms(uint64_t{1} << 60);
  hello.set_acknowledged(4);
  hello.set_settled(3);
  hello.set_store_id(std::string(16, 's'));
  const absl::StatusOr<HelloRequest> request = Parse(hello);
  ASSERT_THAT(request, IsOk());
  EXPECT_EQ(request->forwarder_name, "node-1");
  EXPECT_EQ(request->instance_id, std::string(16, 'i'));
  EXPECT_EQ(request->signal, Signal::kMetrics);
  EXPECT_TRUE(request->draining);
  EXPECT_EQ(request->first_sequence, 5u);
  EXPECT_EQ(request->last_sequence, 9u);
  EXPECT_EQ(request->first_waited_ms, 1000u);
  EXPECT_EQ(request->last_waited_ms, kMaxWaitedMs) << "clamped";
  EXPECT_EQ(request->acknowledged, 4u);
  EXPECT_EQ(request->settled, 3u);
  EXPECT_EQ(request->store_id, std::string(16, 's'));
  EXPECT_EQ(request->entry, "") << "identity never comes from the message";
}

TEST(ParseHello, NamesWhatIsWrongAndRepeatsNothing) {
  const struct {
    const char* name;
    std::function<void(v1::Hello&)> spoil;
    absl::StatusCode code;
    const char* words;
  } kRows[] = {
      {"version 0", [](v1::Hello& h) { h.set_protocol_version(0); },
       absl::StatusCode::kFailedPrecondition, "version"},
      {"version 2", [](v1::Hello& h) { h.set_protocol_version(2); },
       absl::StatusCode::kFailedPrecondition, "version"},
      {"no signal", [](v1::Hello& h) { h.clear_signal(); }, absl::StatusCode::kInvalidArgument,
       "signal"},
      {"signal 3", [](v1::Hello& h) { h.set_signal(static_cast<v1::Signal>(3)); },
       absl::StatusCode::kInvalidArgument, "signal"},
      {"no name", [](v1::Hello& h) { h.clear_forwarder_name(); },
       absl::StatusCode::kInvalidArgument, "forwarder_name"},
      {"long name", [](v1::Hello& h) { h.set_forwarder_name(std::string(254, 'x')); },
       absl::StatusCode::kInvalidArgument, "forwarder_name"},
      {"line in name", [](v1::Hello& h) { h.set_forwarder_name("canary\nx"); },
       absl::StatusCode::kInvalidArgument, "forwarder_name"},
      {"space in name", [](v1::Hello& h) { h.set_forwarder_name("canary x"); },
       absl::StatusCode::kInvalidArgument, "forwarder_name"},
      {"NUL in name", [](v1::Hello& h) { h.set_forwarder_name(std::string("canary\0", 7)); },
       absl::StatusCode::kInvalidArgument, "forwarder_name"},
      {"not ASCII", [](v1::Hello& h) { h.set_forwarder_name("canary\xc3\xa9"); },
       absl::StatusCode::kInvalidArgument, "forwarder_name"},
      {"short instance", [](v1::Hello& h) { h.set_instance(std::string(15, 'c')); },
       absl::StatusCode::kInvalidArgument, "instance"},
      {"long instance", [](v1::Hello& h) { h.set_instance(std::string(17, 'c')); },
       absl::StatusCode::kInvalidArgument, "instance"},
      {"no instance", [](v1::Hello& h) { h.clear_instance(); }, absl::StatusCode::kInvalidArgument,
       "instance"},
      {"short store id", [](v1::Hello& h) { h.set_store_id("canary"); },
       absl::StatusCode::kInvalidArgument, "store_id"},
      {"long version", [](v1::Hello& h) { h.set_version(std::string(129, 'x')); },
       absl::StatusCode::kInvalidArgument, "version"},
      {"tab in version", [](v1::Hello& h) { h.set_version("canary\t"); },
       absl::StatusCode::kInvalidArgument, "version"},
      {"65 capabilities",
       [](v1::Hello& h) {
         for (int i = 0; i < 65; ++i) h.add_capabilities("c");
       },
       absl::StatusCode::kInvalidArgument, "capabilities"},
      {"long capability", [](v1::Hello& h) { h.add_capabilities(std::string(65, 'c')); },
       absl::StatusCode::kInvalidArgument, "capability"},
      {"only first", [](v1::Hello& h) { h.set_first_sequence(1); },
       absl::StatusCode::kInvalidArgument, "first_sequence"},
      {"only last", [](v1::Hello& h) { h.set_last_sequence(1); },
       absl::StatusCode::kInvalidArgument, "last_sequence"},
      {"turned round",
       [](v1::Hello& h) {
         h.set_first_sequence(3);
         h.set_last_sequence(2);
       },
       absl::StatusCode::kInvalidArgument, "first_sequence"},
      {"settled first", [](v1::Hello& h) { h.set_settled(1); }, absl::StatusCode::kInvalidArgument,
       "settled"},
      {"no store", [](v1::Hello& h) { h.set_acknowledged(1); }, absl::StatusCode::kInvalidArgument,
       "store_id"},
      {"too long", [](v1::Hello& h) { h.set_version(std::string(20000, 'x')); },
       absl::StatusCode::kResourceExhausted, "hello"},
  };
  EXPECT_THAT(Parse(GoodHello()), IsOk());
  for (const auto& row : kRows) {
    v1::Hello hello = GoodHello();
    row.spoil(hello);
    const absl::StatusOr<HelloRequest> request = Parse(hello);
    EXPECT_THAT(request, StatusIs(row.code, HasSubstr(row.words))) << row.name;
    EXPECT_THAT(std::string(request.status().message()), Not(HasSubstr("canary"))) << row.name;
  }
}

TEST(ParseHello, OtherMessagesAreNoHello) {
  v1::ForwarderMessage message;
  message.mutable_drained();
  EXPECT_THAT(ParseHello({message.SerializeAsString()}),
              StatusIs(absl::StatusCode::kFailedPrecondition));
  EXPECT_THAT(ParseHello({"\xff\xff\xff"}), StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_FALSE(ParseHello({}).ok());
}

// A frame of one scrape with a body layout of three series.
std::string Frame(uint64_t sequence) {
  Scrape scrape;
  scrape.timestamp_ms = 1'700'000'000'000;
  scrape.body_layout = 1;
  scrape.body_values = {1, 2, 3};
  FrameBuilder builder;
  builder.Add(scrape, 3);
  return builder.Finish(sequence);
}

FrameCheck Check(const std::string& frame, size_t cut, const IntakeLimits& limits = {}) {
  MessageView view;
  view.kind = MessageKind::kFrame;
  view.waited_ms = 17;
  const std::string_view bytes(frame);
  view.body = {bytes.substr(0, cut), bytes.substr(cut)};
  return CheckFrame(view, Signal::kMetrics, limits, 77);
}

TEST(CheckFrame, TakesAFrameCutAnywhere) {
  const std::string frame = Frame(5);
  for (size_t cut = 0; cut <= frame.size(); ++cut) {
    const FrameCheck check = Check(frame, cut);
    ASSERT_FALSE(check.refused) << cut << ": " << check.refusal.message;
    EXPECT_EQ(check.arrival.sequence, 5u);
    EXPECT_EQ(check.arrival.items, 3u);
    EXPECT_EQ(check.arrival.waited_ms, 17u);
  }
}

TEST(CheckFrame, EveryFlippedBitIsMalformed) {
  const std::string frame = Frame(5);
  for (size_t bit = 0; bit < frame.size() * 8; ++bit) {
    std::string flipped = frame;
    flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << (bit % 8)));
    const FrameCheck check = Check(flipped, 40);
    ASSERT_TRUE(check.refused) << "bit " << bit;
    EXPECT_EQ(check.refusal.reason, FrameRefusal::Reason::kMalformed) << "bit " << bit;
    EXPECT_FALSE(check.refusal.message.empty());
  }
}

TEST(CheckFrame, EveryTruncationIsMalformed) {
  const std::string frame = Frame(5);
  for (size_t size = 0; size < frame.size(); ++size) {
    const FrameCheck check = Check(frame.substr(0, size), size / 2);
    ASSERT_TRUE(check.refused) << size;
    EXPECT_EQ(check.refusal.reason, FrameRefusal::Reason::kMalformed) << size;
    EXPECT_EQ(check.refusal.sequence, size < kFrameHeaderBytes ? 77u : 5u) << size;
  }
  EXPECT_TRUE(Check(frame + "x", 40).refused);
}

TEST(CheckFrame, OversizeIsNamedByItsSequence) {
  const std::string frame = Frame(5);
  IntakeLimits limits;
  limits.max_frame_bytes = frame.size();
  EXPECT_FALSE(Check(frame, 40, limits).refused);
  limits.max_frame_bytes = frame.size() - 1;
  const FrameCheck check = Check(frame, 40, limits);
  ASSERT_TRUE(check.refused);
  EXPECT_EQ(check.refusal.reason, FrameRefusal::Reason::kOversize);
  EXPECT_EQ(check.refusal.sequence, 5u);
}

TEST(CheckFrame, ALogsStreamTakesNoMetrics) {
  const std::string frame = Frame(5);
  MessageView view;
  view.body = {frame};
  EXPECT_TRUE(CheckFrame(view, Signal::kLogs, {}, 1).refused);
}

std::string LogFrame(size_t files) {
  LogFrameBuilder builder;
  builder.BeginStream({{"a", "b"}});
  builder.AddLine(1, "line");
  for (size_t i = 0; i < files; ++i) {
    builder.AddFile({std::string(16, static_cast<char>('a' + i)), false, {0, 0}, {9, 9}, ""});
  }
  return builder.Finish(5);
}

TEST(CheckFrame, FramesOfLogsBringTheirFiles) {
  const std::string frame = LogFrame(2);
  for (size_t cut = 0; cut <= frame.size(); ++cut) {  // however they are spread over slices
    MessageView view;
    view.round = 3;
    view.body = {std::string_view(frame).substr(0, cut), std::string_view(frame).substr(cut)};
    const FrameCheck check = CheckFrame(view, Signal::kLogs, {}, 1);
    ASSERT_FALSE(check.refused) << check.refusal.message;
    EXPECT_EQ(check.arrival.round, 3u);
    ASSERT_EQ(check.arrival.files.size(), 2u);
    EXPECT_EQ(check.arrival.files[1].key, std::string(16, 'b'));
    EXPECT_EQ(check.arrival.files[1].upto, (LogPosition{9, 9}));
  }
}

TEST(CheckFrame, MoreLinesThanCouldBeDecodedAreMalformed) {
  std::string frame = LogFrame(1);
  FrameHeader header = *ParseFrameHeader(frame);
  header.items = kMaxLogLinesPerFrame + 1;
  SealFrame(header, &frame);
  MessageView view;
  view.body = {frame};
  const FrameCheck check = CheckFrame(view, Signal::kLogs, {}, 1);
  ASSERT_TRUE(check.refused);
  EXPECT_EQ(check.refusal.reason, FrameRefusal::Reason::kMalformed);
}

TEST(CheckFrame, PositionsThatCannotBeReadAreMalformed) {
  std::string frame = LogFrame(2);
  frame[kFrameHeaderBytes] = 'b';  // the second key again
  std::fill_n(frame.begin() + kFrameHeaderBytes, 16, 'b');
  SealFrame(*ParseFrameHeader(frame), &frame);
  MessageView view;
  view.body = {frame};
  const FrameCheck check = CheckFrame(view, Signal::kLogs, {}, 1);
  ASSERT_TRUE(check.refused);
  EXPECT_EQ(check.refusal.reason, FrameRefusal::Reason::kMalformed);
  EXPECT_THAT(check.refusal.message, HasSubstr("a file twice"));
}

TEST(ParseRetire, BlocksAndFiles) {
  v1::ForwarderMessage message;
  message.mutable_retire()->add_blocks(4);
  message.mutable_retire()->add_files(std::string(16, 'k'));
  const auto retired = ParseRetire({message.SerializeAsString()});
  ASSERT_THAT(retired, IsOk());
  EXPECT_EQ(retired->blocks, std::vector<uint64_t>{4});
  EXPECT_EQ(retired->files, std::vector<std::string>{std::string(16, 'k')});
  message.mutable_retire()->add_files("short");
  EXPECT_THAT(ParseRetire({message.SerializeAsString()}),
              StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST(ParseOffer, Positions) {
  v1::ForwarderMessage message;
  v1::FilePosition& file = *message.mutable_offer()->add_files();
  file.set_key(std::string(16, 'k'));
  file.set_out(7);
  file.set_err(8);
  const auto offered = ParseOffer({message.SerializeAsString()});
  ASSERT_THAT(offered, IsOk());
  ASSERT_EQ(offered->size(), 1u);
  EXPECT_EQ((*offered)[0].at, (LogPosition{7, 8}));
  file.set_key("short");
  EXPECT_THAT(ParseOffer({message.SerializeAsString()}),
              StatusIs(absl::StatusCode::kInvalidArgument));
}

absl::StatusOr<GapArrival> Gap(uint64_t first, std::vector<uint64_t> counts, int reason) {
  v1::ForwarderMessage message;
  message.mutable_gap()->set_first_sequence(first);
  for (const uint64_t count : counts) message.mutable_gap()->add_counts(count);
  message.mutable_gap()->set_reason(static_cast<v1::Gap::Reason>(reason));
  const std::string bytes = message.SerializeAsString();
  return ParseGap({bytes});
}

TEST(ParseGap, ReasonsAndBounds) {
  EXPECT_EQ(Gap(3, {1, 0, 2}, 1)->reason, "ring_full");
  EXPECT_EQ(Gap(3, {1}, 2)->reason, "oversize");
  EXPECT_EQ(Gap(3, {1}, 3)->reason, "malformed");
  EXPECT_EQ(Gap(3, {1, 0, 2}, 1)->counts, (std::vector<uint64_t>{1, 0, 2}));
  EXPECT_EQ(Gap(3, {1, 0, 2}, 1)->first_sequence, 3u);
  EXPECT_FALSE(Gap(0, {1}, 1).ok());
  EXPECT_FALSE(Gap(1, {}, 1).ok());
  EXPECT_FALSE(Gap(1, {1}, 0).ok());
  EXPECT_FALSE(Gap(1, {1}, 4).ok());
  EXPECT_FALSE(Gap(1, {kMaxItemsPerFrame + 1}, 1).ok()) << "would spoil the ledger";
  EXPECT_THAT(Gap(1, std::vector<uint64_t>(kMaxGapBytes, 1), 1),
              StatusIs(absl::StatusCode::kResourceExhausted));
}

TEST(CheckRegistration, OversizeAndMalformedEndTheStream) {
  MessageView view;
  view.kind = MessageKind::kRegistration;
  const std::string garbage(100, 'x');
  view.body = {garbage};
  EXPECT_THAT(CheckRegistration(view, {}), StatusIs(absl::StatusCode::kInvalidArgument));
  IntakeLimits limits;
  limits.max_registration_bytes = 99;
  EXPECT_THAT(CheckRegistration(view, limits), StatusIs(absl::StatusCode::kResourceExhausted));
}

}  // namespace
}  // namespace ampari
