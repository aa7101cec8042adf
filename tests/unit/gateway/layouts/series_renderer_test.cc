// What a destination is sent of a series: external labels, write_relabel_configs, enforced labels,
// limits, in this order.
#include "gateway/layouts/series_renderer.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "gateway/layouts/render_rules.h"
#include "tests/support/status_matchers.h"

namespace ampari {
namespace {

using testing::HasSubstr;

RelabelRule Rule(RelabelAction action, std::vector<std::string> source, std::string regex,
                 std::string target = "", std::string replacement = "$1") {
  RelabelRule rule;
  rule.action = action;
  rule.source_labels = std::move(source);
  rule.regex = std::move(regex);
  rule.target_label = std::move(target);
  rule.replacement = std::move(replacement);
  return rule;
}

struct Rendering {
  SeriesFate fate = SeriesFate::kSent;
  std::string text;
  std::string words;
};

Rendering Render(const RemoteWriteConfig& config, const Labels& external, const Labels& enforced,
                 const Labels& series) {
  const auto rules = MakeRenderRules(external, config);
  EXPECT_THAT(rules, IsOk());
  RenderedLayout out;
  SeriesRenderer(*rules, enforced).Append(series, out);
  EXPECT_EQ(out.offsets.size(), 2u);
  Rendering rendering{out.fates.at(0), LabelFieldsText(out.label_bytes, 4096), ""};
  if (!out.over_limit_examples.empty()) rendering.words = out.over_limit_examples[0].second;
  return rendering;
}

TEST(SeriesRenderer, OrderOfTheSteps) {
  RemoteWriteConfig config;
  // Relabelling sees the external label and not the enforced one, which overrides what it sets.
  config.write_relabel_rules = {Rule(RelabelAction::kReplace, {"mesh"}, "(.*)", "seen_mesh"),
                                Rule(RelabelAction::kReplace, {"cluster"}, "(.*)", "seen_cluster"),
                                Rule(RelabelAction::kReplace, {}, "(.*)", "cluster", "forged")};
  EXPECT_EQ(Render(config, {{"mesh", "prod"}, {"job", "no"}}, {{"cluster", "a"}},
                   {{"__name__", "m"}, {"job", "x"}, {"cluster", "theirs"}})
                .text,
            "{__name__=\"m\", cluster=\"a\", job=\"x\", mesh=\"prod\", seen_cluster=\"theirs\", "
            "seen_mesh=\"prod\"}");
}

TEST(SeriesRenderer, Fates) {
  struct Row {
    const char* what;
    RelabelRule rule;
    Labels enforced;
    SeriesFate fate;
  };
  const RelabelRule none = Rule(RelabelAction::kReplace, {"nothing"}, "x", "y");
  const Row rows[] = {
      {"kept", none, {}, SeriesFate::kSent},
      {"dropped", Rule(RelabelAction::kDrop, {"__name__"}, "m"), {}, SeriesFate::kDropped},
      {"not kept", Rule(RelabelAction::kKeep, {"__name__"}, "other"), {}, SeriesFate::kDropped},
      {"its name taken", Rule(RelabelAction::kLabelDrop, {}, "__name__"), {}, SeriesFate::kDropped},
      {"its name emptied",
       Rule(RelabelAction::kReplace, {}, "(.*)", "__name__", ""),
       {},
       SeriesFate::kDropped},
  };
  for (const Row& row : rows) {
    RemoteWriteConfig config;
    config.write_relabel_rules = {row.rule};
    EXPECT_EQ(Render(config, {}, row.enforced, {{"__name__", "m"}, {"a", "b"}}).fate, row.fate)
        << row.what;
  }
}

TEST(SeriesRenderer, LimitsNameTheLabels) {
  struct Row {
    DestinationLimits limits;
    SeriesFate fate;
    const char* words;
  };
  const Labels series = {
      {"__name__", "m"}, {"a", "unknown"}, {"le", "1"}, {"long_name", "v"}, {"pod", "12345678"}};
  const Row rows[] = {
      {{5, 9, 8}, SeriesFate::kSent, ""},
      {{0, 0, 0}, SeriesFate::kSent, ""},
      {{4, 0, 0},
       SeriesFate::kOverLimit,
       "m: 5 labels, the limit is 4; candidates to drop: a, long_name, pod"},
      {{0, 8, 0},
       SeriesFate::kOverLimit,
       "m: a label name of 9 bytes, the limit is 8; candidate to drop: long_name"},
      {{0, 0, 7},
       SeriesFate::kOverLimit,
       "m: a label value of 8 bytes, the limit is 7; candidate to drop: pod"},
  };
  for (const Row& row : rows) {
    RemoteWriteConfig config;
    config.limits = row.limits;
    const Rendering rendering = Render(config, {}, {}, series);
    EXPECT_EQ(rendering.fate, row.fate);
    EXPECT_EQ(rendering.words, row.words);
  }
}

TEST(SeriesRenderer, EnforcedLabelsCountForLimits) {
  RemoteWriteConfig config;
  config.limits.max_label_names_per_series = 2;
  EXPECT_EQ(Render(config, {}, {}, {{"__name__", "m"}, {"a", "b"}}).fate, SeriesFate::kSent);
  EXPECT_EQ(Render(config, {}, {{"cluster", "x"}}, {{"__name__", "m"}, {"a", "b"}}).fate,
            SeriesFate::kOverLimit);
}

TEST(SeriesRenderer, OneHistogramIsOneFamily) {
  const auto hash = [](const char* name, const char* pod, const char* le) {
    return FamilyHash({{"__name__", name}, {"le", le}, {"pod", pod}});
  };
  EXPECT_EQ(hash("h_bucket", "a", "1"), hash("h_bucket", "a", "+Inf"));
  EXPECT_EQ(hash("h_bucket", "a", "1"), hash("h_sum", "a", ""));
  EXPECT_EQ(hash("h_bucket", "a", "1"), hash("h_count", "a", ""));
  EXPECT_NE(hash("h_bucket", "a", "1"), hash("h_bucket", "b", "1"));
  EXPECT_NE(hash("h_bucket", "a", "1"), hash("g_bucket", "a", "1"));
}

TEST(RenderGeneration, ChangesWithAllThatShapesARequest) {
  RemoteWriteConfig base;
  std::vector<uint64_t> seen = {RenderGeneration({}, base), RenderGeneration({{"a", "b"}}, base)};
  const auto with = [&](auto change) {
    RemoteWriteConfig config = base;
    change(config);
    seen.push_back(RenderGeneration({}, config));
  };
  with([](RemoteWriteConfig& c) {
    c.write_relabel_rules = {Rule(RelabelAction::kDrop, {"a"}, "b")};
  });
  with([](RemoteWriteConfig& c) {
    c.write_relabel_rules = {Rule(RelabelAction::kKeep, {"a"}, "b")};
  });
  with([](RemoteWriteConfig& c) {
    c.write_relabel_rules = {Rule(RelabelAction::kDrop, {"ab"}, "")};
  });
  with([](RemoteWriteConfig& c) { c.limits.max_label_names_per_series = 30; });
  with([](RemoteWriteConfig& c) { c.limits.max_label_name_length = 30; });
  with([](RemoteWriteConfig& c) { c.limits.max_label_value_length = 30; });
  with([](RemoteWriteConfig& c) { c.queue.max_samples_per_send = 500; });
  std::sort(seen.begin(), seen.end());
  EXPECT_EQ(std::adjacent_find(seen.begin(), seen.end()), seen.end());
  base.url = "http://elsewhere";
  base.queue.max_shards = 1;
  EXPECT_TRUE(std::binary_search(seen.begin(), seen.end(), RenderGeneration({}, base)))
      << "the URL shapes no byte";
}

}  // namespace
}  // namespace ampari
