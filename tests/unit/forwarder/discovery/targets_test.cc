#include "forwarder/discovery/targets.h"

#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "forwarder/discovery/url.h"
#include "tests/support/status_matchers.h"

namespace ampari {
namespace {

using ::testing::HasSubstr;

ScrapeJob Job() {
  ScrapeJob job;
  job.job_name = "mesh";
  job.scrape_interval = absl::Seconds(15);
  job.scrape_timeout = absl::Seconds(10);
  return job;
}

RelabelRule Rule(std::vector<std::string> sources, std::string regex, std::string target,
                 std::string replacement) {
  RelabelRule rule;
  rule.source_labels = std::move(sources);
  rule.regex = std::move(regex);
  rule.target_label = std::move(target);
  rule.replacement = std::move(replacement);
  return rule;
}

RelabelRule Set(std::string target, std::string value) {
  return Rule({}, "(.*)", std::move(target), std::move(value));
}

std::shared_ptr<const ScrapeJob> With(ScrapeJob job, const std::vector<RelabelRule>& rules) {
  job.relabel = Relabeler::Compile(rules).value();
  return std::make_shared<const ScrapeJob>(std::move(job));
}

absl::StatusOr<Target> Build(const std::shared_ptr<const ScrapeJob>& job, std::string_view address,
                             const Labels& group = {}, const Labels& external = {}) {
  return BuildTarget(job, DiscoveredLabels(*job, address, group), external);
}

// prometheus/prometheus scrape/target_test.go, TestPopulateLabels, first case.
TEST(Targets, DefaultsAreFilledInWhereUnset) {
  ScrapeJob job = Job();
  job.scheme = "https";
  job.metrics_path = "/stats/prometheus";
  job.params = {{"a", {"1", "2"}}, {"b", {}}};
  EXPECT_EQ(DiscoveredLabels(job, "1.2.3.4:1000", {{"custom", "value"}}),
            (Labels{{"__address__", "1.2.3.4:1000"},
                    {"__metrics_path__", "/stats/prometheus"},
                    {"__param_a", "1"},
                    {"__scheme__", "https"},
                    {"__scrape_interval__", "15s"},
                    {"__scrape_timeout__", "10s"},
                    {"custom", "value"},
                    {"job", "mesh"}}));
}

TEST(Targets, GroupLabelsWinOverDefaultsButNotOverTheAddress) {
  const Labels discovered = DiscoveredLabels(Job(), "a:1",
                                             {{"__address__", "b:2"},
                                              {"job", "own"},
                                              {"__scrape_interval__", "1m30s"},
                                              {"__scheme__", "x"}});
  EXPECT_EQ(discovered.Get("__address__"), "a:1");
  EXPECT_EQ(discovered.Get("job"), "own");
  EXPECT_EQ(discovered.Get("__scrape_interval__"), "1m30s");
  EXPECT_EQ(discovered.Get("__scheme__"), "x");
}

TEST(Targets, LabelsOfOneTargetWinOverTheGroups) {
  TargetGroup group{"pod/shop/cart", {"a:1", "a:2"}, {{"pod", "cart"}, {"port", "none"}}, {}};
  group.target_labels = {{{"port", "http"}, {"__address__", "b:2"}}, {{"job", "own"}}};
  const TargetSet set = BuildTargetSet({{JobTargets{With(Job(), {}), {group}}}}, {});
  ASSERT_EQ(set.targets.size(), 2);
  EXPECT_EQ(set.targets[0].labels,
            (Labels{{"instance", "a:1"}, {"job", "mesh"}, {"pod", "cart"}, {"port", "http"}}));
  EXPECT_EQ(set.targets[1].labels,
            (Labels{{"instance", "a:2"}, {"job", "own"}, {"pod", "cart"}, {"port", "none"}}));
}

TEST(Targets, MetaAndInternalLabelsStayOffTheSamples) {
  const Target target = Build(With(Job(), {}), "1.2.3.4:15020",
                              {{"__meta_pod", "p"}, {"__tmp", "t"}, {"namespace", "shop"}})
                            .value();
  EXPECT_EQ(target.labels,
            (Labels{{"instance", "1.2.3.4:15020"}, {"job", "mesh"}, {"namespace", "shop"}}));
  EXPECT_FALSE(target.internal_labels.Has("__meta_pod"));
  EXPECT_TRUE(target.internal_labels.Has("__tmp"));
  EXPECT_TRUE(target.discovered_labels.Has("__meta_pod"));
  EXPECT_EQ(target.url, "http://1.2.3.4:15020/metrics");
  EXPECT_EQ(target.interval, absl::Seconds(15));
  EXPECT_EQ(target.timeout, absl::Seconds(10));
}

TEST(Targets, InstanceIsKeptWhenSet) {
  const auto job = With(Job(), {Set("instance", "custom")});
  EXPECT_EQ(Build(job, "a:1").value().labels.Get("instance"), "custom");
}

TEST(Targets, LabelsOverrideTheJob) {
  const auto job = With(Job(), {Set("__scrape_interval__", "1m"), Set("__scrape_timeout__", "30s"),
                                Set("__scheme__", "https"), Set("__metrics_path__", "/m"),
                                Set("__address__", "b:2"), Set("__param_x", "y z")});
  const Target target = Build(job, "a:1").value();
  EXPECT_EQ(target.interval, absl::Minutes(1));
  EXPECT_EQ(target.timeout, absl::Seconds(30));
  EXPECT_EQ(target.url, "https://b:2/m?x=y+z");
  EXPECT_EQ(target.labels.Get("instance"), "b:2");
}

TEST(Targets, WhatCannotBeScrapedSaysWhy) {
  struct Row {
    const char* address;
    std::vector<RelabelRule> rules;
    const char* reason;
  };
  for (const Row& row : std::vector<Row>{
           {"", {}, "no address"},
           {"a:1", {Set("__address__", "")}, "no address"},
           {"http://a:1", {}, "is not a valid hostname"},
           {"a:1/metrics", {}, "is not a valid hostname"},
           {"a:1", {Set("__scrape_interval__", "nonsense")}, "error parsing scrape interval"},
           {"a:1", {Set("__scrape_interval__", "0s")}, "scrape interval cannot be 0"},
           {"a:1", {Set("__scrape_timeout__", "x")}, "error parsing scrape timeout"},
           {"a:1", {Set("__scrape_timeout__", "0s")}, "scrape timeout cannot be 0"},
           {"a:1",
            {Set("__scrape_timeout__", "16s")},
            "scrape timeout cannot be greater than scrape interval (\"16s\" > \"15s\")"},
           {"a:1", {Set("bad", "\xff")}, "invalid label value for \"bad\""},
       }) {
    SCOPED_TRACE(row.reason);
    EXPECT_THAT(Build(With(Job(), row.rules), row.address),
                StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(row.reason)));
  }
}

TEST(Targets, ExternalLabelsAreAddedWhereAbsent) {
  const Target target =
      Build(With(Job(), {}), "a:1", {{"mesh", "own"}}, {{"mesh", "prod"}, {"region", "eu"}})
          .value();
  EXPECT_EQ(target.labels.Get("mesh"), "own");
  EXPECT_EQ(target.labels.Get("region"), "eu");
}

TEST(Targets, Urls) {
  struct Row {
    Labels labels;
    const char* url;
  };
  ScrapeJob job;
  job.params = {{"b", {"1", "2"}}, {"name[]", {"x/y"}}};
  for (const Row& row : std::vector<Row>{
           {{{"__scheme__", "http"}, {"__address__", "a:1"}, {"__metrics_path__", "/m"}},
            "http://a:1/m?b=1&b=2&name%5B%5D=x%2Fy"},
           {{{"__scheme__", "http"}, {"__address__", "a:1"}, {"__metrics_path__", "m"}},
            "http://a:1/m?b=1&b=2&name%5B%5D=x%2Fy"},
           {{{"__scheme__", "https"}, {"__address__", "[fd00::1]:9"}, {"__metrics_path__", "/"}},
            "https://[fd00::1]:9/?b=1&b=2&name%5B%5D=x%2Fy"},
           {{{"__scheme__", "http"},
             {"__address__", "a"},
             {"__metrics_path__", "/a b?c"},
             {"__param_b", "3"},
             {"__param_z", "&="}},
            "http://a/a%20b%3Fc?b=3&b=2&name%5B%5D=x%2Fy&z=%26%3D"},
       }) {
    EXPECT_EQ(TargetUrl(row.labels, job), row.url);
  }
}

JobTargets Group(std::shared_ptr<const ScrapeJob> job, std::vector<std::string> targets) {
  return {std::move(job), {{"static", std::move(targets), {}, {}}}};
}

TEST(Targets, EqualTargetsOfAJobAreOne) {
  const auto job = With(Job(), {Set("__address__", "same:15020")});
  const TargetSet set = BuildTargetSet({{Group(job, {"a:1", "b:2", "c:3"})}}, {});
  ASSERT_EQ(set.targets.size(), 1);
  EXPECT_EQ(set.targets[0].url, "http://same:15020/metrics");
  EXPECT_EQ(set.targets[0].discovered_labels.Get("__address__"), "c:3");
  EXPECT_TRUE(set.dropped.empty());
}

TEST(Targets, IdsDifferByJobLabelsAndUrl) {
  ScrapeJob other = Job();
  other.job_name = "other";
  const Target a = Build(With(Job(), {}), "a:1").value();
  EXPECT_EQ(Build(With(Job(), {}), "a:1").value().id, a.id);
  EXPECT_NE(Build(With(Job(), {Set("x", "y")}), "a:1").value().id, a.id);
  EXPECT_NE(Build(With(Job(), {Set("__metrics_path__", "/y")}), "a:1").value().id, a.id);
  EXPECT_NE(Build(With(other, {Set("job", "mesh")}), "a:1").value().id, a.id);
  // The interval is no part of what a series is: a change keeps the target.
  EXPECT_EQ(Build(With(Job(), {Set("__scrape_interval__", "1m")}), "a:1").value().id, a.id);
}

TEST(Targets, DroppedTargetsAreKeptUpToTheBound) {
  RelabelRule drop;
  drop.action = RelabelAction::kDrop;
  drop.source_labels = {"__address__"};
  ScrapeJob job = Job();
  job.keep_dropped_targets = 2;
  const JobTargets bounded = Group(With(job, {drop}), {"a:1", "b:1", "c:1"});
  const JobTargets invalid = Group(With(Job(), {}), {"x/y"});
  const TargetSet set = BuildTargetSet({{bounded, invalid}}, {});
  EXPECT_TRUE(set.targets.empty());
  EXPECT_EQ(set.dropped_total, 4);
  ASSERT_EQ(set.dropped.size(), 3);
  EXPECT_THAT(set.dropped[0].reason, HasSubstr("relabel"));
  EXPECT_EQ(set.dropped[0].discovered_labels.Get("__address__"), "a:1");
  EXPECT_THAT(set.dropped[2].reason, HasSubstr("not a valid hostname"));
}

}  // namespace
}  // namespace ampari
