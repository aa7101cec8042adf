// One target over several scrapes: staleness, limits, rollback, report series, timestamps, layouts
// and blocks.
#include "forwarder/scrape/target_state.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <sstream>

#include "tests/unit/forwarder/scrape/scraped_bodies.h"

namespace ampari {
namespace {

using ::testing::ElementsAre;
using ::testing::Gt;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;
using ::testing::SizeIs;

using Samples = std::map<std::string, std::string>;

std::string S(std::string_view name) {
  return absl::StrCat("{__name__=\"", std::string(name), "\", instance=\"i\", job=\"j\"}");
}

ScrapeEnd Refused() {
  ScrapeEnd end;
  end.transport = absl::UnavailableError("connection refused");
  return end;
}

TEST(Staleness, VanishedSeries) {
  ScrapedBodies target;
  target.Scrape("a 1\nb 2\n");
  EXPECT_THAT(target.Scrape("b 3\n"), ElementsAre(Pair(S("a"), "stale"), Pair(S("b"), "3")));
  EXPECT_THAT(target.Scrape("b 4\n"), ElementsAre(Pair(S("b"), "4"))) << "told once";
}

TEST(Staleness, FailuresMarkEverythingOnce) {
  const std::string good = "a 1\nb 2\n";
  struct Row {
    const char* name;
    std::string body;
    ScrapeEnd end;
  };
  std::vector<Row> rows = {{"parse error", "a 1\nb x\n", {}},
                           {"refused", "", Refused()},
                           {"empty body", "", {}},
                           {"refused in mid-body", "a 1\n", Refused()},
                           {"body limit", "a 1\n", {}},
                           {"target limit", good, {}}};
  rows[4].end.body_limit_hit = true;
  rows[5].end.target_limit_hit = true;
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    ScrapedBodies target;
    target.Scrape(good);
    EXPECT_THAT(target.Scrape(row.body, row.end),
                ElementsAre(Pair(S("a"), "stale"), Pair(S("b"), "stale")));
    EXPECT_THAT(target.Scrape(row.body, row.end), IsEmpty());
    EXPECT_THAT(target.Scrape(good), ElementsAre(Pair(S("a"), "1"), Pair(S("b"), "2")));
    EXPECT_THAT(target.shipment().registrations, IsEmpty()) << "nothing is registered twice";
    target.Scrape(row.body, row.end);
    EXPECT_THAT(target.Scrape("b 5\n"), ElementsAre(Pair(S("b"), "5"))) << "a has its marker";
  }
}

TEST(Staleness, EndOfRun) {
  ScrapedBodies fresh;
  EXPECT_THAT(fresh.EndOfRun(), IsEmpty());
  EXPECT_EQ(fresh.shipment().samples, 0u);

  ScrapedBodies target;
  target.Scrape("a 1\n");
  EXPECT_THAT(target.EndOfRun(), ElementsAre(Pair(S("a"), "stale")));
  EXPECT_THAT(target.report(), SizeIs(5));
  EXPECT_EQ(target.report().at("up"), "stale");
  EXPECT_EQ(target.replay().living_blocks(), 0u);
  EXPECT_THAT(target.EndOfRun(), IsEmpty());
  EXPECT_THAT(target.Scrape("a 1\n"), ElementsAre(Pair(S("a"), "1"))) << "it may come back";

  target.Scrape("", Refused());
  EXPECT_THAT(target.EndOfRun(), IsEmpty()) << "the series have their markers already";
  EXPECT_EQ(target.report().at("up"), "stale");
}

TEST(Staleness, OwnTimestampsAreNotTracked) {
  const auto body = [](const ScrapedBodies& target) {
    return absl::StrCat("a 1 ", target.now_ms(), "\nb 2\n");
  };
  ScrapedBodies target;
  EXPECT_THAT(target.Scrape(body(target)), SizeIs(2));
  EXPECT_THAT(target.Scrape("b 2\n"), ElementsAre(Pair(S("b"), "2")));
  target.Scrape(body(target));
  EXPECT_THAT(target.Scrape("", Refused()), ElementsAre(Pair(S("b"), "stale")));

  auto job = std::make_shared<ScrapeJob>();
  job->track_timestamps_staleness = true;
  ScrapedBodies tracking(job);
  tracking.Scrape(body(tracking));
  EXPECT_THAT(tracking.Scrape("b 2\n"), ElementsAre(Pair(S("a"), "stale"), Pair(S("b"), "2")));

  job = std::make_shared<ScrapeJob>();
  job->honor_timestamps = false;
  ScrapedBodies ignoring(job);
  EXPECT_EQ(ignoring.Scrape(body(ignoring)).at(S("a")), "1");
  EXPECT_THAT(ignoring.Scrape("b 2\n"), ElementsAre(Pair(S("a"), "stale"), Pair(S("b"), "2")));
}

TEST(Timestamps, OrderAndRepetition) {
  ScrapedBodies target;
  const int64_t t = kFirstScrapeMs;
  const auto at = [&](int64_t time, int value) {
    return absl::StrCat("a ", value, " ", time, "\n");
  };
  EXPECT_THAT(target.Scrape(at(t, 1)), ElementsAre(Pair(S("a"), absl::StrCat("1@", t))));
  EXPECT_THAT(target.Scrape(at(t, 1)), IsEmpty()) << "the same sample again";
  EXPECT_EQ(target.summary.duplicates, 0u);
  EXPECT_THAT(target.Scrape(at(t, 2)), IsEmpty());
  EXPECT_EQ(target.summary.duplicates, 1u);
  EXPECT_THAT(target.Scrape(at(t - 1, 2)), IsEmpty());
  EXPECT_EQ(target.summary.out_of_order, 1u);
  EXPECT_TRUE(target.summary.up);
  EXPECT_EQ(target.report().at("scrape_samples_post_metric_relabeling"), "1");
  EXPECT_THAT(target.Scrape(at(t + 9'000'000, 2)), IsEmpty());
  EXPECT_EQ(target.summary.out_of_bounds, 1u);
  target.Scrape(at(t + 1, 3) + "broken\n");
  EXPECT_THAT(target.Scrape(at(t + 1, 4)), ElementsAre(Pair(S("a"), absl::StrCat("4@", t + 1))))
      << "what was rolled back was not stored";
  EXPECT_THAT(target.Scrape(at(t + 2, 5) + at(t + 3, 6)),
              ElementsAre(Pair(S("a"), absl::StrCat("5@", t + 2, " 6@", t + 3))))
      << "two samples of one series in one body";
}

TEST(Limits, SampleLimit) {
  auto job = std::make_shared<ScrapeJob>();
  job->sample_limit = 2;
  ScrapedBodies target(job);
  EXPECT_THAT(target.Scrape("a 1\nb 2\n"), SizeIs(2));
  EXPECT_THAT(target.Scrape("a 1\nb 2\nc 3\nd 4\n"), SizeIs(2)) << "both are stale";
  EXPECT_EQ(target.summary.error, "sample limit exceeded");
  EXPECT_EQ(target.report().at("up"), "0");
  EXPECT_EQ(target.report().at("scrape_samples_scraped"), "4") << "parsing went on";
  EXPECT_EQ(target.report().at("scrape_samples_post_metric_relabeling"), "4");
  EXPECT_EQ(target.report().at("scrape_series_added"), "0");
}

TEST(Limits, ALargeFirstScrapeRegistersInSeveralBlocks) {
  const std::string value(size_t{1} << 20, 'v');
  std::string body;
  for (int i = 0; i < 8; ++i) absl::StrAppend(&body, "m", i, "{v=\"", value, "\"} ", i, "\n");
  ScrapedBodies target;
  EXPECT_THAT(target.Scrape(body), SizeIs(8));
  EXPECT_THAT(target.shipment().registrations, SizeIs(Gt(2)));
  EXPECT_THAT(target.Scrape(body), SizeIs(8));
  EXPECT_THAT(target.shipment().registrations, IsEmpty());
  target.EndOfRun();
  EXPECT_EQ(target.replay().living_blocks(), 0u) << "all are retired";
}

TEST(Limits, SeriesThatNoBlockHoldsFailsTheScrape) {
  ScrapedBodies target;
  target.Scrape("a 1\n");
  const std::string value(size_t{4} << 20, 'v');
  EXPECT_THAT(target.Scrape(absl::StrCat("a 1\nm{v=\"", value, "\"} 1\n")),
              ElementsAre(Pair(S("a"), "stale")));
  EXPECT_EQ(target.report().at("up"), "0");
  EXPECT_THAT(target.summary.error, HasSubstr("bytes of labels"));
  EXPECT_TRUE(target.summary.limit_hit);
  EXPECT_THAT(target.shipment().registrations, IsEmpty());
}

TEST(Limits, BodySize) {
  auto job = std::make_shared<ScrapeJob>();
  job->body_size_limit = 8;
  job->extra_scrape_metrics = true;
  ScrapedBodies target(job);
  EXPECT_THAT(target.Scrape("a 12 \n"), SizeIs(1));
  EXPECT_EQ(target.report().at("scrape_body_size_bytes"), "6");
  EXPECT_THAT(target.Scrape("a 12   \n"), ElementsAre(Pair(S("a"), "stale"))) << "8 bytes reach it";
  EXPECT_EQ(target.report().at("scrape_body_size_bytes"), "-1");
  EXPECT_EQ(target.report().at("scrape_samples_scraped"), "0");
  target.Scrape("", Refused());
  EXPECT_EQ(target.report().at("scrape_body_size_bytes"), "0");
}

TEST(Limits, AScrapeThatFitsNoFrame) {
  ScrapedBodies target(std::make_shared<ScrapeJob>(), {{"job", "j"}, {"instance", "i"}}, 1000);
  target.Scrape("a 1\n");
  std::string body;
  for (int i = 0; i < 200; ++i) absl::StrAppend(&body, "a", i, " 1\n");
  EXPECT_THAT(target.Scrape(body), ElementsAre(Pair(S("a"), "stale")));
  EXPECT_THAT(target.summary.error, ::testing::HasSubstr("a frame takes 1000"));
  EXPECT_EQ(target.report().at("up"), "0");
  EXPECT_THAT(target.Scrape("a 1\n"), SizeIs(1));
}

TEST(TargetState, AValueRightBehindItsNameFindsItsSeries) {
  ScrapedBodies target;
  target.Scrape("g 1\ng_seconds-Inf\n");
  target.Scrape("g 1\ng_seconds-Inf\n");
  EXPECT_EQ(target.report().at("scrape_series_added"), "0");
}

TEST(Rollback, LeavesNoTrace) {
  ScrapedBodies target;
  target.Scrape("a 1\n");
  const size_t registered = target.replay().registered_series();
  EXPECT_THAT(target.Scrape("a 1\nb 2\nc 3\nbroken\n"), ElementsAre(Pair(S("a"), "stale")));
  EXPECT_EQ(target.replay().registered_series(), registered);
  EXPECT_EQ(target.report().at("scrape_samples_scraped"), "3");
  EXPECT_EQ(target.report().at("scrape_series_added"), "2") << "as reached";
  EXPECT_THAT(target.Scrape("a 1\nb 2\nc 3\n"), SizeIs(3));
  EXPECT_EQ(target.report().at("scrape_series_added"), "0") << "Prometheus' cache has them";
  EXPECT_EQ(target.replay().registered_series(), registered + 2);
}

TEST(Report, ValuesAndOrder) {
  auto job = std::make_shared<ScrapeJob>();
  job->extra_scrape_metrics = true;
  job->sample_limit = 100;
  ScrapedBodies target(job);
  ScrapeEnd end;
  end.duration_seconds = 0.25;
  target.Scrape("a 1\na 2\nb 3\n", end);
  EXPECT_THAT(
      target.report(),
      ElementsAre(Pair("scrape_body_size_bytes", "12"), Pair("scrape_duration_seconds", "0.25"),
                  Pair("scrape_sample_limit", "100"),
                  Pair("scrape_samples_post_metric_relabeling", "3"),
                  Pair("scrape_samples_scraped", "3"), Pair("scrape_series_added", "2"),
                  Pair("scrape_timeout_seconds", "10"), Pair("up", "1")));
  EXPECT_EQ(target.summary.duplicates, 1u);
  target.Scrape("a 1\nb 3\nc 1\n", end);
  EXPECT_EQ(target.report().at("scrape_series_added"), "1");
  target.Scrape("a 1\n", end);
  target.Scrape("a 1\nb 3\nc 1\n", end);
  EXPECT_EQ(target.report().at("scrape_series_added"), "2") << "forgotten and added again";

  ScrapedBodies failing(job);
  EXPECT_THAT(failing.Scrape("", Refused()), IsEmpty());
  EXPECT_EQ(failing.report().at("up"), "0") << "also before any success";
  EXPECT_EQ(failing.shipment().scrape.body_layout, 0u);
  failing.Reconfigure(std::make_shared<ScrapeJob>());
  failing.Scrape("a 1\n");
  EXPECT_THAT(failing.report(), SizeIs(5));
}

TEST(Layouts, UnchangedBodiesRegisterNothing) {
  ScrapedBodies target;
  target.Scrape("# TYPE a gauge\na 1\nb 2\n");
  const uint64_t layout = target.shipment().scrape.body_layout;
  EXPECT_THAT(target.Scrape("# TYPE a gauge\na 3\nb 4.5\n"),
              ElementsAre(Pair(S("a"), "3"), Pair(S("b"), "4.5")));
  EXPECT_EQ(target.shipment().scrape.body_layout, layout);
  EXPECT_THAT(target.shipment().registrations, IsEmpty());
  EXPECT_EQ(target.summary.predicted, 2u);
}

TEST(Layouts, ThereAndBackAgain) {
  ScrapedBodies target;
  const std::string a = "a 1\nb 2\nc 3\n", b = "a 1\nc 3\n";
  target.Scrape(a);
  const uint64_t layout_a = target.shipment().scrape.body_layout;
  target.Scrape(b);
  const uint64_t layout_b = target.shipment().scrape.body_layout;
  const size_t registered = target.replay().registered_series();
  for (int i = 0; i < 40; ++i) {
    EXPECT_THAT(target.Scrape(a), SizeIs(3));
    EXPECT_EQ(target.shipment().scrape.body_layout, layout_a);
    EXPECT_THAT(target.shipment().registrations, IsEmpty());
    EXPECT_EQ(target.Scrape(b).at(S("b")), "stale");
    EXPECT_EQ(target.shipment().scrape.body_layout, layout_b);
  }
  EXPECT_EQ(target.replay().registered_series(), registered);
}

TEST(Layouts, BlocksAreRetiredWhenTheirSeriesAreGone) {
  ScrapedBodies target;
  size_t most = 0;
  for (int i = 0; i < 300; ++i) {
    std::string body = "stays 1\n";
    for (int j = 0; j < 100; ++j) absl::StrAppend(&body, "s", i, "_", j, " 1\n");
    target.Scrape(body);
    most = std::max(most, target.replay().living_blocks());
  }
  EXPECT_LT(most, 30u);
  EXPECT_LT(target.state().memory_bytes(), size_t{100} << 10);
}

TEST(Metadata, ToldWhenNewOrChanged) {
  ScrapedBodies target;
  const std::string body = "# HELP a about \\\\ a\n# TYPE a counter\na 1\n# TYPE b gauge\nb 1\n";
  target.Scrape(body);
  EXPECT_THAT(target.shipment().scrape.metadata,
              ElementsAre(FamilyMetadata{"a", MetricType::kCounter, "about \\ a", ""},
                          FamilyMetadata{"b", MetricType::kGauge, "", ""}));
  target.Scrape(body);
  EXPECT_THAT(target.shipment().scrape.metadata, IsEmpty());
  target.Scrape("# HELP a other\n# TYPE a counter\na 1\nbroken\n");
  EXPECT_THAT(target.shipment().scrape.metadata, IsEmpty()) << "the scrape failed";
  target.Scrape("# HELP a other\n# TYPE a counter\na 1\n");
  EXPECT_THAT(target.shipment().scrape.metadata,
              ElementsAre(FamilyMetadata{"a", MetricType::kCounter, "other", ""}));
  for (int i = 0; i < 25; ++i) target.Scrape("c 1\n");
  target.Scrape(body);
  EXPECT_THAT(target.shipment().scrape.metadata, SizeIs(2)) << "forgotten after a while";
}

TEST(Metadata, IsBounded) {
  ScrapedBodies target;
  std::string body;
  for (int i = 0; i < 12'000; ++i) {
    absl::StrAppend(&body, "# HELP f", i, " ", std::string(i == 0 ? 100'000 : 100, 'h'), "\n");
  }
  size_t told = 0;
  for (int i = 0; i < 20; ++i) {
    target.Scrape(body);
    for (const FamilyMetadata& family : target.shipment().scrape.metadata) {
      EXPECT_LE(family.help.size(), 4096u);
      ++told;
    }
  }
  EXPECT_EQ(told, 10'000u);
}

std::string SharedFile(const char* name) {
  const char* folder = std::getenv("AMPARI_SHARED_DATA");
  std::ifstream file(absl::StrCat(folder != nullptr ? folder : "../shared/data", "/", name));
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

TEST(RealBodies, HaveTheirSamples) {
  const std::string sidecar = SharedFile("sidecar-merged-istio-1.11.4.txt");
  const std::string ztunnel = SharedFile("ztunnel-istio-1.24.txt");
  if (sidecar.empty() || ztunnel.empty()) GTEST_SKIP() << "the real bodies are not here";
  ScrapedBodies merged;
  EXPECT_THAT(merged.Scrape(sidecar), SizeIs(461));
  merged.Scrape(sidecar, {}, 1000);
  EXPECT_EQ(merged.summary.predicted, 461u);
  for (const auto protocol : {ScrapeProtocol::kText004, ScrapeProtocol::kOpenMetrics100}) {
    ScrapedBodies target;
    target.protocol = protocol;
    EXPECT_THAT(target.Scrape(ztunnel), SizeIs(64));
    EXPECT_TRUE(target.summary.up) << target.summary.error;
  }
}

}  // namespace
}  // namespace ampari
