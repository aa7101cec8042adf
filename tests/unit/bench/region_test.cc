#include "bench/region/region.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "tests/support/status_matchers.h"
#include "tests/unit/bench/write_requests.h"

namespace ampari::bench {
namespace {

using ::testing::HasSubstr;

const LabelPairs kUp = {{"__name__", "up"}, {"instance", "a:1"}};

class RegionTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto region = Region::Start({});
    ASSERT_THAT(region, IsOk());
    region_ = *std::move(region);
  }

  HttpResponse Push(const LabelPairs& labels,
                    const std::vector<std::pair<int64_t, double>>& samples,
                    const std::string& frames = "") {
    prometheus::WriteRequest request;
    AddSeries(request, labels, samples);
    return FetchOnce(
        PushRequest(region_->push_url(), Compress(request.SerializeAsString()), frames));
  }

  HttpResponse Control(const std::string& path, const std::string& method = "GET",
                       const std::string& body = "") {
    HttpRequest request;
    request.url = "http://127.0.0.1:" + std::to_string(region_->control_port()) + path;
    request.method = method;
    if (!body.empty()) request.body = std::make_shared<const std::string>(body);
    return FetchOnce(std::move(request));
  }

  TenantCounts Counts() const { return region_->Report().Total(); }

  std::unique_ptr<Region> region_;
};

TEST_F(RegionTest, KeepsEverySampleExactly) {
  EXPECT_EQ(Push(kUp, {{1000, 1}, {2000, 0.1}}).status, 200);
  EXPECT_EQ(Push({{"__name__", "b"}, {"x", "quote\" back\\ line\n"}}, {{5, -0.0}}).status, 200);
  EXPECT_EQ(Control("/samples?tenant=tenant-a").body,
            "{__name__=\"b\",x=\"quote\\\" back\\\\ line\\n\"}\t5\t8000000000000000\n"
            "{__name__=\"up\",instance=\"a:1\"}\t1000\t3ff0000000000000\n"
            "{__name__=\"up\",instance=\"a:1\"}\t2000\t3fb999999999999a\n");
  EXPECT_EQ(Control("/samples?tenant=tenant-a&format=compact").body,
            "{__name__=\"b\",x=\"quote\\\" back\\\\ line\\n\"}\n5\t8000000000000000\n"
            "{__name__=\"up\",instance=\"a:1\"}\n1000\t3ff0000000000000\n2000\t3fb999999999999a\n");
  EXPECT_EQ(Counts().samples, 3u);
  EXPECT_EQ(Counts().series, 2u);
}

TEST_F(RegionTest, TellsArrivalsApart) {
  Push(kUp, {{1000, 1}, {3000, 3}}, "tenant-a/metrics;lane=7;frames=10-12");
  Push(kUp, {{1000, 1}}, "tenant-a/metrics;lane=7;frames=11-11");  // shares a frame: a resend
  Push(kUp, {{3000, 3}}, "tenant-a/metrics;lane=7;frames=13-13");  // another frame: a double
  Push(kUp, {{3000, 3}}, "tenant-a/metrics;lane=8;frames=10-12");  // another lane: a double
  Push(kUp, {{3000, 4}}, "tenant-a/metrics;lane=7;frames=14-14");  // another value: a conflict
  Push(kUp, {{2000, 2}}, "tenant-a/metrics;lane=7;frames=15-15");  // unknown and older
  const TenantCounts counts = Counts();
  EXPECT_EQ(counts.samples, 3u);
  EXPECT_EQ(counts.resends, 1u);
  EXPECT_EQ(counts.doubles, 2u);
  EXPECT_EQ(counts.conflicts, 1u);
  EXPECT_EQ(counts.out_of_order, 1u);
  EXPECT_THAT(Control("/report").body,
              HasSubstr("double: {__name__=\\\"up\\\",instance=\\\"a:1\\\"} at 3000"));
}

TEST_F(RegionTest, StaleMarkersAreValuesLikeOthers) {
  double stale = 0;
  const uint64_t bits = 0x7ff0000000000002;
  std::memcpy(&stale, &bits, sizeof stale);
  Push(kUp, {{1000, stale}});
  Push(kUp, {{1000, stale}});
  EXPECT_EQ(Counts().resends, 1u);
  EXPECT_THAT(Control("/samples?tenant=tenant-a").body, HasSubstr("\t1000\t7ff0000000000002\n"));
}

struct BadSeries {
  const char* reason;
  LabelPairs labels;
};

TEST_F(RegionTest, RefusesLabelsThatBreakTheRules) {
  const BadSeries cases[] = {
      {"labels not sorted", {{"__name__", "a"}, {"z", "1"}, {"b", "1"}}},
      {"repeated label name", {{"__name__", "a"}, {"b", "1"}, {"b", "2"}}},
      {"empty label name", {{"", "x"}, {"__name__", "a"}}},
      {"empty label value", {{"__name__", "a"}, {"b", ""}}},
      {"invalid label name", {{"__name__", "a"}, {"b-c", "1"}}},
      {"invalid metric name", {{"__name__", "a b"}}},
      {"label value is not UTF-8", {{"__name__", "a"}, {"b", "\xff"}}},
      {"label value is not UTF-8", {{"__name__", "a"}, {"b", "\xed\xa0\x80"}}},
      {"no metric name", {{"b", "1"}}},
  };
  for (const BadSeries& c : cases) {
    const HttpResponse response = Push(c.labels, {{1, 1}});
    EXPECT_EQ(response.status, 400) << c.reason;
    EXPECT_EQ(response.body, std::string(c.reason) + "\n");
  }
  EXPECT_EQ(region_->Report().malformed.at("label value is not UTF-8"), 2u);
  EXPECT_EQ(Counts().samples, 0u);
}

TEST_F(RegionTest, AMalformedRequestStoresNothing) {
  prometheus::WriteRequest request;
  AddSeries(request, kUp, {{1, 1}});
  AddSeries(request, {{"__name__", "b"}}, {{2, 1}, {1, 1}});
  EXPECT_EQ(
      FetchOnce(PushRequest(region_->push_url(), Compress(request.SerializeAsString()))).status,
      400);
  const std::string plain = request.SerializeAsString();
  EXPECT_EQ(FetchOnce(PushRequest(region_->push_url(), Compress(plain.substr(0, 20)))).status, 400);
  EXPECT_EQ(FetchOnce(PushRequest(region_->push_url(), plain)).status, 400);
  EXPECT_EQ(
      FetchOnce(PushRequest(region_->push_url(), std::string("\xff\xff\xff\xff\x0f", 5))).status,
      400);
  EXPECT_EQ(Counts().samples, 0u);
}

struct HeadCase {
  const char* header;
  const char* value;
  int status;
};

TEST_F(RegionTest, DemandsTheHeadersOfTheProtocol) {
  const HeadCase cases[] = {
      {"Content-Encoding", "gzip", 400},
      {"Content-Type", "application/json", 415},
      {"X-Prometheus-Remote-Write-Version", "1.0.0", 400},
      {"X-Scope-OrgID", "a/b", 400},
  };
  for (const HeadCase& c : cases) {
    HttpRequest request = PushRequest(region_->push_url(), Compress(""));
    for (auto& [name, value] : request.headers) {
      if (name == c.header) value = c.value;
    }
    EXPECT_EQ(FetchOnce(std::move(request)).status, c.status) << c.header;
  }
  EXPECT_EQ(FetchOnce(PushRequest(region_->push_url(), Compress(""))).status, 200)
      << "an empty request is fine";
}

TEST_F(RegionTest, AnswersAsScripted) {
  EXPECT_EQ(Control("/control?status=503&retry_after=2&times=2", "POST").status, 204);
  for (int i = 0; i < 2; ++i) {
    const HttpResponse refused = Push(kUp, {{1, 1}});
    EXPECT_EQ(refused.status, 503);
    EXPECT_EQ(refused.Header("retry-after"), "2");
  }
  EXPECT_EQ(Push(kUp, {{1, 1}}).status, 200);
  EXPECT_EQ(Control("/control", "POST", "{\"mode\":\"down\",\"times\":1}").status, 204);
  EXPECT_THAT(Push(kUp, {{2, 1}}).transport, StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_EQ(Counts().samples, 1u);
  EXPECT_EQ(Control("/control?mode=commit_then_close&times=1", "POST").status, 204);
  EXPECT_THAT(Push(kUp, {{3, 1}}).transport, StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_EQ(Counts().samples, 2u);
  EXPECT_EQ(Push(kUp, {{3, 1}}).status, 200);
  EXPECT_EQ(Counts().resends, 1u);
  EXPECT_EQ(Control("/control?max_bytes=3", "POST").status, 204);
  EXPECT_EQ(Push(kUp, {{4, 1}}).status, 413);
  for (const char* wrong : {"/control?mode=odd", "/control?status=9000", "/control?colour=red"}) {
    EXPECT_EQ(Control(wrong, "POST").status, 400) << wrong;
  }
  EXPECT_EQ(region_->Report().statuses.at(503), 2u);
  EXPECT_EQ(region_->Report().statuses.at(0), 2u);
}

TEST_F(RegionTest, OneTenantsBehaviourIsItsOwn) {
  ASSERT_THAT(region_->Control({{"status", "500"}}, "tenant-b"), IsOk());
  EXPECT_EQ(Push(kUp, {{1, 1}}).status, 200);
  HttpRequest other = PushRequest(region_->push_url(), Compress(""));
  other.headers[3].second = "tenant-b";
  EXPECT_EQ(FetchOnce(std::move(other)).status, 500);
}

TEST_F(RegionTest, HangsUntilTold) {
  ASSERT_THAT(region_->Control({{"mode", "hang"}}), IsOk());
  HttpLoop loop;
  std::atomic<bool> done = false;
  loop.Start(PushRequest(region_->push_url(), Compress("")),
             {nullptr, nullptr, [&](HttpResponse) { done = true; }});
  loop.Poll(absl::Milliseconds(20));
  loop.Poll(absl::Milliseconds(20));
  EXPECT_FALSE(done);
  std::thread teller([&] {
    while (!done) {
      EXPECT_THAT(region_->Control({{"mode", "ok"}}), IsOk());
      std::this_thread::yield();
    }
  });
  while (!done) loop.Poll(absl::Milliseconds(10));
  teller.join();
}

TEST_F(RegionTest, AsksForATokenWhereOneIsSet) {
  ASSERT_THAT(region_->Control({{"token", "s3cret"}}), IsOk());
  const std::pair<const char*, int> cases[] = {{"Bearer s3cret", 200},
                                               {"Bearer wrong", 401},
                                               {"Basic dXNlcjpzM2NyZXQ=", 200},
                                               {"Basic dXNlcjp3cm9uZw==", 401}};
  EXPECT_EQ(Push(kUp, {{1, 1}}).status, 401);
  for (const auto& [authorization, status] : cases) {
    HttpRequest request = PushRequest(region_->push_url(), Compress(""));
    request.headers.emplace_back("Authorization", authorization);
    EXPECT_EQ(FetchOnce(std::move(request)).status, status) << authorization;
  }
}

TEST_F(RegionTest, RefusesAMetricWithOrWithoutTheRest) {
  prometheus::WriteRequest request;
  AddSeries(request, kUp, {{1, 1}});
  AddSeries(request, {{"__name__", "bad"}}, {{1, 1}});
  const std::string body = Compress(request.SerializeAsString());
  ASSERT_THAT(region_->Control({{"reject_metric", "bad"}, {"partial", "false"}}), IsOk());
  EXPECT_EQ(FetchOnce(PushRequest(region_->push_url(), body)).status, 400);
  EXPECT_EQ(Counts().samples, 0u);
  ASSERT_THAT(region_->Control({{"partial", "true"}}), IsOk());
  EXPECT_EQ(FetchOnce(PushRequest(region_->push_url(), body)).status, 400);
  EXPECT_EQ(Counts().samples, 1u);
}

struct OrderCase {
  const char* what;
  int64_t timestamp;
  double value;
  int status;
};

TEST_F(RegionTest, InOrderOnlyRefusesAsPrometheusDoes) {
  ASSERT_THAT(region_->Control({{"in_order_only", "true"}}), IsOk());
  EXPECT_EQ(Push(kUp, {{1000, 1}, {2000, 2}}).status, 200);
  const OrderCase cases[] = {
      {"the newest again", 2000, 2, 200},   {"the newest with another value", 2000, 3, 400},
      {"an older one again", 1000, 1, 400}, {"older and unknown", 1500, 1, 400},
      {"a newer one", 3000, 1, 200},
  };
  for (const OrderCase& c : cases)
    EXPECT_EQ(Push(kUp, {{c.timestamp, c.value}}).status, c.status) << c.what;
  ASSERT_THAT(region_->Control({{"out_of_order_window_s", "1"}}), IsOk());
  EXPECT_EQ(Push(kUp, {{2500, 1}}).status, 200);
  EXPECT_EQ(Push(kUp, {{1500, 1}}).status, 400);
}

TEST_F(RegionTest, RefusesWhatIsTooOldForItsWindow) {
  ASSERT_THAT(region_->Control({{"too_old_window_s", "3600"}}), IsOk());
  EXPECT_EQ(Push(kUp, {{10'000'000, 1}}).status, 200);
  const LabelPairs other = {{"__name__", "fresh_series"}};
  EXPECT_EQ(Push(other, {{10'000'000 - 3'600'001, 1}}).status, 400);
  EXPECT_EQ(Push(other, {{10'000'000 - 3'600'000, 1}}).status, 200);
}

TEST_F(RegionTest, KeepsMetadata) {
  prometheus::WriteRequest request;
  prometheus::MetricMetadata* entry = request.add_metadata();
  entry->set_metric_family_name("istio_requests_total");
  entry->set_type(prometheus::MetricMetadata::COUNTER);
  entry->set_help("Requests.");
  EXPECT_EQ(
      FetchOnce(PushRequest(region_->push_url(), Compress(request.SerializeAsString()))).status,
      200);
  EXPECT_EQ(Control("/metadata?tenant=tenant-a").body, "istio_requests_total\t1\t\tRequests.\n");
}

TEST_F(RegionTest, ResetForgetsSamples) {
  Push(kUp, {{1, 1}});
  EXPECT_EQ(Control("/reset", "POST").status, 204);
  EXPECT_EQ(Counts().samples, 0u);
  EXPECT_EQ(Control("/samples?tenant=tenant-a").body, "");
}

}  // namespace
}  // namespace ampari::bench
