// The delivery loop as a whole: order, catching up over a slow line, restarts, alignment.
#include <atomic>
#include <random>
#include <thread>

#include "tests/integration/delivery_bed.h"

namespace ampari {
namespace {

using testing::SizeIs;

constexpr int64_t kT = 1'700'000'000'000;

ServerResponse Status(int status) {
  ServerResponse response;
  response.status = status;
  return response;
}

// 64 producers, one per lane, a frame a second, each with 25 targets scraped every 15 s (20 series
// each): 100 seconds of backlog over a line of 150 ms must go at 10x the live rate: within 10
// seconds.
TEST(DeliveryLoop, CatchesUpTenfoldOver150Milliseconds) {
  constexpr int kSeconds = 100, kSeries = 20, kLanesUsed = 64;
  DeliveryBed bed;
  bed.region.SetDelay(absl::Milliseconds(150));
  std::vector<uint64_t> layouts;
  for (int lane = 0; lane < kLanesUsed; ++lane) {
    for (int target = 0; target < 15; ++target) {
      layouts.push_back(bed.AddTarget(static_cast<InstanceNumber>(lane + 1),
                                      std::to_string(lane) + "-" + std::to_string(target),
                                      kSeries));
    }
  }
  for (int second = 0; second < kSeconds; ++second) {
    for (int lane = 0; lane < kLanesUsed; ++lane) {
      const uint64_t layout = layouts[static_cast<size_t>(lane * 15 + second % 15)];
      bed.queue.Append(static_cast<uint32_t>(lane), static_cast<InstanceNumber>(lane + 1),
                       {DeliveryBed::ScrapeOf(layout, kSeries, kT + second * 1000)});
    }
  }
  const absl::Time begin = absl::Now();
  bed.Start();
  ASSERT_TRUE(bed.queue.WaitUntilSettled());
  const double seconds = absl::ToDoubleSeconds(absl::Now() - begin);
  RecordProperty("live_rate_multiple", std::to_string(kSeconds / seconds));
  EXPECT_LT(seconds, kSeconds / 10.0);
  EXPECT_EQ(bed.queue.totals().delivered, static_cast<uint64_t>(kSeconds) * kSeries * kLanesUsed);
  bed.ExpectInOrder();
  bed.ExpectSound();
}

// The hardest case of a lane: its one target is in every frame.
TEST(DeliveryLoop, OneTargetInEveryFrameIsMerged) {
  DeliveryBed bed;
  bed.region.SetDelay(absl::Milliseconds(50));
  const uint64_t layout = bed.AddTarget(1, "a", 50);
  constexpr int kFrames = 129;
  for (int i = 0; i < kFrames; ++i)
    bed.queue.Append(3, 1, {DeliveryBed::ScrapeOf(layout, 50, kT + i * 1000)});
  bed.Start();
  ASSERT_TRUE(bed.queue.WaitUntilSettled());
  EXPECT_EQ(bed.queue.totals().delivered, 50u * kFrames);
  EXPECT_LE(bed.region.requests().size(), 20u);
  bed.ExpectInOrder();
  bed.ExpectSound();
}

// Every kind of trouble at random: each series keeps its order and nothing is lost or doubled.
TEST(DeliveryLoop, OrderPerSeriesIsKeptUnderFailures) {
  DeliveryBed bed;
  std::atomic<uint32_t> state{12345};
  bed.region.SetScript(
      [&](const RegionRequest&, size_t, bool* store) -> std::optional<ServerResponse> {
        std::minstd_rand random(state.fetch_add(7919));
        random.discard(10);
        switch (random() % 12) {
          case 0:
            return Status(500);
          case 1:
            *store = true;
            return Status(502);
          case 2:
            return Status(429);
          case 3:
            return Status(503);
          case 4: {
            ServerResponse reset;
            reset.close_without_answer = true;
            *store = true;
            return reset;
          }
          default:
            return std::nullopt;
        }
      });
  constexpr int kFrames = 60, kSeries = 30;
  std::vector<uint64_t> layouts;
  for (InstanceNumber instance = 1; instance <= 8; ++instance) {
    for (int t = 0; t < 3; ++t) {
      layouts.push_back(
          bed.AddTarget(instance, std::to_string(instance) + "-" + std::to_string(t), kSeries));
    }
  }
  bed.Start();
  for (int i = 0; i < kFrames; ++i) {
    for (InstanceNumber instance = 1; instance <= 8; ++instance) {
      std::vector<Scrape> scrapes;
      for (size_t t = 0; t < 3; ++t) {
        scrapes.push_back(
            DeliveryBed::ScrapeOf(layouts[(instance - 1) * 3 + t], kSeries, kT + i * 1000));
      }
      bed.queue.Append(instance % 4, instance, scrapes);
    }
  }
  ASSERT_TRUE(bed.queue.WaitUntilSettled());
  const auto totals = bed.queue.totals();
  EXPECT_EQ(totals.delivered + totals.uncertain, bed.queue.accepted());
  bed.ExpectInOrder();
  EXPECT_THAT(bed.region.stored(), SizeIs(8 * 3 * kSeries));
  for (const auto& [series, samples] : bed.region.stored())
    EXPECT_THAT(samples, SizeIs(kFrames)) << series;
  bed.ExpectSound();
}

TEST(DeliveryLoop, StopsInTheMiddleAndGoesOn) {
  DeliveryBed bed;
  const uint64_t layout = bed.AddTarget(1, "a", 10);
  for (int i = 0; i < 200; ++i)
    bed.queue.Append(0, 1, {DeliveryBed::ScrapeOf(layout, 10, kT + i * 1000)});
  for (int life = 1; life <= 5; ++life) {
    bed.Start();
    ASSERT_TRUE(bed.region.WaitForRequests(static_cast<size_t>(life)));
    bed.loop->Stop();
  }
  bed.Start();
  ASSERT_TRUE(bed.queue.WaitUntilSettled());
  const auto totals = bed.queue.totals();
  EXPECT_EQ(totals.delivered + totals.uncertain, 2000u);
  for (const auto& [series, samples] : bed.region.stored())
    EXPECT_THAT(samples, SizeIs(200)) << series;
  bed.ExpectInOrder();
  bed.ExpectSound();
}

// A change of layout within a range: both hold the same series, so they are not in flight together.
TEST(DeliveryLoop, EditedLayoutsKeepTheOrderOfTheirSeries) {
  DeliveryBed bed;
  bed.region.SetDelay(absl::Milliseconds(5));
  std::vector<uint64_t> layouts = {bed.AddTarget(1, "a", 10)};
  for (int i = 1; i <= 12; ++i) {
    Layout edit;
    edit.base = layouts.back();
    edit.size = 10;
    edit.runs = {{true, 5, 5}, {true, 0, 5}};
    layouts.push_back(bed.queue.RegisterEdit(1, edit));
  }
  for (size_t i = 0; i < layouts.size(); ++i) {
    bed.queue.Append(0, 1,
                     {DeliveryBed::ScrapeOf(layouts[i], 10, kT + static_cast<int64_t>(i) * 1000)});
  }
  bed.Start();
  ASSERT_TRUE(bed.queue.WaitUntilSettled());
  EXPECT_EQ(bed.queue.totals().delivered, 130u);
  bed.ExpectInOrder();
  bed.ExpectSound();
}

TEST(DeliveryLoop, OneRefusedLaneDoesNotHoldTheOthers) {
  DeliveryBed bed;
  bed.region.SetScript([](const RegionRequest& r, size_t, bool*) -> std::optional<ServerResponse> {
    if (r.series[0].first.find("pod=bad,") != std::string::npos) return Status(500);
    return std::nullopt;
  });
  const uint64_t bad = bed.AddTarget(1, "bad", 5), good = bed.AddTarget(2, "good", 5);
  for (int i = 0; i < 50; ++i) {
    bed.queue.Append(0, 1, {DeliveryBed::ScrapeOf(bad, 5, kT + i * 1000)});
    bed.queue.Append(1, 2, {DeliveryBed::ScrapeOf(good, 5, kT + i * 1000)});
  }
  bed.Start();
  EXPECT_TRUE(bed.queue.WaitFor([](const MemoryQueue::Totals& t) { return t.delivered == 250; }));
  bed.loop->Stop();
  bed.ExpectSound();
}

// A gateway that was away: nobody runs more than 30 minutes ahead of the slowest.
TEST(DeliveryLoop, LanesAreAlignedInTime) {
  DeliveryBed bed;
  constexpr int64_t kMinute = 60'000;
  bed.queue.SetNow(kT + 180 * kMinute);
  bed.config.queue.max_shards = 4;
  const uint64_t slow = bed.AddTarget(1, "slow", 1), fast = bed.AddTarget(2, "fast", 1);
  for (int i = 0; i < 120; ++i) {
    bed.queue.Append(0, 1, {DeliveryBed::ScrapeOf(slow, 1, kT + i * kMinute)}, kT + i * kMinute);
    bed.queue.Append(1, 2, {DeliveryBed::ScrapeOf(fast, 1, kT + i * kMinute)}, kT + i * kMinute);
  }
  std::atomic<bool> refuse_slow{true};
  bed.region.SetScript([&](const RegionRequest& r, size_t, bool*) -> std::optional<ServerResponse> {
    if (refuse_slow && r.series[0].first.find("pod=slow,") != std::string::npos) return Status(500);
    return std::nullopt;
  });
  bed.Start();
  // Frames 0 … 30 of the fast lane, up to the rest of a range.
  ASSERT_TRUE(bed.queue.WaitFor([](const MemoryQueue::Totals& t) { return t.delivered >= 31; }));
  ASSERT_TRUE(bed.region.WaitForRequests(bed.region.requests().size() + 20));
  EXPECT_LT(bed.queue.totals().delivered, 31u + 8);
  refuse_slow = false;
  ASSERT_TRUE(bed.queue.WaitUntilSettled());
  EXPECT_EQ(bed.queue.totals().delivered, 240u);
  bed.ExpectSound();
}

TEST(DeliveryLoop, WaitsForProducersAfterAStart) {
  DeliveryBed bed;
  bed.queue.SetAwaiting(true);
  const uint64_t layout = bed.AddTarget(1, "a", 1);
  bed.queue.Append(0, 1, {DeliveryBed::ScrapeOf(layout, 1, kT)});
  bed.Start();
  while (bed.loop->status().state != "delivering") std::this_thread::yield();
  EXPECT_THAT(bed.region.requests(), SizeIs(0));
  bed.queue.SetAwaiting(false);
  ASSERT_TRUE(bed.queue.WaitUntilSettled());
}

TEST(DeliveryLoop, ExpiredFramesArePassed) {
  DeliveryBed bed;
  std::atomic<bool> refuse{true};
  bed.region.SetScript([&](const RegionRequest&, size_t, bool*) -> std::optional<ServerResponse> {
    if (refuse) return Status(500);
    return std::nullopt;
  });
  const uint64_t layout = bed.AddTarget(1, "a", 1);
  bed.queue.Append(0, 1, {DeliveryBed::ScrapeOf(layout, 1, kT)});
  bed.Start();
  ASSERT_TRUE(bed.region.WaitForRequests(1));
  for (int i = 1; i < 100; ++i)
    bed.queue.Append(0, 1, {DeliveryBed::ScrapeOf(layout, 1, kT + i * 1000)});
  bed.loop->Stop();
  bed.queue.Expire(0, 51);
  refuse = false;
  bed.Start();
  ASSERT_TRUE(bed.queue.WaitUntilSettled());
  EXPECT_EQ(bed.queue.totals().delivered, 50u);
  bed.ExpectSound();
}

}  // namespace
}  // namespace ampari
