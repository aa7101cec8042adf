#include "common/runtime/metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "tests/support/temp_dir.h"

namespace ampari {
namespace {

using ::testing::HasSubstr;

TEST(MetricsRegistry, RendersFamiliesSortedWithHelpAndType) {
  MetricsRegistry registry;
  registry.Add([](std::vector<MetricFamily>& out) {
    out.push_back(
        {"ampari_b_total", "Counts b.", MetricKind::kCounter, {{{{"reason", "a\"\\\n"}}, 3, {}}}});
    out.push_back(SingleMetric("ampari_a_bytes", "Size of a.", MetricKind::kGauge, 0.5));
  });
  EXPECT_EQ(registry.Render(),
            "# HELP ampari_a_bytes Size of a.\n# TYPE ampari_a_bytes gauge\nampari_a_bytes 0.5\n"
            "# HELP ampari_b_total Counts b.\n# TYPE ampari_b_total counter\n"
            "ampari_b_total{reason=\"a\\\"\\\\\\n\"} 3\n");
}

TEST(MetricsRegistry, JoinsOneFamilyFromSeveralCollectors) {
  MetricsRegistry registry;
  for (const char* tenant : {"a", "b"}) {
    registry.Add([tenant](std::vector<MetricFamily>& out) {
      out.push_back(
          {"ampari_x_total", "Counts x.", MetricKind::kCounter, {{{{"tenant", tenant}}, 1, {}}}});
    });
  }
  EXPECT_EQ(registry.Render(),
            "# HELP ampari_x_total Counts x.\n# TYPE ampari_x_total counter\n"
            "ampari_x_total{tenant=\"a\"} 1\nampari_x_total{tenant=\"b\"} 1\n");
}

TEST(MetricsRegistry, AHistogramEndsWithInf) {
  MetricsRegistry registry;
  registry.Add([](std::vector<MetricFamily>& out) {
    MetricSample sample;
    sample.histogram = {{0.1, 1}, {2, 5}, 7, 9.5};
    out.push_back({"ampari_h_seconds", "Times.", MetricKind::kHistogram, {sample}});
  });
  EXPECT_THAT(registry.Render(), HasSubstr("ampari_h_seconds_count 7\nampari_h_seconds_sum 9.5\n"
                                           "ampari_h_seconds_bucket{le=\"0.1\"} 2\n"
                                           "ampari_h_seconds_bucket{le=\"1\"} 5\n"
                                           "ampari_h_seconds_bucket{le=\"+Inf\"} 7\n"));
}

TEST(MetricsRegistry, PromtoolFindsNothingToSay) {
  if (std::system("command -v promtool >/dev/null") != 0)
    GTEST_SKIP() << "promtool is not installed";
  MetricsRegistry registry;
  registry.Add(ProcessCollector("ampari_gateway"));
  const TempDir dir;
  const std::string file = dir.Write("metrics", registry.Render());
  EXPECT_EQ(std::system(("promtool check metrics < " + file).c_str()), 0) << registry.Render();
}

}  // namespace
}  // namespace ampari
