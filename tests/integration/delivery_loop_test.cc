// The delivery loop as a whole: order, catching up over a slow line, restarts, alignment.
#include <atomic>
#include <random>
#include <set>
#include <thread>

#include "tests/integration/delivery_bed.h"

namespace ampari {
namespace {

using testing::ElementsAre;
using testing::SizeIs;

constexpr int64_t kT = 1'700'000'000'000;

ServerResponse Status(int status) {
  ServerResponse response;
  response.status = status;
  return response;
}

// 64 producers, one per lane, a frame a second, each with 25 targets scraped every 15 s (20 series
// each): 100 seconds of backlog over a line of 150 ms go at 10x the live rate when they take no
// more than 66 times there and back.
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
  bed.Start();
  ASSERT_TRUE(bed.queue.WaitUntilSettled());
  // Of a lane by itself, and of all together.
  EXPECT_LE(bed.queue.totals().settlements / kLanesUsed, 66u);
  EXPECT_LE(bed.region.requests().size() / bed.config.queue.max_shards, 66u);
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

// A region that keeps strictly to the order of time, except that it takes again, word for word,
// what it has stored. It stores a merged request, the answer is lost, and then it is away.
class StrictRegion {
 public:
  explicit StrictRegion(FakeRegion& region) {
    region.SetScript(
        [this](const RegionRequest& r, size_t, bool* store) -> std::optional<ServerResponse> {
          MutexLock lock(mu_);
          if (away_) return Status(503);
          if (stored_.contains(r.body)) return Status(204);
          stored_.insert(r.body);
          if (!lose_merged_ || r.series.empty() || r.series[0].second.size() < 2) {
            return std::nullopt;
          }
          away_ = *store = true;
          lost_.push_back(r.body);
          ServerResponse reset;
          reset.close_without_answer = true;
          return reset;
        });
  }
  void ComeBack() {
    MutexLock lock(mu_);
    away_ = lose_merged_ = false;
  }
  // The merged request whose answer was lost; empty until then.
  std::string lost() const {
    MutexLock lock(mu_);
    return lost_.empty() ? "" : lost_[0];
  }

 private:
  mutable Mutex mu_;
  bool away_ ABSL_GUARDED_BY(mu_) = false;
  bool lose_merged_ ABSL_GUARDED_BY(mu_) = true;
  std::set<std::string> stored_ ABSL_GUARDED_BY(mu_);
  std::vector<std::string> lost_ ABSL_GUARDED_BY(mu_);
};

// Stops between a merged range's attempt and its answer: 5 frames are there before, 12 more come
// before the next start.
void StopInTheMiddleOfAMergedRange(DeliveryBed& bed, StrictRegion& region, uint64_t layout) {
  for (int i = 0; i < 5; ++i)
    bed.queue.Append(7, 1, {DeliveryBed::ScrapeOf(layout, 10, kT + i * 1000)});
  bed.Start();
  while (region.lost().empty()) std::this_thread::yield();
  bed.loop->Stop();
  ASSERT_EQ(bed.queue.totals().delivered, 10u);  // a new instance's first frame goes alone
  EXPECT_EQ(bed.queue.Lanes()[7].merged_upto, 6u);
  bed.queue.SetNow(kT + 60'000);
  for (int i = 5; i < 17; ++i)
    bed.queue.Append(7, 1, {DeliveryBed::ScrapeOf(layout, 10, kT + i * 1000)});
  region.ComeBack();
}

TEST(DeliveryLoop, AMergedRangeIsComposedTheSameAfterAStop) {
  DeliveryBed bed;
  StrictRegion region(bed.region);
  const uint64_t layout = bed.AddTarget(1, "a", 10);
  StopInTheMiddleOfAMergedRange(bed, region, layout);
  const size_t before = bed.region.requests().size();
  bed.Start();
  ASSERT_TRUE(bed.queue.WaitUntilSettled());
  EXPECT_EQ(bed.region.requests().at(before).body, region.lost());
  EXPECT_EQ(bed.region.requests().at(before).headers.at("x-ampari-frames"),
            "acme/metrics;lane=7;frames=2-5");
  EXPECT_EQ(bed.queue.totals().delivered, 170u);
  EXPECT_EQ(bed.queue.totals().uncertain, 0u);
  EXPECT_THAT(bed.queue.totals().rejected, SizeIs(0));
  EXPECT_EQ(bed.queue.Lanes()[7].merged_upto, 0u);
  for (const auto& [series, samples] : bed.region.stored())
    EXPECT_THAT(samples, SizeIs(17)) << series;
  bed.ExpectInOrder();
  bed.ExpectSound();
}

// Another configuration, or other enforced labels: what was attempted goes frame by frame, and so
// it does after one more stop, even under the configuration of the first attempt.
TEST(DeliveryLoop, AMergedRangeOfAnotherGenerationIsUnmerged) {
  for (const bool by_labels : {false, true}) {
    DeliveryBed bed;
    StrictRegion region(bed.region);
    const uint64_t layout = bed.AddTarget(1, "a", 10);
    StopInTheMiddleOfAMergedRange(bed, region, layout);
    std::atomic<bool> away{true};
    bed.region.SetScript([&](const RegionRequest&, size_t, bool*) -> std::optional<ServerResponse> {
      return away ? std::optional(Status(500)) : std::nullopt;
    });
    const size_t before = bed.region.requests().size();
    if (by_labels) {
      bed.queue.SetEnforced(1, {{"cluster", "a"}});
      bed.layouts.Invalidate(1);
    } else {
      bed.external_labels = {{"mesh", "prod"}};
    }
    bed.Start();
    ASSERT_TRUE(bed.region.WaitForRequests(before + 1));
    bed.loop->Stop();
    bed.queue.SetEnforced(1, {});
    bed.layouts.Invalidate(1);
    bed.external_labels = {};
    const size_t second = bed.region.requests().size();
    away = false;
    bed.Start();
    ASSERT_TRUE(bed.queue.WaitUntilSettled());
    const auto requests = bed.region.requests();
    std::vector<std::string> frames;  // of the requests, each once in a row
    for (size_t i = before; i < requests.size(); ++i) {
      const std::string& header = requests[i].headers.at("x-ampari-frames");
      if (i == before || i == second || header != frames.back()) frames.push_back(header);
    }
    ASSERT_GE(frames.size(), 6u);
    const std::string prefix = "acme/metrics;lane=7;frames=";
    EXPECT_THAT(std::vector(frames.begin(), frames.begin() + 5),
                ElementsAre(prefix + "2-2", prefix + "2-2", prefix + "3-3", prefix + "4-4",
                            prefix + "5-5"));
    EXPECT_NE(frames[5], prefix + "6-6");  // merging goes on
    // The region is one that refuses what is older than the newest, which it has of frame 5.
    EXPECT_EQ(bed.queue.totals().uncertain, 30u);
    EXPECT_EQ(bed.queue.totals().delivered, 140u);
    EXPECT_THAT(bed.queue.totals().rejected, SizeIs(0));
    for (const auto& [series, samples] : bed.region.stored()) EXPECT_THAT(samples, SizeIs(17));
    bed.ExpectInOrder();
    bed.ExpectSound();
  }
}

// While it runs: a held range is composed anew when the configuration changes, and then unmerged.
TEST(DeliveryLoop, AHeldMergedRangeIsUnmergedByAChange) {
  DeliveryBed bed;
  std::atomic<bool> refuse{true};
  bed.region.SetScript([&](const RegionRequest& r, size_t, bool*) -> std::optional<ServerResponse> {
    if (refuse && r.series[0].second.size() > 1) return Status(403);
    return std::nullopt;
  });
  const uint64_t layout = bed.AddTarget(1, "a", 10);
  for (int i = 0; i < 6; ++i)
    bed.queue.Append(7, 1, {DeliveryBed::ScrapeOf(layout, 10, kT + i * 1000)});
  bed.Start();
  while (!bed.loop->status().held) std::this_thread::yield();
  EXPECT_EQ(bed.queue.Lanes()[7].merged_upto, 7u);
  bed.external_labels = {{"mesh", "prod"}};
  bed.loop->Reconfigure({bed.config, bed.external_labels});
  ASSERT_TRUE(bed.queue.WaitUntilSettled());  // single frames are not refused
  EXPECT_EQ(bed.queue.totals().delivered, 60u);
  bed.ExpectInOrder();
  bed.ExpectSound();
}

TEST(DeliveryLoop, SingleFramesAreNotIntended) {
  DeliveryBed bed;
  const uint64_t layout = bed.AddTarget(1, "a", 10);
  bed.Start();
  for (uint64_t i = 0; i < 5; ++i) {
    bed.queue.Append(7, 1, {DeliveryBed::ScrapeOf(layout, 10, kT + static_cast<int64_t>(i))});
    ASSERT_TRUE(bed.queue.WaitFor(
        [i](const MemoryQueue::Totals& t) { return t.delivered == (i + 1) * 10; }));
  }
  EXPECT_EQ(bed.queue.totals().intents, 0u);
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
  while (bed.loop->status().state != "waiting for forwarders") std::this_thread::yield();
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
