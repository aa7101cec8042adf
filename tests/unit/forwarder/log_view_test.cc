// What is shown of logs, as JSON and as metrics.
#include "forwarder/log_view.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "common/config/yaml_document.h"
#include "forwarder/status.h"

namespace ampari {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

LogTarget LogTargetOf(const std::string& path) {
  LogJob job;
  job.job_name = "integrations/istio";
  LogTarget target;
  target.job = std::make_shared<const LogJob>(job);
  target.labels = Labels{{"pod", "cart"}};
  target.discovered_labels = Labels{{"__meta_kubernetes_pod_name", "cart"}};
  target.path = path;
  return target;
}

LogView Running() {
  LogView view;
  view.running = true;
  view.targets = {LogTargetOf("/b/*.log"), LogTargetOf("/a/*.log")};
  view.targets_count = 2;
  LogFileStatus file;
  file.job_name = "integrations/istio";
  file.path = "/a/0.log";
  file.key = "00112233";
  file.size = 1000;
  file.read = {900, 800};
  file.lag_bytes = 100;
  file.lag = absl::Milliseconds(1500);
  file.rotated_unread_bytes = 5;
  file.skipped_bytes = 6;
  file.lines = 7;
  file.filtered_lines = 8;
  file.cut_lines = 9;
  file.refused_lines = 10;
  file.rotated = true;
  file.error = "is a \"fifo\"";
  view.tailing.files = {file};
  view.dropped = {{{"integrations/istio", Labels{{"__address__", "x"}}, "no __path__"}}, 3};
  view.shipping.gateway = "gw:4750";
  return view;
}

// JSON is YAML: what the pages say is read back by another program's rules.
TEST(LogView, Json) {
  ForwarderView view;
  view.logs = Running();
  std::vector<YamlProblem> problems;
  const std::string text = TargetsJson(view);
  const YamlNode root = ParseYaml(text, &problems);
  ASSERT_TRUE(problems.empty()) << text;
  const YamlNode& file = root.Find("logs")->Find("files")->items.at(0);
  const struct {
    const char *key, *value;
  } rows[] = {{"job", "integrations/istio"},
              {"path", "/a/0.log"},
              {"key", "00112233"},
              {"size", "1000"},
              {"lag_bytes", "100"},
              {"lag_seconds", "1.5"},
              {"rotated_unread_bytes", "5"},
              {"skipped_bytes", "6"},
              {"lines", "7"},
              {"filtered_lines", "8"},
              {"cut_lines", "9"},
              {"refused_lines", "10"},
              {"rotated", "true"},
              {"gone", "false"},
              {"error", "is a \"fifo\""}};
  for (const auto& row : rows) EXPECT_EQ(file.Find(row.key)->text, row.value) << row.key;
  EXPECT_EQ(file.Find("read")->Find("out")->text, "900");
  EXPECT_EQ(file.Find("read")->Find("err")->text, "800");
  EXPECT_EQ(root.Find("logs")->Find("gateway")->Find("address")->text, "gw:4750");
  const YamlNode& target = root.Find("log_targets")->items.at(0);
  EXPECT_EQ(target.Find("path")->text, "/a/*.log");  // sorted
  EXPECT_EQ(target.Find("labels")->Find("pod")->text, "cart");
  EXPECT_EQ(target.Find("discovered_labels")->Find("__meta_kubernetes_pod_name")->text, "cart");
  EXPECT_EQ(root.Find("log_dropped")->items.at(0).Find("reason")->text, "no __path__");
  EXPECT_EQ(root.Find("log_dropped_total")->text, "3");
}

TEST(LogView, WithoutLogJobsTheJsonIsEmptyAndThereAreNoMetrics) {
  std::vector<YamlProblem> problems;
  const YamlNode root = ParseYaml(TargetsJson(ForwarderView()), &problems);
  EXPECT_TRUE(root.Find("logs")->Find("files")->items.empty());
  EXPECT_EQ(root.Find("logs")->Find("gateway")->kind, YamlNode::Kind::kNull);
  EXPECT_TRUE(root.Find("log_targets")->items.empty());
  std::vector<MetricFamily> families;
  AppendLogMetrics(LogView(), families);
  EXPECT_TRUE(families.empty());
}

TEST(LogView, Metrics) {
  LogView view = Running();
  LogTailStatus& tail = view.tailing;
  tail.files_open = 1;
  tail.files_behind = 2;
  tail.files_waiting = 3;
  tail.lag_bytes = 4;
  tail.blocked = true;
  tail.read_bytes_total = 5;
  tail.lines_total = 6;
  tail.filtered_lines_total = 7;
  tail.sampled_lines_total = 8;
  tail.cut_lines_total = 9;
  tail.refused_lines_total = 10;
  tail.unparsed_lines_total = 11;
  tail.unparsed_access_lines_total = 24;
  tail.rotated_unread_bytes_total = 12;
  tail.skipped_bytes_total = 13;
  tail.rereads_total = 14;
  tail.truncations_total = 15;
  tail.rotations_total = 16;
  tail.compressed_files_total = 17;
  tail.refused_files_total = 18;
  tail.replaced_streams_total = 19;
  view.shipping.connected = true;
  view.shipping.ring_bytes = 20;
  view.shipping.ring_samples = 21;
  view.shipping.ring_max_bytes = 22;
  view.shipping.refused_frames_total = 23;
  view.shipping.moving_to = "gateway-1:4750";
  view.shipping.moves_total = 25;
  view.shipping.impatient_moves_total = 5;
  MetricsRegistry registry;
  registry.Add([&](std::vector<MetricFamily>& families) { AppendLogMetrics(view, families); });
  const std::string text = registry.Render();
  for (const char* line : {"targets 2",
                           "targets_dropped 3",
                           "files_open 1",
                           "files_behind 2",
                           "files_waiting 3",
                           "lag_bytes 4",
                           "blocked 1",
                           "read_bytes_total 5",
                           "lines_total 6",
                           "lines_filtered_total 7",
                           "lines_sampled_out_total 8",
                           "lines_cut_total 9",
                           "lines_refused_total 10",
                           "lines_unparsed_total 11",
                           "access_lines_unparsed_total 24",
                           "rotated_unread_bytes_total 12",
                           "skipped_bytes_total 13",
                           "rereads_total 14",
                           "truncations_total 15",
                           "rotations_total 16",
                           "compressed_files_total 17",
                           "files_refused_total 18",
                           "streams_replaced_total 19",
                           "gateway_connected 1",
                           "ring_bytes 20",
                           "ring_lines 21",
                           "ring_max_bytes 22",
                           "refused_frames_total 23",
                           "gateway_moving 1",
                           "gateway_moves_total{after=\"settled\"} 20",
                           "gateway_moves_total{after=\"patience\"} 5"}) {
    EXPECT_THAT(text, HasSubstr(std::string("\nampari_forwarder_log_") + line + "\n"));
  }
}

}  // namespace
}  // namespace ampari
