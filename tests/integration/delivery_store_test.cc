// Delivery out of the real store: what was accepted arrives once and in order, across stops, and
// the ledger adds up.
#include <atomic>
#include <bit>
#include <memory>
#include <string>

#include "common/frame/frame.h"
#include "common/frame/registration.h"
#include "gateway/delivery/destination.h"
#include "gateway/store/ledger.h"
#include "gateway/store/store.h"
#include "tests/integration/delivery_bed.h"
#include "tests/support/eventually.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"

namespace ampari {
namespace {

using testing::IsEmpty;
using testing::SizeIs;

constexpr int kSeries = 25;

class Blocks final : public BlockSource {
 public:
  explicit Blocks(const Store& store) : store_(store) {}
  absl::StatusOr<std::string> BlockOfLayout(InstanceNumber i, uint64_t layout) const override {
    return store_.ReadBlockOfLayout(i, layout);
  }
  absl::StatusOr<std::string> BlockOfSeries(InstanceNumber i, uint64_t series) const override {
    return store_.ReadBlockOfSeries(i, series);
  }
  absl::StatusOr<Labels> EnforcedLabels(InstanceNumber i) const override {
    return store_.EnforcedLabels(i);
  }

 private:
  const Store& store_;
};

class Sink final : public StreamSink {
 public:
  void OnWelcome(const WelcomeReply& welcome) override {
    Set([&] { welcome_ = welcome; });
  }
  void OnDurable(uint64_t mark, uint64_t settled) override {
    Set([&] {
      mark_ = mark;
      settled_ = settled;
    });
  }
  void OnRefused(const FrameRefusal& refusal) override { ADD_FAILURE() << refusal.message; }
  void OnNotice(bool, bool, bool) override {}
  void OnClosed(const absl::Status&) override {}

  WelcomeReply welcome() {
    Wait([&] { return welcome_.found != HelloFound::kRefused; });
    MutexLock lock(mu_);
    return welcome_;
  }
  bool WaitMark(uint64_t mark) {
    return Wait([&] { return mark_ >= mark; });
  }
  bool WaitSettled(uint64_t settled) {
    return Wait([&] { return settled_ >= settled; });
  }

 private:
  template <typename Change>
  void Set(Change change) {
    MutexLock lock(mu_);
    change();
    changed_.NotifyAll();
  }
  template <typename Condition>
  bool Wait(Condition condition) {
    const absl::Time deadline = absl::Now() + absl::Seconds(60);
    MutexLock lock(mu_);
    while (!condition()) {
      if (absl::Now() > deadline) return false;
      changed_.WaitFor(mu_, absl::Milliseconds(100));
    }
    return true;
  }
  Mutex mu_;
  CondVar changed_;
  WelcomeReply welcome_;
  uint64_t mark_ = 0, settled_ = 0;
};

// One life of a gateway: store, layouts, destination, and a forwarder's stream into it.
class Life {
 public:
  Life(const std::string& directory, const RemoteWriteConfig& config, WelcomeReply last,
       const Clock& clock = SystemClock()) {
    StoreOptions options;
    options.directory = directory;
    options.max_bytes = uint64_t{512} << 20;
    auto opened = Store::Open(options, clock);
    EXPECT_THAT(opened, IsOk());
    store = *std::move(opened);
    QueueTopology queue;
    queue.tenant = "acme";
    queue.destinations = {{"region", false}};
    EXPECT_THAT(store->Apply({queue}), IsOk());
    blocks = std::make_unique<Blocks>(*store);
    layouts = std::make_unique<LayoutCache>(*blocks, size_t{16} << 20);
    destination = std::make_unique<Destination>(DestinationId{"acme", Signal::kMetrics, "region"},
                                                config, Labels(), *store, *layouts, clock);
    HelloRequest hello;
    hello.tenant = "acme";
    hello.entry = "cluster-a";
    hello.enforced_labels = {{"cluster", "a"}};
    hello.forwarder_name = "node-1";
    hello.instance_id = "0123456789abcdef";
    hello.store_id = last.store_id;
    hello.acknowledged = hello.last_sequence = last.mark;
    hello.settled = last.settled;
    sink = std::make_shared<Sink>();
    stream = store->OpenStream(hello, sink);
  }
  ~Life() { destination->Stop(); }

  std::unique_ptr<Store> store;
  std::unique_ptr<Blocks> blocks;
  std::unique_ptr<LayoutCache> layouts;
  std::unique_ptr<Destination> destination;
  std::shared_ptr<Sink> sink;
  StreamId stream = 0;
};

void Register(Life& life) {
  RegistrationBlock block;
  block.number = block.first_series = block.first_layout = 1;
  for (int i = 0; i < kSeries; ++i)
    block.series.push_back({{"__name__", "m"}, {"i", std::to_string(i)}});
  Layout layout;
  layout.size = kSeries;
  layout.runs = {{false, 1, kSeries}};
  block.layouts = {layout};
  life.store->SubmitRegistration(life.stream, EncodeRegistration(block));
}

void Send(Life& life, uint64_t first, uint64_t last) {
  for (uint64_t sequence = first; sequence <= last; ++sequence) {
    const Scrape scrape = DeliveryBed::ScrapeOf(
        1, kSeries, 1'700'000'000'000 + static_cast<int64_t>(sequence) * 1000);
    FrameBuilder builder;
    builder.Add(scrape, kSeries);
    auto bytes = std::make_shared<const std::string>(builder.Finish(sequence));
    FrameArrival arrival;
    arrival.sequence = sequence;
    arrival.items = kSeries;
    arrival.bytes = {{*bytes}, bytes};
    life.store->SubmitFrame(life.stream, std::move(arrival));
  }
  ASSERT_TRUE(life.sink->WaitMark(last));
}

RemoteWriteConfig ConfigOf(const FakeRegion& region) {
  RemoteWriteConfig config;
  config.name = "region";
  config.url = region.url();
  config.queue.min_backoff = absl::Milliseconds(1);
  config.queue.max_backoff = absl::Milliseconds(20);
  config.metadata.send = false;
  return config;
}

Ledger LedgerOf(const Store& store) {
  const StoreStatus status = store.status();
  EXPECT_THAT(status.alarms, IsEmpty());
  EXPECT_THAT(status.destinations, SizeIs(1));
  return status.destinations.at(0).ledger;
}

TEST(DeliveryStore, FramesOfSeveralLivesArriveOnceAndInOrder) {
  const TempDir directory;
  FakeRegion region;
  const RemoteWriteConfig config = ConfigOf(region);
  constexpr uint64_t kPerLife = 60;
  WelcomeReply last;
  for (uint64_t life_number = 0; life_number < 4; ++life_number) {
    Life life(directory.path(), config, last);
    last = life.sink->welcome();
    EXPECT_EQ(last.mark, life_number * kPerLife);
    if (life_number == 0) Register(life);
    if (life_number % 2 == 0) life.destination->Start();
    Send(life, life_number * kPerLife + 1, (life_number + 1) * kPerLife);
    last.mark = (life_number + 1) * kPerLife;
    if (life_number % 2 == 1) life.destination->Start();
    if (life_number == 3) {
      EXPECT_TRUE(life.sink->WaitSettled(last.mark));
      const Ledger ledger = LedgerOf(*life.store);
      EXPECT_EQ(ledger.accepted, 4 * kPerLife * kSeries);
      EXPECT_EQ(ledger.delivered + ledger.uncertain, ledger.accepted);
      EXPECT_EQ(ledger.pending, 0u);
      EXPECT_THAT(life.store->Verify(), IsEmpty());
    }
  }
  EXPECT_THAT(region.complaints(), IsEmpty());
  ASSERT_THAT(region.stored(), SizeIs(kSeries));
  for (const auto& [series, samples] : region.stored()) {
    EXPECT_NE(series.find("cluster=a,"), std::string::npos);
    ASSERT_THAT(samples, SizeIs(4 * kPerLife));
    for (size_t i = 1; i < samples.size(); ++i) ASSERT_LT(samples[i - 1].first, samples[i].first);
  }
}

// A gateway that stops between a merged range's attempt and its answer sends the same bytes after
// its restart: the range is stored beside the cursor.
TEST(DeliveryStore, AMergedRangeIsComposedTheSameInTheNextLife) {
  const TempDir directory;
  FakeRegion region;
  Mutex mu;
  std::string lost;
  bool away = false;
  region.SetScript(
      [&](const RegionRequest& r, size_t, bool* store) -> std::optional<ServerResponse> {
        ServerResponse answer;
        MutexLock lock(mu);
        answer.status = away ? 503 : 204;
        if (r.body == lost) return answer;
        if (away || !lost.empty() || r.series[0].second.size() < 2)
          return away ? std::optional(answer) : std::nullopt;
        away = *store = true;
        lost = r.body;
        answer.close_without_answer = true;
        return answer;
      });
  const RemoteWriteConfig config = ConfigOf(region);
  WelcomeReply last;
  {
    Life life(directory.path(), config, last);
    last = life.sink->welcome();
    Register(life);
    Send(life, 1, 5);
    life.destination->Start();
    EXPECT_TRUE(life.sink->WaitSettled(1));
    ASSERT_TRUE(region.WaitForRequests(4));  // the first frame alone, then the lost one, then 503
    last.mark = 5;
    last.settled = 1;
  }
  const size_t before = region.requests().size();
  {
    MutexLock lock(mu);
    away = false;
  }
  Life life(directory.path(), config, last);
  Send(life, 6, 20);
  life.destination->Start();
  EXPECT_TRUE(life.sink->WaitSettled(20));
  EXPECT_EQ(region.requests().at(before).body, lost);
  const Ledger ledger = LedgerOf(*life.store);
  EXPECT_EQ(ledger.delivered, 20u * kSeries);
  EXPECT_EQ(ledger.uncertain, 0u);
  EXPECT_THAT(ledger.rejected, IsEmpty());
  EXPECT_THAT(life.store->Verify(), IsEmpty());
  for (const auto& [series, samples] : region.stored()) EXPECT_THAT(samples, SizeIs(20)) << series;
}

// What is parked is counted and kept in the batch that moves the cursor, stays over a restart, and
// ends by its age.
TEST(DeliveryStore, WhatIsParkedStaysPendingUntilItsAgeEndsIt) {
  const TempDir directory;
  FakeRegion region;
  std::atomic<size_t> refused{0};
  region.SetScript([&](const RegionRequest& r, size_t, bool*) -> std::optional<ServerResponse> {
    ServerResponse answer;
    answer.status = 500;
    for (const auto& [text, samples] : r.series) {
      if (text.find("i=3,") == std::string::npos) continue;
      ++refused;
      return answer;
    }
    return std::nullopt;
  });
  const RemoteWriteConfig config = ConfigOf(region);
  StepClock clock;
  WelcomeReply last;
  {
    Life life(directory.path(), config, last, clock);
    last = life.sink->welcome();
    Register(life);
    Send(life, 1, 5);
    life.destination->Start();
    for (int minute = 0; minute < 90 && LedgerOf(*life.store).aside["parked"] < 5; ++minute) {
      const size_t before = refused;
      EXPECT_TRUE(Holds(LedgerOf(*life.store)));
      clock.Add(absl::Minutes(1));
      EXPECT_TRUE(Eventually(
          [&] { return refused > before + 1 || LedgerOf(*life.store).aside["parked"] > 0; }));
    }
    EXPECT_TRUE(life.sink->WaitSettled(5)) << "the forwarder need not keep it";
    last.mark = last.settled = 5;
    EXPECT_THAT(life.store->Verify(), IsEmpty());
  }
  Life life(directory.path(), config, last, clock);
  Ledger ledger = LedgerOf(*life.store);
  EXPECT_EQ(ledger.accepted, 5u * kSeries);
  EXPECT_EQ(ledger.delivered, 5u * (kSeries - 1));
  EXPECT_EQ(ledger.aside["parked"], 5u);
  EXPECT_EQ(ledger.pending, 5u);
  EXPECT_THAT(life.store->Verify(), IsEmpty());
  EXPECT_THAT(region.stored(), SizeIs(kSeries - 1));
  clock.Add(absl::Hours(80));
  EXPECT_TRUE(Eventually([&] { return LedgerOf(*life.store).pending == 0; }));
  ledger = LedgerOf(*life.store);
  EXPECT_EQ(ledger.expired["age"], 5u);
  EXPECT_TRUE(Holds(ledger));
}

}  // namespace
}  // namespace ampari
