#include "forwarder/kubernetes_metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "forwarder/status.h"
#include "tests/support/temp_dir.h"

namespace ampari {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

std::vector<PodWatchStatus> Watches() {
  PodWatchStatus fine;
  fine.url = "https://api/api/v1/pods?fieldSelector=spec.nodeName%3Dn";
  fine.pods = 110;
  fine.synced = true;
  fine.last_success = absl::FromUnixMillis(1'700'000'000'500);
  fine.lists = 2;
  fine.watches = 3;
  fine.events = 40;
  fine.failures[static_cast<size_t>(PodWatchFailure::kGone)] = 1;
  PodWatchStatus refused;
  refused.url = "https://api/api/v1/namespaces/x/pods";
  refused.error = "unauthorized: the API answers 403: \"no\"";
  refused.lists = 5;
  refused.failures[static_cast<size_t>(PodWatchFailure::kUnauthorized)] = 5;
  refused.failures[static_cast<size_t>(PodWatchFailure::kGone)] = 1;
  return {fine, refused};
}

std::string Metrics(const std::vector<PodWatchStatus>& watches) {
  MetricsRegistry registry;
  registry.Add([&](std::vector<MetricFamily>& families) {
    ForwarderView view;
    view.pod_watches = watches;
    AppendForwarderMetrics(view, families);
  });
  return registry.Render();
}

TEST(KubernetesMetrics, EachWatchAndTheirSums) {
  const std::string text = Metrics(Watches());
  const char* rows[] = {
      "watch_synced{watch=\"https://api/api/v1/pods?fieldSelector=spec.nodeName%3Dn\"} 1\n",
      "watch_synced{watch=\"https://api/api/v1/namespaces/x/pods\"} 0\n",
      "watch_last_success_timestamp_seconds{watch=\"https://api/api/v1/namespaces/x/pods\"} 0\n",
      "nodeName%3Dn\"} 1700000000.5\n",
      "watched_collections 2\n",
      "pods 110\n",
      "lists_total 7\n",
      "watches_total 3\n",
      "events_total 40\n",
      "failures_total{reason=\"unauthorized\"} 5\n",
      "failures_total{reason=\"gone\"} 2\n",
      "failures_total{reason=\"cut\"} 0\n",
  };
  for (const char* row : rows) EXPECT_THAT(text, HasSubstr(row));
}

TEST(KubernetesMetrics, NoneWithoutAWatch) {
  EXPECT_THAT(Metrics({}), Not(HasSubstr("ampari_forwarder_kubernetes_")));
}

TEST(KubernetesMetrics, PromtoolFindsNothingWrong) {
  if (std::system("command -v promtool > /dev/null 2>&1") != 0) GTEST_SKIP() << "no promtool";
  const TempDir dir;
  const std::string file = dir.Write("metrics", Metrics(Watches()));
  const std::string command =
      "promtool check metrics < " + file + " > " + dir.File("out") + " 2>&1";
  EXPECT_EQ(std::system(command.c_str()), 0);
}

TEST(KubernetesMetrics, ThePageListsEachWatch) {
  ForwarderView view;
  view.pod_watches = Watches();
  const std::string text = TargetsJson(view);
  const char* rows[] = {
      R"("pods":110,"synced":true,"error":"","last_success":1700000000.5,"lists":2)",
      R"("lists":2,"watches":3,"events":40,"failures":{"gone":1}})",
      R"("synced":false,"error":"unauthorized: the API answers 403: \"no\"","last_success":null,)",
      R"("failures":{"unauthorized":5,"gone":1}})",
  };
  for (const char* row : rows) EXPECT_THAT(text, HasSubstr(row));
}

}  // namespace
}  // namespace ampari
