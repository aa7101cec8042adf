// Positions of log files: compare-and-set in the batch that stores the lines, rounds, and what
// survives a restart.
#include "gateway/store/log_positions.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/status_matchers.h"
#include "tests/unit/gateway/store/store_rig.h"

namespace ampari {
namespace {

std::string Key(char c) { return std::string(kLogFileKeyBytes, c); }

LogFilePart Part(char key, uint64_t from, uint64_t upto, bool first = false) {
  return {Key(key), first, {from, from}, {upto, upto}, first ? "shop_web-0/istio-proxy" : ""};
}

class LogPositionsTest : public testing::Test {
 protected:
  LogPositionsTest() {
    rig_.Open();
    Apply();
  }
  void Apply() {
    const QueueTopology logs{"t", Signal::kLogs, 0, {{"region", false}}};
    ASSERT_THAT(rig_.store().Apply({logs}, {}), IsOk());
  }
  void Reopen() {
    rig_.Close();
    rig_.Open();
  }
  HelloRequest Hello(const std::string& forwarder = "node", char instance = 'a') {
    HelloRequest hello = HelloOf(forwarder, instance);
    hello.signal = Signal::kLogs;
    return hello;
  }
  void Submit(StoreRig::Stream& stream, uint64_t sequence, std::vector<LogFilePart> files,
              uint32_t round = 0) {
    LogFrameBuilder builder;
    builder.BeginStream({{"a", "b"}});
    builder.AddLine(1, "line");
    for (const LogFilePart& file : files) builder.AddFile(file);
    auto bytes = std::make_shared<std::string>(builder.Finish(sequence));
    FrameArrival frame;
    frame.sequence = sequence;
    frame.items = 1;
    frame.bytes = {{*bytes}, bytes};
    frame.round = round;
    frame.files = std::move(files);
    rig_.store().SubmitFrame(stream.id, std::move(frame));
  }
  void Store(StoreRig::Stream& stream, uint64_t sequence, std::vector<LogFilePart> files,
             uint32_t round = 0) {
    Submit(stream, sequence, std::move(files), round);
    stream.sink->WaitDurable(sequence);
  }
  std::map<std::string, uint64_t> Positions(const WelcomeReply& welcome) {
    std::map<std::string, uint64_t> out;
    for (const StoredPosition& position : *welcome.positions) out[position.key] = position.at.out;
    return out;
  }
  std::map<std::string, uint64_t> PositionsNow(const std::string& forwarder = "node") {
    return Positions(rig_.Connect(Hello(forwarder, 'z')).welcome);
  }
  using Expected = std::map<std::string, uint64_t>;

  StoreRig rig_;
};

TEST_F(LogPositionsTest, FramesMoveThemAndTheNextWelcomeTells) {
  StoreRig::Stream stream = rig_.Connect(Hello());
  EXPECT_EQ(Positions(stream.welcome), Expected());
  Store(stream, 1, {Part('x', 0, 100, true), Part('y', 50, 60, true)});
  Store(stream, 2, {Part('x', 100, 250)});
  EXPECT_EQ(PositionsNow(), (Expected{{Key('x'), 250}, {Key('y'), 60}}));
  EXPECT_EQ(PositionsNow("another"), Expected());
  Reopen();
  EXPECT_EQ(PositionsNow(), (Expected{{Key('x'), 250}, {Key('y'), 60}}));
}

TEST_F(LogPositionsTest, AFrameThatBeginsElsewhereIsRefusedWhole) {
  struct Row {
    const char* what;
    LogFilePart part;
    bool known;
    uint64_t stored;
  };
  const Row rows[] = {{"behind", Part('x', 90, 110), true, 100},
                      {"ahead", Part('x', 110, 120), true, 100},
                      {"as if it were new", Part('x', 0, 10, true), true, 100},
                      {"unknown", Part('n', 0, 10), false, 0}};
  for (const Row& row : rows) {
    StoreRig::Stream stream = rig_.Connect(Hello(row.what));
    Store(stream, 1, {Part('x', 0, 100, true), Part('y', 0, 7, true)});
    Submit(stream, 2, {Part('y', 7, 8), row.part});
    const FrameRefusal refusal = stream.sink->WaitRefusal();
    EXPECT_EQ(refusal.reason, FrameRefusal::Reason::kPosition) << row.what;
    EXPECT_EQ(refusal.sequence, 2u);
    EXPECT_EQ(refusal.round, 1u);
    ASSERT_EQ(refusal.files.size(), 1u) << row.what;
    EXPECT_EQ(refusal.files[0].key, row.part.key);
    EXPECT_EQ(refusal.files[0].known, row.known) << row.what;
    EXPECT_EQ(refusal.files[0].stored.out, row.stored) << row.what;
    EXPECT_EQ(stream.sink->durable(), 1u) << "the mark stays";
    EXPECT_EQ(PositionsNow(row.what), (Expected{{Key('x'), 100}, {Key('y'), 7}})) << row.what;
  }
}

TEST_F(LogPositionsTest, FramesOfLowerRoundsAreIgnored) {
  StoreRig::Stream stream = rig_.Connect(Hello());
  Store(stream, 1, {Part('x', 0, 100, true)});
  Submit(stream, 2, {Part('x', 50, 60)});
  Submit(stream, 3, {Part('x', 100, 110)});  // on its way before the refusal was known
  Submit(stream, 2, {Part('x', 100, 110)});
  stream.sink->WaitRefusal();
  Store(stream, 2, {Part('x', 100, 200)}, 1);
  Submit(stream, 3, {Part('x', 0, 1)}, 1);
  EXPECT_EQ(stream.sink->WaitRefusal().round, 2u) << "only one refusal came before";
  EXPECT_EQ(PositionsNow(), (Expected{{Key('x'), 200}}));
}

TEST_F(LogPositionsTest, TwoInstancesCannotDoubleALine) {
  StoreRig::Stream older = rig_.Connect(Hello("node", 'a'));
  StoreRig::Stream newer = rig_.Connect(Hello("node", 'b'));
  Store(older, 1, {Part('x', 0, 100, true)});
  Submit(newer, 1, {Part('x', 0, 100, true)});
  EXPECT_EQ(newer.sink->WaitRefusal().files[0].stored.out, 100u);
  Store(newer, 1, {Part('x', 100, 150)}, 1);
  Submit(older, 2, {Part('x', 100, 150)});
  EXPECT_EQ(older.sink->WaitRefusal().files[0].stored.out, 150u);
}

TEST_F(LogPositionsTest, RetiredFilesAreForgottenForGood) {
  StoreRig::Stream stream = rig_.Connect(Hello());
  Store(stream, 1, {Part('x', 0, 100, true), Part('y', 0, 100, true)});
  rig_.store().SubmitRetireFiles(stream.id, {Key('x'), Key('n')});
  Store(stream, 2, {Part('y', 100, 101)});
  EXPECT_EQ(PositionsNow(), (Expected{{Key('y'), 101}}));
  Reopen();
  EXPECT_EQ(PositionsNow(), (Expected{{Key('y'), 101}}));
}

// The name of a file is a path of the node: any bytes, cut at a bound.
TEST_F(LogPositionsTest, ANameIsOfAnyBytes) {
  StoreRig::Stream stream = rig_.Connect(Hello());
  LogFilePart file = Part('x', 0, 100, true);
  file.name = "caf\xc3";
  Store(stream, 1, {file});
  Submit(stream, 2, {Part('x', 7, 8)});
  EXPECT_EQ(stream.sink->WaitRefusal().message,
            "1 files do not begin where they are stored; the first, \"caf\\xc3\", at 100 and 100");
  Reopen();
  EXPECT_EQ(PositionsNow(), (Expected{{Key('x'), 100}}));
}

TEST_F(LogPositionsTest, OffersAreTakenOverForUnknownFilesOnly) {
  StoreRig::Stream stream = rig_.Connect(Hello());
  Store(stream, 1, {Part('x', 0, 100, true)});
  rig_.store().SubmitOffer(stream.id, {{Key('x'), {7, 7}}, {Key('o'), {500, 500}}});
  Store(stream, 2, {Part('o', 500, 600)});
  EXPECT_EQ(PositionsNow(), (Expected{{Key('o'), 600}, {Key('x'), 100}}));
}

// What a message came in counts as waiting until then, so that a flood of them is not read.
TEST_F(LogPositionsTest, OffersAndRetirementsKeepTheirOwnersUntilTheyAreCommitted) {
  StoreRig::Stream stream = rig_.Connect(Hello());
  auto offer = std::make_shared<int>(), retirement = std::make_shared<int>();
  const std::weak_ptr<int> offered = offer, retired = retirement;
  rig_.store().SubmitOffer(stream.id, {{Key('o'), {5, 5}}}, std::move(offer));
  rig_.store().SubmitRetireFiles(stream.id, {Key('n')}, std::move(retirement));
  Store(stream, 1, {Part('o', 5, 6)});
  rig_.WaitUntil([&] { return offered.expired() && retired.expired(); });
}

TEST_F(LogPositionsTest, ProducersAreForgottenByAgeButNotWhileConnected) {
  StoreRig::Stream stays = rig_.Connect(Hello("stays"));
  StoreRig::Stream goes = rig_.Connect(Hello("goes"));
  Store(stays, 1, {Part('x', 0, 100, true)});
  Store(goes, 1, {Part('x', 0, 100, true)});
  rig_.store().CloseStream(goes.id);
  for (int day = 0; day < 5; ++day) {
    const uint64_t before = rig_.store().status().commits_total;
    rig_.clock().Advance(absl::Hours(24));
    rig_.WaitUntil([&] { return rig_.store().status().commits_total > before; });
  }
  EXPECT_EQ(PositionsNow("goes"), Expected());
  EXPECT_EQ(PositionsNow("stays"), (Expected{{Key('x'), 100}}));
}

TEST_F(LogPositionsTest, TheWelcomeTellsTheProducersAge) {
  rig_.Connect(Hello());
  rig_.clock().Advance(absl::Minutes(90));
  EXPECT_EQ(rig_.Connect(Hello("node", 'b')).welcome.producer_age_ms, 90u * 60 * 1000);
}

TEST(LogPositions, ABoundOnFiles) {
  LogProducer producer;
  for (size_t i = 0; i < kMaxPositionsPerProducer; ++i) {
    std::string key = std::to_string(i);
    key.resize(kLogFileKeyBytes, ' ');
    producer.files[key] = {};
  }
  EXPECT_FALSE(LogPositions::HasRoom(producer, {Part('x', 0, 1, true)}));
  EXPECT_TRUE(LogPositions::Adopt(producer, {{Key('x'), {}}}).empty());
  std::string known = "7";
  known.resize(kLogFileKeyBytes, ' ');
  EXPECT_TRUE(LogPositions::HasRoom(producer, {{known, false, {}, {}, ""}}));
}

}  // namespace
}  // namespace ampari
