// The scrape loop against real HTTP servers, on a clock that is moved by hand.
#include "forwarder/scrape/scrape_loop.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <chrono>
#include <functional>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/http/server.h"
#include "forwarder/scrape/schedule.h"
#include "tests/support/fake_clock.h"
#include "tests/support/status_matchers.h"

namespace ampari {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr absl::Duration kInterval = absl::Seconds(15);
constexpr char kText[] = "text/plain; version=0.0.4";

// Until `condition` holds; false after 30 s.
bool Await(const std::function<bool()>& condition) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::yield();
  }
  return true;
}

// A gate that parser threads can be held at.
class Gate {
 public:
  void Close() { Set(false); }
  void Open() { Set(true); }
  void Pass() {
    MutexLock lock(mu_);
    ++waiting_;
    while (!open_) changed_.Wait(mu_);
    --waiting_;
  }
  int waiting() {
    MutexLock lock(mu_);
    return waiting_;
  }

 private:
  void Set(bool open) {
    MutexLock lock(mu_);
    open_ = open;
    changed_.NotifyAll();
  }
  Mutex mu_;
  CondVar changed_;
  bool open_ ABSL_GUARDED_BY(mu_) = true;
  int waiting_ ABSL_GUARDED_BY(mu_) = 0;
};

// What a target serves; answers by path.
class Peer {
 public:
  Peer() {
    ServerOptions options;
    options.thread_per_connection = true;
    server_ = HttpServer::Start(options, [this](const ServerRequest& request) {
                MutexLock lock(mu_);
                ++requests_[request.path];
                last_ = request;
                const auto it = answers_.find(request.path);
                if (it != answers_.end()) return it->second;
                ServerResponse none;
                none.status = 404;
                return none;
              }).value();
  }
  void Serve(const std::string& path, ServerResponse answer) {
    MutexLock lock(mu_);
    answers_[path] = std::move(answer);
  }
  void ServeText(const std::string& path, std::string body) {
    ServerResponse answer;
    answer.content_type = kText;
    answer.body = std::move(body);
    Serve(path, std::move(answer));
  }
  std::string Address() const { return absl::StrCat("127.0.0.1:", server_->port()); }
  int requests(const std::string& path) {
    MutexLock lock(mu_);
    return requests_[path];
  }
  ServerRequest last() {
    MutexLock lock(mu_);
    return last_;
  }

 private:
  Mutex mu_;
  std::map<std::string, ServerResponse> answers_ ABSL_GUARDED_BY(mu_);
  std::map<std::string, int> requests_ ABSL_GUARDED_BY(mu_);
  ServerRequest last_ ABSL_GUARDED_BY(mu_);
  std::unique_ptr<HttpServer> server_;
};

class ScrapeLoopTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ScrapeLoopOptions options;
    options.clock = &clock_;
    options.numbers = &numbers_;
    options.max_scrape_bytes = size_t{16} << 20;
    options.ship = [this](Shipment shipment) {
      if (held_values_ == 0 || shipment.scrape.body_values.size() == held_values_) gate_.Pass();
      MutexLock lock(mu_);
      shipments_.push_back(std::move(shipment));
    };
    options.superseded = [this] { return superseded_.load(); };
    loop_ = std::make_unique<ScrapeLoop>(std::move(options));
    loop_->Start();
  }
  void TearDown() override {
    gate_.Open();
    loop_->Stop();
  }

  Target MakeTarget(const std::string& path, const std::string& instance = "") {
    Target target;
    target.job = std::make_shared<const ScrapeJob>(job_);
    target.labels = Labels{{"instance", instance.empty() ? path : instance}, {"job", "mesh"}};
    target.internal_labels = target.labels;
    target.url = absl::StrCat("http://", peer_.Address(), path);
    target.id = absl::StrCat(target.labels.ToString(), target.url);
    target.interval = kInterval;
    target.timeout = timeout_;
    return target;
  }
  // The next instant at which the target is due, as milliseconds since the epoch.
  int64_t NextSlot(const Target& target) {
    const absl::Duration offset =
        OffsetInInterval(TargetHash(target.labels, target.url), 0, target.interval);
    return absl::ToUnixMillis(SlotAfter(clock_.Now(), target.interval, offset));
  }
  void Apply(std::vector<Target> targets) {
    const size_t count = targets.size();
    std::vector<std::pair<std::string, std::string>> wanted;
    for (const Target& target : targets) wanted.emplace_back(target.id, target.url);
    TargetSet set;
    set.targets = std::move(targets);
    loop_->Apply(std::move(set));
    ASSERT_TRUE(Await([&] {
      const std::vector<TargetStatus> shown = loop_->targets();
      return shown.size() == count && std::all_of(shown.begin(), shown.end(), [&](const auto& t) {
               return std::count(wanted.begin(), wanted.end(),
                                 std::pair(t.target->id, t.target->url)) > 0;
             });
    }));
  }
  void Advance(absl::Duration by) {
    clock_.Advance(by);
    loop_->Wakeup();
  }
  // To the slot of a target, exactly.
  void AdvanceTo(int64_t unix_ms) {
    Advance(absl::FromUnixMillis(unix_ms) - clock_.Now() + absl::Milliseconds(1));
  }
  size_t shipped() {
    MutexLock lock(mu_);
    return shipments_.size();
  }
  // Whether what was tallied is done with, or held at the gate: a target that is not done skips its
  // next slot.
  bool AllDone() {
    for (const TargetStatus& status : loop_->targets()) done_[status.target->id] = status.scrapes;
    uint64_t done = static_cast<uint64_t>(gate_.waiting());
    for (const auto& [id, scrapes] : done_) done += scrapes;
    return done >= loop_->status().totals.scrapes;
  }
  std::vector<Shipment> Take(size_t count) {
    std::vector<Shipment> taken;
    EXPECT_TRUE(Await([&] { return shipped() >= count && AllDone(); }))
        << "shipments awaited: " << count;
    MutexLock lock(mu_);
    taken.swap(shipments_);
    return taken;
  }
  TargetStatus StatusOf(const std::string& path) {
    for (TargetStatus& status : loop_->targets()) {
      if (status.target->url.ends_with(path)) return status;
    }
    return {};
  }
  bool Scraped(size_t scrapes) { return loop_->status().totals.scrapes >= scrapes && AllDone(); }

  static double Up(const Shipment& shipment) {
    return shipment.scrape.report_values.empty()
               ? -1
               : std::bit_cast<double>(shipment.scrape.report_values[0]);
  }

  FakeClock clock_;
  NumberSource numbers_;
  Peer peer_;
  Gate gate_;
  ScrapeJob job_ = [] {
    ScrapeJob job;
    job.job_name = "mesh";
    job.scrape_protocols = {ScrapeProtocol::kOpenMetrics100, ScrapeProtocol::kText004};
    return job;
  }();
  absl::Duration timeout_ = absl::Seconds(10);
  std::atomic<bool> superseded_{false};
  std::atomic<size_t> held_values_{0};  // the gate holds shipments of so many values; 0: all
  Mutex mu_;
  std::vector<Shipment> shipments_ ABSL_GUARDED_BY(mu_);
  std::map<std::string, uint64_t> done_;  // scrapes of each target, also of those that are gone
  std::unique_ptr<ScrapeLoop> loop_;      // last: its threads use the above
};

TEST_F(ScrapeLoopTest, ScrapesAtTheSlotWithPrometheusHeaders) {
  peer_.ServeText("/m", "a 1\nb 2\n");
  const Target target = MakeTarget("/m");
  const int64_t slot = NextSlot(target);
  Apply({target});
  AdvanceTo(slot);
  std::vector<Shipment> first = Take(1);
  ASSERT_EQ(first.size(), 1);
  EXPECT_EQ(first[0].scrape.timestamp_ms, slot);
  EXPECT_EQ(first[0].scrape.body_values.size(), 2);
  EXPECT_EQ(Up(first[0]), 1);
  EXPECT_EQ(first[0].samples, 2 + 5);
  EXPECT_EQ(first[0].registrations.size(), 1u);
  const ServerRequest request = peer_.last();
  EXPECT_EQ(request.Header("accept"),
            "application/openmetrics-text;version=1.0.0;escaping=underscores;q=0.6,"
            "text/plain;version=0.0.4;q=0.5,*/*;q=0.4");
  EXPECT_EQ(request.Header("x-prometheus-scrape-timeout-seconds"), "10");
  EXPECT_EQ(request.Header("accept-encoding"), "identity");
  EXPECT_THAT(std::string(request.Header("user-agent")), HasSubstr("ampari-forwarder/"));
  Advance(kInterval);
  std::vector<Shipment> second = Take(1);
  EXPECT_EQ(second[0].scrape.timestamp_ms, slot + 15'000);
  EXPECT_TRUE(second[0].registrations.empty());
  const TargetStatus status = StatusOf("/m");
  EXPECT_EQ(status.health, TargetHealth::kUp);
  EXPECT_EQ(status.scrapes, 2);
  EXPECT_EQ(status.series, 2);
  EXPECT_EQ(status.last_scrape, absl::FromUnixMillis(slot + 15'000));
}

TEST_F(ScrapeLoopTest, WhatFailsSaysWhy) {
  struct Row {
    const char* path;
    std::function<void(ServerResponse&)> answer;
    const char* error;  // empty: up
    ScrapeFailure failure;
  };
  const std::vector<Row> rows = {
      {"/ok", [](auto&) {}, "", ScrapeFailure::kNone},
      {"/503", [](auto& r) { r.status = 503; }, "HTTP status 503", ScrapeFailure::kHttpStatus},
      {"/204", [](auto& r) { r.status = 204, r.body = ""; }, "HTTP status 204",
       ScrapeFailure::kHttpStatus},
      {"/html", [](auto& r) { r.content_type = "text/html"; }, "unsupported Content-Type",
       ScrapeFailure::kContentType},
      {"/empty", [](auto& r) { r.content_type = "text/html", r.body = ""; }, "",
       ScrapeFailure::kNone},
      {"/bad", [](auto& r) { r.body = "a 1\nnonsense\n"; }, "", ScrapeFailure::kParse},
      {"/reset", [](auto& r) { r.close_without_answer = true; }, "", ScrapeFailure::kConnection},
      {"/big", [](auto& r) { r.body = std::string(999, '\n') + "a"; }, "body size limit exceeded",
       ScrapeFailure::kBodySize},
      {"/gzip",
       [](auto& r) {
         r.headers = {{"Content-Encoding", "gzip"}};
       },
       "compressed", ScrapeFailure::kContentType},
      {"/moved",
       [](auto& r) {
         r.status = 302, r.headers = {{"Location", "/ok"}};
       },
       "", ScrapeFailure::kNone},
  };
  job_.body_size_limit = 1'000;  // as many bytes as the limit are too many
  std::vector<Target> targets;
  for (const Row& row : rows) {
    ServerResponse answer;
    answer.content_type = kText;
    answer.body = "a 1\n";
    row.answer(answer);
    peer_.Serve(row.path, answer);
    targets.push_back(MakeTarget(row.path));
  }
  Apply(targets);
  Advance(kInterval);
  Take(rows.size());
  std::array<uint64_t, kScrapeFailures> failures{};
  for (const Row& row : rows) {
    SCOPED_TRACE(row.path);
    const TargetStatus status = StatusOf(row.path);
    ++failures[static_cast<size_t>(row.failure)];
    EXPECT_EQ(status.health,
              row.failure == ScrapeFailure::kNone ? TargetHealth::kUp : TargetHealth::kDown);
    EXPECT_THAT(status.last.error, HasSubstr(row.error));
    EXPECT_EQ(status.last.error.empty(), row.failure == ScrapeFailure::kNone);
  }
  EXPECT_EQ(loop_->status().totals.failures, failures);
  EXPECT_EQ(loop_->status().up, 3);
  EXPECT_EQ(loop_->status().down, 7);
}

TEST_F(ScrapeLoopTest, RedirectsAreOnlyFollowedWhenAllowed) {
  ServerResponse moved;
  moved.status = 302;
  moved.headers = {{"Location", "/ok"}};
  peer_.Serve("/moved", moved);
  peer_.ServeText("/ok", "a 1\n");
  job_.http.follow_redirects = false;
  Apply({MakeTarget("/moved")});
  Advance(kInterval);
  Take(1);
  EXPECT_THAT(StatusOf("/moved").last.error, HasSubstr("HTTP status 302"));
  EXPECT_EQ(peer_.requests("/ok"), 0);
}

TEST_F(ScrapeLoopTest, AnAnswerMustBeWholeWithinTheTimeout) {
  Gate stuck;
  stuck.Close();
  auto server = HttpServer::Start({.thread_per_connection = true, .cert_pem = {}, .key_pem = {}},
                                  [&](const ServerRequest&) {
                                    stuck.Pass();
                                    return ServerResponse();
                                  })
                    .value();
  timeout_ = absl::Milliseconds(50);  // of real time: the network knows no other
  Target target = MakeTarget("/slow");
  target.url = absl::StrCat("http://127.0.0.1:", server->port(), "/slow");
  Apply({target});
  Advance(kInterval);
  const std::vector<Shipment> shipments = Take(1);
  EXPECT_EQ(Up(shipments[0]), 0);
  EXPECT_THAT(StatusOf("/slow").last.error, HasSubstr("timed out after 50ms"));
  stuck.Open();
}

TEST_F(ScrapeLoopTest, AFailureMarksTheSeriesStaleOnce) {
  peer_.ServeText("/m", "a 1\nb 2\n");
  Apply({MakeTarget("/m")});
  Advance(kInterval);
  Take(1);
  ServerResponse broken;
  broken.status = 500;
  peer_.Serve("/m", broken);
  Advance(kInterval);
  const std::vector<Shipment> failed = Take(1);
  EXPECT_EQ(Up(failed[0]), 0);
  EXPECT_EQ(failed[0].samples, 2 + 5);
  Advance(kInterval);
  EXPECT_EQ(Take(1)[0].samples, 5);
}

TEST_F(ScrapeLoopTest, LargeBodiesArriveWholeAndPauseWhileTheParserIsBusy) {
  std::string body;
  for (int i = 0; body.size() < (size_t{6} << 20); ++i) {
    absl::StrAppend(&body, "istio_requests_total{source=\"a\",n=\"", i, "\"} ", i, "\n");
  }
  const size_t lines = static_cast<size_t>(std::count(body.begin(), body.end(), '\n'));
  peer_.ServeText("/small1", "a 1\n");
  peer_.ServeText("/small2", "a 1\n");
  gate_.Close();
  Apply({MakeTarget("/small1"), MakeTarget("/small2")});
  Advance(kInterval);
  ASSERT_TRUE(Await([&] { return gate_.waiting() == 2; }));  // both parser threads are busy
  peer_.ServeText("/large", body);
  timeout_ = absl::Seconds(60);
  Apply({MakeTarget("/small1"), MakeTarget("/small2"), MakeTarget("/large")});
  Advance(kInterval);
  ASSERT_TRUE(Await([&] { return loop_->status().pauses > 0; }));
  gate_.Open();
  size_t largest = 0;
  for (const Shipment& shipment : Take(3)) {
    EXPECT_EQ(Up(shipment), 1);
    largest = std::max(largest, shipment.scrape.body_values.size());
  }
  EXPECT_EQ(largest, lines);
  EXPECT_EQ(StatusOf("/large").last.body_bytes, body.size());
  EXPECT_EQ(loop_->status().skipped_ticks, 2);  // the two small ones were still busy
}

TEST_F(ScrapeLoopTest, AStuckTargetDelaysNoOther) {
  peer_.ServeText("/stuck", "a 1\nb 2\nc 3\n");
  peer_.ServeText("/other", "a 1\n");
  held_values_ = 3;
  gate_.Close();
  Apply({MakeTarget("/stuck"), MakeTarget("/other")});
  for (int i = 0; i < 3; ++i) {
    Advance(kInterval);
    EXPECT_EQ(Take(1)[0].scrape.body_values.size(), 1);
  }
  ASSERT_TRUE(Await([&] { return gate_.waiting() == 1; }));
  EXPECT_EQ(peer_.requests("/stuck"), 1);
  EXPECT_EQ(loop_->status().skipped_ticks, 2);
}

TEST_F(ScrapeLoopTest, AGoneTargetEndsAtItsNextSlotAfterAnotherIntervalAndATenth) {
  peer_.ServeText("/m", "a 1\nb 2\n");
  const Target target = MakeTarget("/m");
  Apply({target});
  Advance(kInterval);
  const int64_t last = Take(1)[0].scrape.timestamp_ms;
  const int64_t stamp = NextSlot(target);
  EXPECT_GT(stamp, last);
  Apply({});
  AdvanceTo(stamp + 15'000 + 1'499 - 1);
  EXPECT_EQ(loop_->status().totals.end_of_runs, 0);
  Advance(absl::Milliseconds(2));  // slots have fractions of milliseconds
  const std::vector<Shipment> end = Take(1);
  ASSERT_EQ(end.size(), 1);
  EXPECT_EQ(end[0].scrape.timestamp_ms, stamp);
  EXPECT_TRUE(end[0].scrape.all_stale);
  EXPECT_TRUE(end[0].scrape.report_stale);
  EXPECT_EQ(end[0].samples, 2 + 5);
  EXPECT_THAT(end[0].retired_blocks, testing::Not(IsEmpty()));
  EXPECT_EQ(peer_.requests("/m"), 1);
}

TEST_F(ScrapeLoopTest, ATargetThatWasNeverScrapedEndsSilently) {
  const Target target = MakeTarget("/m");
  Apply({target});
  Apply({});
  Advance(3 * kInterval);
  peer_.ServeText("/other", "a 1\n");
  Apply({MakeTarget("/other")});
  Advance(kInterval);
  EXPECT_EQ(Take(1).size(), 1);
  EXPECT_EQ(loop_->status().totals.end_of_runs, 0);
}

TEST_F(ScrapeLoopTest, ATargetThatReturnsInTimeOrByReloadKeepsItsMemory) {
  peer_.ServeText("/m", "a 1\nb 2\n");
  Apply({MakeTarget("/m")});
  Advance(kInterval);
  Take(1);
  Apply({});
  Advance(kInterval);
  peer_.ServeText("/m", "a 1\n");
  job_.sample_limit = 1000;  // a new job object, as after a reload
  Apply({MakeTarget("/m")});
  Advance(kInterval);
  const std::vector<Shipment> again = Take(1);
  ASSERT_EQ(again.size(), 1);
  EXPECT_FALSE(again[0].scrape.all_stale);
  EXPECT_EQ(again[0].scrape.body_values.size(), 1);
  EXPECT_EQ(again[0].samples, 1 + 1 + 5);  // a, the marker of b, the report
  EXPECT_EQ(StatusOf("/m").scrapes, 2);
}

TEST_F(ScrapeLoopTest, ATargetThatMovedToAnotherUrlIsNotMarkedStale) {
  peer_.ServeText("/old", "a 1\n");
  peer_.ServeText("/new", "a 1\n");
  Apply({MakeTarget("/old", "same")});
  Advance(kInterval);
  Take(1);
  Apply({MakeTarget("/new", "same")});
  for (int i = 0; i < 3; ++i) {
    Advance(kInterval);
    ASSERT_TRUE(Await([&] { return Scraped(2 + i); }));
  }
  ASSERT_TRUE(Await([&] { return loop_->status().totals.end_of_runs == 1; }));
  uint64_t markers = 0, retired = 0;
  for (const Shipment& shipment : Take(4)) {
    markers += shipment.scrape.all_stale || shipment.scrape.report_stale ? 1 : 0;
    retired += shipment.retired_blocks.size();
  }
  EXPECT_EQ(markers, 0);
  EXPECT_GT(retired, 0);
}

TEST_F(ScrapeLoopTest, TargetLimitFailsAllTargetsWithoutARequest) {
  job_.target_limit = 1;
  const auto job = std::make_shared<const ScrapeJob>(job_);
  Target a = MakeTarget("/a"), b = MakeTarget("/b");
  a.job = b.job = job;
  Apply({a, b});
  Advance(kInterval);
  for (const Shipment& shipment : Take(2)) EXPECT_EQ(Up(shipment), 0);
  EXPECT_THAT(StatusOf("/a").last.error, HasSubstr("target_limit exceeded"));
  EXPECT_EQ(peer_.requests("/a") + peer_.requests("/b"), 0);
  peer_.ServeText("/a", "a 1\n");
  Apply({a});
  Advance(kInterval);
  EXPECT_EQ(Up(Take(1)[0]), 1);
}

TEST_F(ScrapeLoopTest, ASupersededForwarderStopsScrapingUntilItsSuccessorIsGone) {
  peer_.ServeText("/m", "a 1\n");
  Apply({MakeTarget("/m")});
  superseded_ = true;
  Advance(absl::Seconds(2));
  ASSERT_TRUE(Await([&] { return loop_->status().superseded; }));
  Advance(4 * kInterval);
  superseded_ = false;
  Advance(absl::Seconds(2));
  ASSERT_TRUE(Await([&] { return !loop_->status().superseded; }));
  EXPECT_EQ(peer_.requests("/m"), 0);
  Advance(kInterval);
  EXPECT_EQ(Up(Take(1)[0]), 1);
}

TEST_F(ScrapeLoopTest, TimestampsRiseAfterASmallStepBackOfTheClock) {
  peer_.ServeText("/m", "a 1\n");
  Apply({MakeTarget("/m")});
  Advance(kInterval);
  int64_t last = Take(1)[0].scrape.timestamp_ms;
  clock_.SetNow(clock_.Now() - absl::Minutes(5));
  loop_->Wakeup();
  ASSERT_TRUE(Await([&] { return loop_->status().clock_small_steps == 1; }));
  for (int i = 0; i < 5; ++i) {
    Advance(kInterval * 10 / 9);
    const int64_t now = Take(1)[0].scrape.timestamp_ms;
    EXPECT_GT(now, last);
    last = now;
  }
  EXPECT_EQ(loop_->status().clock_large_steps, 0);
}

TEST_F(ScrapeLoopTest, ALargeStepBackIsFollowedAndCounted) {
  peer_.ServeText("/m", "a 1\n");
  Apply({MakeTarget("/m")});
  Advance(kInterval);
  const int64_t before = Take(1)[0].scrape.timestamp_ms;
  clock_.SetNow(clock_.Now() - absl::Hours(5));
  loop_->Wakeup();
  ASSERT_TRUE(Await([&] { return loop_->status().clock_large_steps == 1; }));
  Advance(kInterval);
  EXPECT_LT(Take(1)[0].scrape.timestamp_ms, before - 4 * 3'600'000);
}

TEST_F(ScrapeLoopTest, StopWritesNoMarkers) {
  peer_.ServeText("/m", "a 1\n");
  Apply({MakeTarget("/m")});
  Advance(kInterval);
  Take(1);
  loop_->Stop();
  MutexLock lock(mu_);
  EXPECT_TRUE(shipments_.empty());
}

}  // namespace
}  // namespace ampari
