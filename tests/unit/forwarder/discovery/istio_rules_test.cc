// The job kubernetes-pods of Istio's samples/addons/prometheus.yaml on pods as kubernetes_sd
// describes them.
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "forwarder/discovery/target_file.h"
#include "forwarder/discovery/targets.h"
#include "tests/support/status_matchers.h"

namespace ampari {
namespace {

constexpr char kAnnotation[] = "__meta_kubernetes_pod_annotation_prometheus_io_";

RelabelRule Rule(RelabelAction action, std::vector<std::string> sources, std::string regex,
                 std::string target = "", std::string replacement = "$1") {
  RelabelRule rule;
  rule.action = action;
  rule.source_labels = std::move(sources);
  rule.regex = std::move(regex);
  rule.target_label = std::move(target);
  rule.replacement = std::move(replacement);
  return rule;
}

std::shared_ptr<const ScrapeJob> KubernetesPods() {
  using enum RelabelAction;
  const auto annotation = [](const char* name) { return absl::StrCat(kAnnotation, name); };
  const std::string ip = "__meta_kubernetes_pod_ip";
  const std::vector<RelabelRule> rules = {
      Rule(kKeep, {annotation("scrape")}, "true"),
      Rule(kDrop, {annotation("scrape_slow")}, "true"),
      Rule(kReplace, {annotation("scheme")}, "(https?)", "__scheme__"),
      Rule(kReplace, {annotation("path")}, "(.+)", "__metrics_path__"),
      Rule(kReplace, {annotation("port"), ip},
           R"((\d+);(([A-Fa-f0-9]{1,4}::?){1,7}[A-Fa-f0-9]{1,4}))", "__address__", "[$2]:$1"),
      Rule(kReplace, {annotation("port"), ip}, R"((\d+);((([0-9]+?)(\.|$)){4}))", "__address__",
           "$2:$1"),
      Rule(kLabelMap, {}, absl::StrCat(kAnnotation, "param_(.+)"), "", "__param_$1"),
      Rule(kLabelMap, {}, "__meta_kubernetes_pod_label_(.+)"),
      Rule(kReplace, {"__meta_kubernetes_namespace"}, "(.*)", "namespace"),
      Rule(kReplace, {"__meta_kubernetes_pod_name"}, "(.*)", "pod"),
      Rule(kDrop, {"__meta_kubernetes_pod_phase"}, "Pending|Succeeded|Failed|Completed"),
      Rule(kReplace, {"__meta_kubernetes_pod_node_name"}, "(.*)", "node"),
  };
  ScrapeJob job;
  job.job_name = "kubernetes-pods";
  job.scrape_interval = absl::Seconds(15);
  job.scrape_timeout = absl::Seconds(10);
  job.honor_labels = true;
  job.relabel = Relabeler::Compile(rules).value();
  return std::make_shared<const ScrapeJob>(std::move(job));
}

// A pod's target of one container port, as JSON of file_sd_configs.
std::string Pod(const std::string& name, const std::string& address, const std::string& ip,
                const std::string& more) {
  return absl::StrCat(R"({"targets": [")", address, R"("], "labels": {)",
                      R"("__meta_kubernetes_namespace": "shop", "__meta_kubernetes_pod_name": ")",
                      name, R"(", "__meta_kubernetes_pod_ip": ")", ip,
                      R"(", "__meta_kubernetes_pod_node_name": "node-1",)",
                      R"("__meta_kubernetes_pod_phase": "Running",)",
                      R"("__meta_kubernetes_pod_label_app": "cart")", more, "}}");
}

constexpr char kInjected[] =
    R"(, "__meta_kubernetes_pod_annotation_prometheus_io_scrape": "true",
       "__meta_kubernetes_pod_annotation_prometheus_io_port": "15020",
       "__meta_kubernetes_pod_annotation_prometheus_io_path": "/stats/prometheus")";

TargetSet Find(const std::vector<std::string>& pods) {
  std::string text = "[";
  for (const std::string& pod : pods) absl::StrAppend(&text, text.size() > 1 ? "," : "", pod);
  const auto groups = ParseTargetFile(text + "]", "pods.json");
  EXPECT_THAT(groups, IsOk());
  return BuildTargetSet({{JobTargets{KubernetesPods(), *groups}}}, {});
}

TEST(IstioRules, AllPortsOfAnInjectedPodAreOneTarget) {
  const TargetSet set = Find({Pod("cart-1", "10.0.0.7:8080", "10.0.0.7", kInjected),
                              Pod("cart-1", "10.0.0.7:9090", "10.0.0.7", kInjected),
                              Pod("cart-1", "10.0.0.7:15090", "10.0.0.7", kInjected),
                              Pod("cart-1", "10.0.0.7", "10.0.0.7", kInjected)});
  ASSERT_EQ(set.targets.size(), 1);
  EXPECT_EQ(set.targets[0].url, "http://10.0.0.7:15020/stats/prometheus");
  EXPECT_EQ(set.targets[0].labels, (Labels{{"app", "cart"},
                                           {"instance", "10.0.0.7:15020"},
                                           {"job", "kubernetes-pods"},
                                           {"namespace", "shop"},
                                           {"node", "node-1"},
                                           {"pod", "cart-1"}}));
}

TEST(IstioRules, Ipv6AddressesAreBracketed) {
  const TargetSet set = Find({Pod("cart-1", "[fd00::7]:8080", "fd00::7", kInjected)});
  ASSERT_EQ(set.targets.size(), 1);
  EXPECT_EQ(set.targets[0].url, "http://[fd00::7]:15020/stats/prometheus");
}

TEST(IstioRules, WithoutAPortAnnotationEveryPortIsATarget) {
  const char* scrape = R"(, "__meta_kubernetes_pod_annotation_prometheus_io_scrape": "true")";
  const TargetSet set = Find({Pod("app-1", "10.0.0.8:80", "10.0.0.8", scrape),
                              Pod("app-1", "10.0.0.8:81", "10.0.0.8", scrape)});
  EXPECT_EQ(set.targets.size(), 2);
}

TEST(IstioRules, ParametersAndSchemeComeFromAnnotations) {
  const TargetSet set = Find({Pod(
      "cart-1", "10.0.0.7:80", "10.0.0.7",
      absl::StrCat(kInjected, R"(, "__meta_kubernetes_pod_annotation_prometheus_io_scheme": "https",
        "__meta_kubernetes_pod_annotation_prometheus_io_param_usedonly": "1")"))});
  ASSERT_EQ(set.targets.size(), 1);
  EXPECT_EQ(set.targets[0].url, "https://10.0.0.7:15020/stats/prometheus?usedonly=1");
}

TEST(IstioRules, WhatIsNotToBeScrapedIsDropped) {
  const char* slow = R"(, "__meta_kubernetes_pod_annotation_prometheus_io_scrape": "true",
       "__meta_kubernetes_pod_annotation_prometheus_io_scrape_slow": "true")";
  std::string done = Pod("job-1", "10.0.0.9:80", "10.0.0.9", kInjected);
  done.replace(done.find("Running"), 7, "Failed");
  const TargetSet set = Find({Pod("plain", "10.0.0.1:80", "10.0.0.1", ""),
                              Pod("slow", "10.0.0.2:80", "10.0.0.2", slow), done});
  EXPECT_TRUE(set.targets.empty());
  EXPECT_EQ(set.dropped_total, 3);
}

}  // namespace
}  // namespace ampari
