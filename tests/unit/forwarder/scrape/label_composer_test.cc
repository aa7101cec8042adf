// Labels as Prometheus' scrape loop makes them: honor_labels, normalised bounds, relabelling,
// limits.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "forwarder/scrape/number.h"
#include "tests/unit/forwarder/scrape/scraped_bodies.h"

namespace ampari {
namespace {

using ::testing::HasSubstr;

std::string OnlySeries(const std::map<std::string, std::string>& samples) {
  return samples.size() == 1 ? samples.begin()->first : absl::StrCat(samples.size(), " samples");
}

struct HonorRow {
  bool honor;
  Labels target;
  const char* series;
  const char* labels;
};

TEST(LabelComposer, HonorLabels) {
  const Labels none;
  const HonorRow rows[] = {
      {false, {{"n", "1"}}, "m{n=\"2\"}", "{__name__=\"m\", exported_n=\"2\", n=\"1\"}"},
      {true, {{"n", "1"}}, "m{n=\"2\"}", "{__name__=\"m\", n=\"2\"}"},
      {false, {{"n", "1"}}, "m{n=\"\"}", "{__name__=\"m\", n=\"1\"}"},
      {true, {{"n", "1"}}, "m{n=\"\"}", "{__name__=\"m\"}"},
      {true, {{"n", "1"}}, "m", "{__name__=\"m\", n=\"1\"}"},
      {false, none, "m{n=\"2\"}", "{__name__=\"m\", n=\"2\"}"},
      {false, {{"foo", "1"}}, "m{foo=\"2\"}", "{__name__=\"m\", exported_foo=\"2\", foo=\"1\"}"},
      {false,
       {{"foo", "3"}},
       "m{foo=\"1\",exported_foo=\"2\"}",
       "{__name__=\"m\", exported_exported_foo=\"1\", exported_foo=\"2\", foo=\"3\"}"},
      {false,
       {{"foo", "2"}, {"exported_foo", "3"}},
       "m{foo=\"1\"}",
       "{__name__=\"m\", exported_exported_foo=\"1\", exported_foo=\"3\", foo=\"2\"}"},
      {false,
       {{"foo", "3"}, {"exported_foo", "4"}},
       "m{foo=\"1\",exported_foo=\"2\"}",
       "{__name__=\"m\", exported_exported_exported_foo=\"2\", exported_exported_foo=\"1\", "
       "exported_foo=\"4\", "
       "foo=\"3\"}"},
  };
  for (const HonorRow& row : rows) {
    SCOPED_TRACE(row.labels);
    auto job = std::make_shared<ScrapeJob>();
    job->honor_labels = row.honor;
    ScrapedBodies target(job, row.target);
    EXPECT_EQ(OnlySeries(target.Scrape(absl::StrCat(row.series, " 1\n"))), row.labels);
  }
}

struct NormaliseRow {
  const char* body;
  const char* label;
};

TEST(LabelComposer, BoundsAreNormalised) {
  const NormaliseRow rows[] = {
      {"# TYPE m histogram\nm_bucket{le=\"1\"} 1\n", "le=\"1.0\""},
      {"# TYPE m histogram\nm_bucket{le=\"0\"} 1\n", "le=\"0.0\""},
      {"# TYPE m histogram\nm_bucket{le=\"0.5\"} 1\n", "le=\"0.5\""},
      {"# TYPE m histogram\nm_bucket{le=\"+Inf\"} 1\n", "le=\"+Inf\""},
      {"# TYPE m histogram\nm_bucket{le=\"inf\"} 1\n", "le=\"+Inf\""},
      {"# TYPE m histogram\nm_bucket{le=\"1000\"} 1\n", "le=\"1000.0\""},
      {"# TYPE m histogram\nm_bucket{le=\"300000\"} 1\n", "le=\"300000.0\""},
      {"# TYPE m histogram\nm_bucket{le=\"3600000\"} 1\n", "le=\"3.6e+06\""},
      {"# TYPE m histogram\nm_bucket{le=\"-5e-324\"} 1\n", "le=\"-5e-324\""},
      {"# TYPE m histogram\nm_bucket{le=\"8.999999999999998\"} 1\n", "le=\"8.999999999999998\""},
      {"# TYPE m histogram\nm_bucket{le=\"0.00001\"} 1\n", "le=\"1e-05\""},
      {"# TYPE m histogram\nm_bucket{le=\"x\"} 1\n", "le=\"x\""},
      {"# TYPE m summary\nm{quantile=\"1\"} 1\n", "quantile=\"1.0\""},
      {"# TYPE m summary\nm{le=\"1\"} 1\n", "le=\"1\""},
      {"# TYPE m histogram\nm{quantile=\"1\"} 1\n", "quantile=\"1\""},
      {"# TYPE m counter\nm{le=\"1\"} 1\n", "le=\"1\""},
      {"m{le=\"1\"} 1\n", "le=\"1\""},
      {"# TYPE other histogram\nm_bucket{le=\"1\"} 1\n", "le=\"1.0\""},
      {"# TYPE m histogram\n# TYPE n gauge\nm_bucket{le=\"1\"} 1\n", "le=\"1\""},
  };
  for (const NormaliseRow& row : rows) {
    SCOPED_TRACE(row.body);
    ScrapedBodies target;
    EXPECT_THAT(OnlySeries(target.Scrape(row.body)), HasSubstr(row.label));
  }
}

RelabelRule Rule(RelabelAction action, const char* source, const char* regex,
                 const char* label = "", const char* replacement = "$1") {
  RelabelRule rule;
  rule.action = action;
  if (*source != '\0') rule.source_labels = {source};
  rule.regex = regex;
  rule.target_label = label;
  rule.replacement = replacement;
  return rule;
}

std::shared_ptr<ScrapeJob> WithRule(const RelabelRule& rule) {
  auto job = std::make_shared<ScrapeJob>();
  job->metric_relabel = *Relabeler::Compile({{rule}});
  return job;
}

TEST(LabelComposer, RulesApplyToSamplesAndNotToTheReport) {
  ScrapedBodies target(WithRule(Rule(RelabelAction::kDrop, "__name__", "up|drop.*")));
  const auto samples = target.Scrape("up 5\ndropped 1\nkept 1\n");
  EXPECT_EQ(OnlySeries(samples), "{__name__=\"kept\", instance=\"i\", job=\"j\"}");
  EXPECT_EQ(target.report().at("up"), "1");
  EXPECT_EQ(target.report().at("scrape_samples_scraped"), "3");
  EXPECT_EQ(target.report().at("scrape_samples_post_metric_relabeling"), "1");
  EXPECT_EQ(target.report().at("scrape_series_added"), "1");
  target.Scrape("up 5\ndropped 1\nkept 1\n");
  EXPECT_EQ(target.summary.predicted, 3u) << "dropped lines are predicted too";
}

TEST(LabelComposer, TheNameMayNotGo) {
  ScrapedBodies target(WithRule(Rule(RelabelAction::kLabelDrop, "", "__name__")));
  target.Scrape("m 1\n");
  EXPECT_EQ(target.summary.error, "missing metric name (__name__ label)");
}

TEST(LabelComposer, RulesMayMakeSeriesEqual) {
  ScrapedBodies target(WithRule(Rule(RelabelAction::kLabelDrop, "", "z")));
  EXPECT_EQ(target.Scrape("m{z=\"1\"} 1\nm{z=\"2\"} 2\n").begin()->second, "1");
  EXPECT_TRUE(target.summary.up);
  // The other text stands for the series: it is not stale.
  EXPECT_EQ(target.Scrape("m{z=\"2\"} 3\n").begin()->second, "3");
  EXPECT_EQ(target.shipment().samples, 6u);
}

TEST(LabelComposer, RulesMayNotMakeNamesInvalid) {
  ScrapedBodies target(
      WithRule(Rule(RelabelAction::kReplace, "__name__", "(.*)", "__name__", "a-b")));
  target.Scrape("m 1\n");
  EXPECT_THAT(target.summary.error, HasSubstr("invalid metric name"));
}

struct LimitRow {
  uint64_t labels, name, value;
  const char* error;
};

TEST(LabelComposer, Limits) {
  // Four labels with the name and the target's two; the longest name has 8 bytes, the longest
  // value 5.
  const std::string body = "m{z=\"12345\"} 1\n";
  const LimitRow rows[] = {
      {4, 8, 5, ""},
      {3, 0, 0, "label_limit exceeded (metric: m, number of labels: 4, limit: 3)"},
      {0, 7, 0,
       "label_name_length_limit exceeded (metric: m, label name: __name__, length: 8, limit: 7)"},
      {0, 0, 4,
       "label_value_length_limit exceeded (metric: m, label name: z, length: 5, limit: 4)"},
  };
  for (const LimitRow& row : rows) {
    SCOPED_TRACE(row.error);
    auto job = std::make_shared<ScrapeJob>();
    job->label_limit = row.labels;
    job->label_name_length_limit = row.name;
    job->label_value_length_limit = row.value;
    ScrapedBodies target(job);
    target.Scrape(body);
    EXPECT_EQ(target.summary.error, row.error);
    EXPECT_EQ(target.report().at("scrape_samples_scraped"), "1");
    EXPECT_EQ(target.report().at("scrape_samples_post_metric_relabeling"),
              *row.error == '\0' ? "1" : "0");
  }
}

TEST(Number, FormatsAsGo) {
  EXPECT_EQ(FormatOpenMetricsFloat(999999), "999999.0");
  EXPECT_EQ(FormatOpenMetricsFloat(1e6), "1e+06");
  EXPECT_EQ(FormatOpenMetricsFloat(1.5e21), "1.5e+21");
  EXPECT_EQ(FormatOpenMetricsFloat(0.0001), "0.0001");
  EXPECT_EQ(FormatOpenMetricsFloat(-1), "-1.0");
}

}  // namespace
}  // namespace ampari
