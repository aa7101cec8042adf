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

// --- retired files

// a has frames of x in its ring when b, that read x to its end as well, says that x is gone.
class RetiredFilesTest : public LogPositionsTest {
 protected:
  RetiredFilesTest() {
    a_ = rig_.Connect(Hello("node", 'a'));
    b_ = rig_.Connect(Hello("node", 'b'));
    Store(a_, 1, {Part('y', 0, 1, true)});
    Store(b_, 1, {Part('x', 0, 100, true)});
    rig_.store().SubmitRetireFiles(b_.id, {Key('x')});
    Store(b_, 2, {Part('y', 1, 2)});
  }
  // Until housekeeping has written down something; nothing else may be on its way.
  void Pass(absl::Duration time) {
    const uint64_t before = rig_.store().status().commits_total;
    rig_.clock().Advance(time);
    rig_.WaitUntil([&] { return rig_.store().status().commits_total > before; });
  }
  StoreRig::Stream a_, b_;
};

class RetiredFilesRuns : public RetiredFilesTest, public testing::WithParamInterface<bool> {
 protected:
  // The retirement is that of a run before.
  void MaybeRestart() {
    if (!GetParam()) return;
    Reopen();
    a_ = rig_.Connect(Hello("node", 'a'));
    b_ = rig_.Connect(Hello("node", 'b'));
  }
};

TEST_P(RetiredFilesRuns, AreKnownToTheOthers) {
  MaybeRestart();
  EXPECT_EQ(PositionsNow(), (Expected{{Key('y'), 2}})) << "a welcome does not tell them";
  Submit(a_, 2, {Part('x', 0, 100, true)});
  const FrameRefusal late = a_.sink->WaitRefusal();
  ASSERT_EQ(late.files.size(), 1u);
  EXPECT_TRUE(late.files[0].known);
  EXPECT_EQ(late.files[0].stored.out, 100u);
  EXPECT_THAT(late.message, testing::HasSubstr("\"shop_web-0/istio-proxy\", at 100 and 100"));
  Submit(a_, 2, {Part('x', 50, 100)}, 1);
  EXPECT_EQ(a_.sink->WaitRefusal().files[0].stored.out, 100u);
  rig_.store().SubmitOffer(a_.id, {{Key('x'), {50, 50}}});
  Store(a_, 2, {Part('x', 100, 120)}, 2);  // it was not gone after all
  EXPECT_EQ(PositionsNow(), (Expected{{Key('x'), 120}, {Key('y'), 2}}));
}

TEST_P(RetiredFilesRuns, AreUnknownToWhoRetiredThem) {
  MaybeRestart();
  Submit(b_, 3, {Part('x', 100, 110)});
  EXPECT_FALSE(b_.sink->WaitRefusal().files[0].known);
  Store(b_, 3, {Part('x', 0, 7, true)}, 1);  // another file that begins as the old one did
  EXPECT_EQ(PositionsNow(), (Expected{{Key('x'), 7}, {Key('y'), 2}}));
  Submit(a_, 2, {Part('x', 0, 100, true)});
  EXPECT_EQ(a_.sink->WaitRefusal().files[0].stored.out, 7u);
}

// It may be an older one that has taken a new id.
TEST_P(RetiredFilesRuns, AreKnownToWhoComesLater) {
  MaybeRestart();
  rig_.clock().Advance(absl::Hours(1));
  StoreRig::Stream later = rig_.Connect(Hello("node", 'd'));
  Submit(later, 1, {Part('x', 0, 100, true)});
  EXPECT_TRUE(later.sink->WaitRefusal().files[0].known);
  rig_.store().SubmitOffer(later.id, {{Key('x'), {30, 30}}});
  Submit(later, 1, {Part('x', 30, 40)}, 1);
  EXPECT_EQ(later.sink->WaitRefusal().files[0].stored.out, 100u);
}

// The one that came soon may have waited for the gateway with the file open.
TEST_F(RetiredFilesTest, AreKeptForWhoComesSoon) {
  rig_.clock().Advance(absl::Seconds(50));
  StoreRig::Stream soon = rig_.Connect(Hello("node", 'c'));
  rig_.store().SubmitDrained(a_.id);
  rig_.store().CloseStream(a_.id);
  rig_.store().CloseStream(soon.id);
  Store(b_, 3, {Part('y', 2, 3)});
  Pass(absl::Hours(5));  // the contact of the connected is noted
  soon = rig_.Connect(Hello("node", 'c'));
  Submit(soon, 1, {Part('x', 0, 100, true)});
  EXPECT_TRUE(soon.sink->WaitRefusal().files[0].known);
}

// That they are gone shows when a process sends what it may not have any more.
TEST_F(RetiredFilesTest, StayUntilTheOthersHaveDrained) {
  Pass(absl::Hours(24));  // the contact of the connected is noted
  Submit(a_, 2, {Part('x', 0, 100, true)});
  EXPECT_TRUE(a_.sink->WaitRefusal().files[0].known) << "a is superseded and has not drained";
  rig_.store().SubmitDrained(a_.id);
  Store(b_, 3, {Part('y', 2, 3)});
  Pass(absl::Minutes(2));  // x is forgotten
  Store(a_, 2, {Part('x', 0, 100, true)}, 1);
}

TEST_F(RetiredFilesTest, AStoreRemembersWhoHasDrained) {
  rig_.store().SubmitDrained(a_.id);
  rig_.store().CloseStream(a_.id);
  Store(b_, 3, {Part('y', 2, 3)});
  rig_.Close();
  rig_.clock().Advance(absl::Minutes(2));
  rig_.Open();
  rig_.WaitUntil([&] { return rig_.store().status().commits_total > 0; });  // x is forgotten
  a_ = rig_.Connect(Hello("node", 'a'));
  Store(a_, 2, {Part('x', 0, 100, true)});
}

TEST_F(RetiredFilesTest, StayForAnHourWhereTheOtherIsConnected) {
  rig_.store().SubmitRetireFiles(a_.id, {Key('y')});
  rig_.store().CloseStream(b_.id);
  Store(a_, 2, {Part('z', 0, 1, true)});
  Pass(absl::Hours(5));  // the contact of the connected is noted
  b_ = rig_.Connect(Hello("node", 'b'));
  Submit(b_, 3, {Part('y', 1, 2)});
  EXPECT_TRUE(b_.sink->WaitRefusal().files[0].known) << "it has come back just now";
  Pass(absl::Hours(1));  // y is forgotten
  Submit(b_, 3, {Part('y', 1, 2)}, 1);
  EXPECT_FALSE(b_.sink->WaitRefusal().files[0].known);
}

INSTANTIATE_TEST_SUITE_P(All, RetiredFilesRuns, testing::Bool(), [](const auto& row) {
  return std::string(row.param ? "OverARestart" : "InOneRun");
});

TEST(RetiredFiles, WhoIsWaitedFor) {
  constexpr int64_t kRetiredMs = 1'000'000, kMinute = 60'000, kHour = 60 * kMinute;
  struct Row {
    const char* what;
    int64_t age_ms;
    std::vector<LateSpeaker> speakers;
    bool awaited;
  };
  const Row rows[] = {
      {"nobody, but one may come", kMinute - 1, {}, true},
      {"nobody", kMinute, {}, false},
      {"who retired it", 5 * kMinute, {{3, 0}}, false},
      {"an older one", 5 * kMinute, {{2, 0}, {3, 0}}, true},
      {"an older one, days later", 50 * kHour, {{2, 0}}, true},
      {"one that was there", 5 * kMinute, {{4, 0}}, true},
      {"one that came later", 5 * kMinute, {{5, 0}}, false},
      {"one that is connected", kHour - 1, {{4, 9 * kHour}}, true},
      {"one that has been connected since", kHour, {{4, 9 * kHour}}, false},
      {"one that came back", 9 * kHour, {{4, kHour - 1}}, true},
  };
  for (const Row& row : rows) {
    const RetiredFile file{{9, 9}, "", kRetiredMs, 3, 4};
    EXPECT_EQ(IsAwaited(file, row.speakers, kRetiredMs + row.age_ms), row.awaited) << row.what;
  }
}

TEST(RetiredFiles, TheOldestAreForgottenFirst) {
  LogProducer producer;
  const auto key_of = [](size_t i) {
    std::string key = std::to_string(i);
    key.resize(kLogFileKeyBytes, ' ');
    return key;
  };
  for (size_t i = 0; i <= kMaxRetiredPerProducer; ++i) {
    producer.files[key_of(i)] = {};
    EXPECT_TRUE(LogPositions::Retire(producer, key_of(i), 3, 4, static_cast<int64_t>(i)));
    EXPECT_FALSE(LogPositions::Retire(producer, key_of(i), 2, 4, 0)) << "it was already";
  }
  EXPECT_EQ(LogPositions::BoundRetired(producer), std::vector<std::string>{key_of(0)});
  EXPECT_EQ(producer.retired.Find(key_of(0), 2), nullptr);
  EXPECT_NE(producer.retired.Find(key_of(1), 2), nullptr);
  EXPECT_TRUE(LogPositions::HasRoom(producer, {Part('x', 0, 1, true)})) << "they take no room";
}

TEST(LogPositions, ABoundOnFiles) {
  LogProducer producer;
  for (size_t i = 0; i < kMaxPositionsPerProducer; ++i) {
    std::string key = std::to_string(i);
    key.resize(kLogFileKeyBytes, ' ');
    producer.files[key] = {};
  }
  EXPECT_FALSE(LogPositions::HasRoom(producer, {Part('x', 0, 1, true)}));
  EXPECT_TRUE(LogPositions::Adopt(producer, 1, {{Key('x'), {}}}).empty());
  std::string known = "7";
  known.resize(kLogFileKeyBytes, ' ');
  EXPECT_TRUE(LogPositions::HasRoom(producer, {{known, false, {}, {}, ""}}));
}

}  // namespace
}  // namespace ampari
