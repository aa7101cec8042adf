#include "forwarder/status.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <memory>
#include <set>
#include <string>

#include "common/config/yaml_document.h"
#include "tests/support/temp_dir.h"

namespace ampari {
namespace {

using ::testing::HasSubstr;

TargetStatus Status(const std::string& url) {
  ScrapeJob job;
  job.job_name = "mesh";
  Target target;
  target.job = std::make_shared<const ScrapeJob>(job);
  target.labels = Labels{{"instance", "a"}, {"quote", "\"\\\n\xff"}};
  target.discovered_labels = Labels{{"__address__", "a:1"}};
  target.url = url;
  target.id = url;
  target.interval = absl::Seconds(15);
  target.timeout = absl::Seconds(10);
  TargetStatus status;
  status.target = std::make_shared<const Target>(target);
  return status;
}

// JSON is YAML: what the pages say is read back by another program's rules.
TEST(Status, TargetsAreJson) {
  ForwarderView view;
  view.targets = {Status("http://b/"), Status("http://a/")};
  TargetStatus& b = view.targets[0];
  b.health = TargetHealth::kDown;
  b.scrapes = 3;
  b.last_scrape = absl::FromUnixMillis(1'700'000'000'123);
  b.last_duration_seconds = 0.25;
  b.last.error = "server returned HTTP status 503";
  b.last.samples_scraped = 7;
  b.series = 9;
  view.dropped = {{{"mesh", Labels{{"__address__", "c:1"}}, "dropped by relabel_configs"}}, 12};
  view.files = {{"mesh", {"/t.json", "line 1: bad", 4}}};
  view.shipping.gateway = "gw:4750";
  const std::string text = TargetsJson(view);
  std::vector<YamlProblem> problems;
  const YamlNode root = ParseYaml(text, &problems);
  ASSERT_TRUE(problems.empty()) << text;
  const auto& targets = root.Find("targets")->items;
  ASSERT_EQ(targets.size(), 2);
  EXPECT_EQ(targets[0].Find("url")->text, "http://a/");  // sorted
  EXPECT_EQ(targets[0].Find("health")->text, "unknown");
  EXPECT_EQ(targets[0].Find("last_scrape")->kind, YamlNode::Kind::kNull);
  const YamlNode& down = targets[1];
  EXPECT_EQ(down.Find("job")->text, "mesh");
  EXPECT_EQ(down.Find("health")->text, "down");
  EXPECT_EQ(down.Find("last_error")->text, "server returned HTTP status 503");
  EXPECT_EQ(down.Find("last_scrape")->text, "1700000000.123");
  EXPECT_EQ(down.Find("last_scrape_duration_seconds")->text, "0.25");
  EXPECT_EQ(down.Find("scrapes")->text, "3");
  EXPECT_EQ(down.Find("samples")->text, "7");
  EXPECT_EQ(down.Find("series")->text, "9");
  EXPECT_EQ(down.Find("labels")->Find("quote")->text, "\"\\\n\xEF\xBF\xBD");
  EXPECT_EQ(down.Find("discovered_labels")->Find("__address__")->text, "a:1");
  EXPECT_EQ(root.Find("dropped")->items[0].Find("reason")->text, "dropped by relabel_configs");
  EXPECT_EQ(root.Find("dropped_total")->text, "12");
  EXPECT_EQ(root.Find("files")->items[0].Find("error")->text, "line 1: bad");
  EXPECT_EQ(root.Find("gateway")->Find("address")->text, "gw:4750");
}

std::string Metrics() {
  MetricsRegistry registry;
  registry.Add(ProcessCollector("ampari_forwarder"));
  registry.Add([](std::vector<MetricFamily>& families) {
    ForwarderView view;
    view.scraping.up = 3;
    view.scraping.totals.failures[static_cast<size_t>(ScrapeFailure::kTimeout)] = 2;
    view.shipping.ring_bytes = 77;
    view.shipping.ring_unacknowledged_bytes = 55;
    view.shipping.ring_max_bytes = 99;
    view.shipping.superseded_total = 2;
    view.shipping.refused = true;
    view.logs.running = true;  // promtool sees its families too
    AppendForwarderMetrics(view, families);
  });
  return registry.Render();
}

TEST(Status, MetricsShowTheView) {
  const std::string text = Metrics();
  EXPECT_THAT(text, HasSubstr("ampari_forwarder_targets{health=\"up\"} 3\n"));
  EXPECT_THAT(text, HasSubstr("ampari_forwarder_scrape_failures_total{reason=\"timeout\"} 2\n"));
  EXPECT_THAT(text, HasSubstr("ampari_forwarder_ring_bytes 77\n"));
  EXPECT_THAT(text, HasSubstr("ampari_forwarder_ring_unacknowledged_bytes 55\n"));
  EXPECT_THAT(text, HasSubstr("ampari_forwarder_ring_max_bytes 99\n"));
  EXPECT_THAT(text, HasSubstr("ampari_forwarder_superseded_total 2\n"));
  EXPECT_THAT(text, HasSubstr("ampari_forwarder_gateway_refused 1\n"));
  EXPECT_THAT(text, HasSubstr("\nprocess_resident_memory_bytes "));
}

TEST(Status, NothingOfAStreamThatWasNeverBegun) {
  ForwarderView view;
  view.ships_metrics = false;
  std::vector<MetricFamily> families;
  AppendForwarderMetrics(view, families);
  for (const MetricFamily& family : families) {
    EXPECT_EQ(family.name.find("gateway"), std::string::npos) << family.name;
  }
  EXPECT_THAT(TargetsJson(view), HasSubstr("\"gateway\":null"));
}

TEST(Status, PromtoolFindsNothingWrong) {
  if (std::system("command -v promtool > /dev/null 2>&1") != 0) GTEST_SKIP() << "no promtool";
  const TempDir dir;
  const std::string file = dir.Write("metrics", Metrics());
  const std::string command =
      "promtool check metrics < " + file + " > " + dir.File("out") + " 2>&1";
  EXPECT_EQ(std::system(command.c_str()), 0);
}

}  // namespace
}  // namespace ampari
