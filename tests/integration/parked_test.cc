// A unit that a region answers 429 or 5xx for ever: after an hour alone it is set aside as parked,
// and all else flows. Time is stepped; what the region takes is judged by what it stored.
#include <atomic>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "tests/integration/log_bed.h"
#include "tests/support/eventually.h"

namespace ampari {
namespace {

using testing::Each;
using testing::Field;
using testing::IsEmpty;
using testing::SizeIs;

constexpr int64_t kT = 1'700'000'000'000;
constexpr int kSeries = 8;
constexpr absl::Duration kBackoff = absl::Milliseconds(2);
constexpr char kBadSeries[] = "i=5,pod=bad,";

ServerResponse Status(int status) {
  ServerResponse response;
  response.status = status;
  response.body = "no\n";
  return response;
}

bool HasSeries(const RegionRequest& request, const std::string& part) {
  for (const auto& [text, samples] : request.series) {
    if (text.find(part) != std::string::npos) return true;
  }
  return false;
}

// Two targets in lanes of their own; the region refuses what `refuse` names.
class Metrics {
 public:
  explicit Metrics(int status) {
    bed.region.SetScript(
        [this, status](const RegionRequest& r, size_t, bool*) -> std::optional<ServerResponse> {
          const bool refuse = down || (refusing && HasSeries(r, kBadSeries));
          ++(refuse ? refused : taken);
          return refuse ? std::optional(Status(status)) : std::nullopt;
        });
    bed.config.queue.max_backoff = kBackoff;
    bad = bed.AddTarget(1, "bad", kSeries);
    good = bed.AddTarget(2, "good", kSeries);
  }

  void AppendBad() {
    bed.queue.Append(0, 1, {DeliveryBed::ScrapeOf(bad, kSeries, kT + ++scrapes * 1000)});
  }
  void AppendGood() {
    bed.queue.Append(1, 2, {DeliveryBed::ScrapeOf(good, kSeries, kT + ++scrapes * 1000)});
  }
  // So many steps; in each something is refused twice, and the other lane delivers a frame. In
  // steps of more than a minute it is refused once, and time goes on meanwhile.
  void Pass(int steps, absl::Duration step = absl::Minutes(1)) {
    for (int i = 0; i < steps; ++i) {
      bed.clock.Add(step);
      const size_t refused_before = refused, taken_before = taken;
      if (with_good) AppendGood();
      ASSERT_TRUE(Eventually([&] {
        if (step > absl::Minutes(1)) bed.clock.Add(absl::Seconds(1));
        const size_t wanted = refused_before + (step > absl::Minutes(1) ? 1 : 2);
        const bool tried = refused >= wanted || aside() > 0;
        return tried && (down || !with_good || taken > taken_before);
      })) << bed.clock.added();
    }
  }
  uint64_t aside() const { return bed.queue.totals().aside; }
  // Each sample once and in order, but for those that are aside.
  void ExpectAllElseDelivered(uint64_t aside_samples) {
    const MemoryQueue::Totals totals = bed.queue.totals();
    EXPECT_EQ(totals.aside, aside_samples);
    EXPECT_EQ(totals.delivered + totals.aside, bed.queue.accepted());
    EXPECT_THAT(totals.aside_frames, Each(Field(&AsideFrame::reason, AsideReason::kParked)));
    EXPECT_EQ(bed.region.identical_resends(), 0u);
    uint64_t stored = 0;
    for (const auto& [series, samples] : bed.region.stored()) stored += samples.size();
    EXPECT_EQ(stored, totals.delivered);
    bed.ExpectInOrder();
    bed.ExpectSound();
  }

  DeliveryBed bed;
  std::atomic<size_t> refused{0}, taken{0};
  std::atomic<bool> refusing{true}, down{false};
  bool with_good = true;
  uint64_t bad = 0, good = 0;
  int64_t scrapes = 0;
};

class ParkedTest : public testing::TestWithParam<int> {};

TEST_P(ParkedTest, ASeriesIsSetAsideAfterAnHourAloneAndHoldsNobodyBack) {
  Metrics metrics(GetParam());
  DeliveryBed& bed = metrics.bed;
  for (int i = 0; i < 3; ++i) metrics.AppendBad();
  bed.Start();
  metrics.Pass(65);
  EXPECT_EQ(metrics.aside(), 0u) << "ten minutes and an hour have not passed";
  EXPECT_THAT(bed.region.stored(), SizeIs(2 * kSeries - 1)) << "its neighbours are through";
  for (int i = 0; i < 20 && metrics.aside() == 0; ++i) metrics.Pass(1);
  ASSERT_TRUE(bed.queue.WaitUntilSettled());
  metrics.ExpectAllElseDelivered(3);
  // What is aside is what was sent in vain, and no more than it.
  std::set<std::string> bodies;
  for (const RegionRequest& request : bed.region.requests()) {
    if (request.series.size() == 1 && HasSeries(request, kBadSeries)) bodies.insert(request.body);
  }
  for (const AsideFrame& frame : bed.queue.totals().aside_frames) {
    EXPECT_THAT(frame.words, testing::HasSubstr(R"({__name__="m", i="5", pod="bad"})"));
    ASSERT_THAT(frame.requests, testing::Not(IsEmpty()));
    EXPECT_TRUE(bodies.contains(frame.requests[0]));
  }
  // It is tried again, alone, and is one of the others once it was taken.
  metrics.AppendBad();
  ASSERT_TRUE(bed.queue.WaitUntilSettled());
  metrics.ExpectAllElseDelivered(4);
  metrics.refusing = false;
  bed.clock.Add(absl::Minutes(1));
  metrics.AppendBad();
  ASSERT_TRUE(bed.queue.WaitUntilSettled());
  metrics.ExpectAllElseDelivered(4);
  metrics.AppendBad();
  ASSERT_TRUE(bed.queue.WaitUntilSettled());
  EXPECT_THAT(bed.region.requests().back().series, SizeIs(kSeries));
  metrics.ExpectAllElseDelivered(4);
}

// Nobody else speaks for the region than the rest of the lane.
TEST_P(ParkedTest, ADestinationOfOneLaneIsNotWedgedEither) {
  Metrics metrics(GetParam());
  metrics.with_good = false;
  for (int i = 0; i < 6; ++i) metrics.AppendBad();
  metrics.bed.Start();
  metrics.Pass(65);
  EXPECT_EQ(metrics.aside(), 0u);
  for (int i = 0; i < 20 && metrics.aside() == 0; ++i) metrics.Pass(1);
  ASSERT_TRUE(metrics.bed.queue.WaitUntilSettled());
  metrics.ExpectAllElseDelivered(6);
}

TEST_P(ParkedTest, ARegionThatIsDownForDaysParksNothing) {
  Metrics metrics(GetParam());
  metrics.refusing = false;
  metrics.AppendBad();
  metrics.AppendGood();
  metrics.bed.Start();
  ASSERT_TRUE(metrics.bed.queue.WaitUntilSettled());
  metrics.down = true;
  for (int i = 0; i < 20; ++i) metrics.AppendBad();
  metrics.Pass(72, absl::Minutes(59));
  EXPECT_EQ(metrics.aside(), 0u);
  std::set<std::string> bodies;
  for (const RegionRequest& request : metrics.bed.region.requests()) bodies.insert(request.body);
  EXPECT_LT(bodies.size(), 2 * (3 * kMaxBlindHalvings)) << "it is not flooded with small requests";
  metrics.down = false;
  ASSERT_TRUE(metrics.bed.queue.WaitUntilSettled());
  metrics.ExpectAllElseDelivered(0);
}

TEST_P(ParkedTest, ARestartBeginsTheHourAnew) {
  Metrics metrics(GetParam());
  for (int i = 0; i < 3; ++i) metrics.AppendBad();
  metrics.bed.Start();
  metrics.Pass(50);
  metrics.bed.loop->Stop();
  metrics.bed.Start();
  metrics.Pass(50);
  EXPECT_EQ(metrics.aside(), 0u);
  for (int i = 0; i < 35 && metrics.aside() == 0; ++i) metrics.Pass(1);
  ASSERT_TRUE(metrics.bed.queue.WaitUntilSettled());
  const MemoryQueue::Totals totals = metrics.bed.queue.totals();
  EXPECT_EQ(totals.aside, 3u);
  EXPECT_EQ(totals.delivered + totals.aside, metrics.bed.queue.accepted());
  metrics.bed.ExpectInOrder();
  metrics.bed.ExpectSound();
}

INSTANTIATE_TEST_SUITE_P(Answers, ParkedTest, testing::Values(429, 500, 503));

// A WAF's 403 for one series: the destination as a whole is not held for it, and it is parked.
TEST(Parked, ALaneThatIsHeldAloneIsLeftToTheSameRule) {
  Metrics metrics(403);
  metrics.AppendBad();
  metrics.bed.Start();
  // It is tried once a minute.
  for (int i = 0; i < 40 && metrics.aside() == 0; ++i) metrics.Pass(1, absl::Minutes(5));
  ASSERT_TRUE(metrics.bed.queue.WaitUntilSettled());
  metrics.ExpectAllElseDelivered(1);
}

TEST(Parked, UnhealthyLanesShareAQuarterOfTheSlots) {
  DeliveryBed bed;
  bed.config.queue.max_shards = 8;
  std::atomic<size_t> requests{0};
  bed.region.SetScript(
      [&requests](const RegionRequest& r, size_t, bool*) -> std::optional<ServerResponse> {
        ++requests;
        return HasSeries(r, "pod=bad") ? std::optional(Status(500)) : std::nullopt;
      });
  const uint64_t good = bed.AddTarget(99, "good", 1);
  for (uint32_t lane = 0; lane < 6; ++lane) {
    const uint64_t bad = bed.AddTarget(lane, "bad-" + std::to_string(lane), 1);
    bed.queue.Append(lane, lane, {DeliveryBed::ScrapeOf(bad, 1, kT)});
  }
  bed.Start();
  for (int minute = 0; minute < 13; ++minute) {
    bed.clock.Add(absl::Minutes(1));
    bed.queue.Append(60, 99, {DeliveryBed::ScrapeOf(good, 1, kT + minute)});
    const size_t before = requests;
    ASSERT_TRUE(Eventually([&] { return requests >= before + 14; }));
  }
  bed.region.SetDelay(absl::Milliseconds(5));
  const size_t before = requests;
  uint32_t most = 0;
  ASSERT_TRUE(Eventually([&] {
    if (requests > before + 6) most = std::max(most, bed.loop->status().in_flight);
    return requests > before + 60;
  }));
  EXPECT_GT(most, 0u);
  EXPECT_LE(most, 8u / 4);
  bed.ExpectSound();
}

// --- logs

class Logs {
 public:
  // The region refuses pushes with a line or stream that contains `part`.
  Logs(int status, std::string part) {
    bed.config.max_backoff = kBackoff;
    bed.loki.SetScript([this, status, part = std::move(part)](const LokiRequest& r, size_t, bool*) {
      bool refuse = down;
      for (const auto& [selector, lines] : r.streams) {
        refuse = refuse || selector.find(part) != std::string::npos;
        for (const LokiLine& line : lines)
          refuse = refuse || std::get<1>(line).find(part) != std::string::npos;
      }
      ++(refuse ? refused : taken);
      return refuse ? std::optional(Status(status)) : std::nullopt;
    });
  }
  void Pass(int steps, absl::Duration step = absl::Minutes(1)) {
    for (int i = 0; i < steps; ++i) {
      bed.clock.Add(step);
      const size_t refused_before = refused, taken_before = taken;
      bed.AppendRun(1, 2, "witness", 1);
      ASSERT_TRUE(Eventually([&] {
        const bool tried = refused > refused_before + 1 || bed.queue.totals().aside > 0;
        return tried && (down || taken > taken_before);
      }));
    }
  }
  void PassUntilParked() {
    for (int i = 0; i < 20 && bed.queue.totals().aside == 0; ++i) Pass(1);
  }
  void ExpectAllElseDelivered() {
    ASSERT_TRUE(bed.queue.WaitUntilSettled());
    const MemoryQueue::Totals totals = bed.queue.totals();
    EXPECT_EQ(totals.delivered + totals.aside, bed.queue.accepted());
    EXPECT_EQ(bed.loki.stored_lines(), totals.delivered);
    EXPECT_EQ(bed.loki.resent(), 0u);
    EXPECT_THAT(totals.aside_frames, Each(Field(&AsideFrame::reason, AsideReason::kParked)));
    bed.ExpectSound();
  }

  LogBed bed;
  std::atomic<size_t> refused{0}, taken{0};
  std::atomic<bool> down{false};
};

class ParkedLogsTest : public testing::TestWithParam<int> {};

TEST_P(ParkedLogsTest, AStreamIsSetAsideAndTheOthersOfItsLaneGoOn) {
  Logs logs(GetParam(), "bad");
  for (int i = 0; i < 5; ++i)
    logs.bed.Append(0, 1, {{"bad", "a"}, {"bad", "b"}, {"web", "c"}, {"bad", "d"}, {"db", "e"}});
  logs.bed.Start();
  logs.Pass(65);
  EXPECT_EQ(logs.bed.queue.totals().aside, 0u);
  logs.PassUntilParked();
  logs.ExpectAllElseDelivered();
  EXPECT_EQ(logs.bed.queue.totals().aside, 15u);
  // Later frames do not wait for it.
  for (int i = 0; i < 5; ++i) logs.bed.Append(0, 1, {{"web", "c"}, {"bad", "d"}, {"web", "e"}});
  logs.ExpectAllElseDelivered();
  EXPECT_EQ(logs.bed.queue.totals().aside, 20u);
}

TEST_P(ParkedLogsTest, OneLineIsSetAsideAndItsStreamGoesOn) {
  Logs logs(GetParam(), "poison");
  for (int i = 0; i < 4; ++i) {
    logs.bed.AppendRun(0, 1, "web", 30);
    if (i == 1) logs.bed.Append(0, 1, {{"web", "x"}, {"web", "poison"}, {"web", "y"}});
  }
  logs.bed.Start();
  logs.Pass(65);
  EXPECT_EQ(logs.bed.queue.totals().aside, 0u);
  logs.PassUntilParked();
  logs.ExpectAllElseDelivered();
  EXPECT_EQ(logs.bed.queue.totals().aside, 1u);
}

TEST_P(ParkedLogsTest, ARegionThatIsDownForDaysParksNothing) {
  Logs logs(GetParam(), "bad");
  logs.bed.AppendRun(0, 1, "web", 3);
  logs.bed.Start();
  ASSERT_TRUE(logs.bed.queue.WaitUntilSettled());
  logs.down = true;
  for (int i = 0; i < 10; ++i) logs.bed.Append(0, 1, {{"web", "a"}, {"db", "b"}, {"web", "c"}});
  logs.Pass(72, absl::Minutes(59));
  logs.down = false;
  logs.ExpectAllElseDelivered();
  EXPECT_EQ(logs.bed.queue.totals().aside, 0u);
}

INSTANTIATE_TEST_SUITE_P(Answers, ParkedLogsTest, testing::Values(429, 500, 503));

}  // namespace
}  // namespace ampari
