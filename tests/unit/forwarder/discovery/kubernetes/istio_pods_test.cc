// Istio's pods, from the API's JSON to the targets of jobs as people write them.
#include <gtest/gtest.h>
#include <stdlib.h>

#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "forwarder/config.h"
#include "forwarder/discovery/kubernetes/pod_targets.h"
#include "forwarder/discovery/targets.h"
#include "tests/support/status_matchers.h"

namespace ampari {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

using testing::Not;

constexpr char kGateway[] = "gateway: {address: 'g:4750', name: n}\nkubernetes_node: n\n";

// --- pods, as Istio makes them; single quotes stand for double ones

struct Pod {
  std::string annotations, containers, init_containers;
  std::string ip = "10.0.0.7";
  std::string phase = "Running";
  std::string labels = "'app': 'cart'";
};

constexpr char kInjected[] =
    "'prometheus.io/scrape': 'true', 'prometheus.io/port': '15020', 'prometheus.io/path': "
    "'/stats/prometheus'";
constexpr char kApp[] =
    "{'name': 'app', 'image': 'app:1', 'ports': [{'containerPort': 8080, 'protocol': 'TCP'}, "
    "{'containerPort': 9090, 'protocol': 'TCP'}]}";
constexpr char kProxy[] =
    "{'name': 'istio-proxy', 'image': 'proxyv2', 'ports': [{'containerPort': 15090, 'name': "
    "'http-envoy-prom', 'protocol': 'TCP'}]}";
constexpr char kNativeProxy[] =
    "{'name': 'istio-proxy', 'image': 'proxyv2', 'restartPolicy': 'Always', 'ports': "
    "[{'containerPort': 15090, 'name': 'http-envoy-prom', 'protocol': 'TCP'}]}";
constexpr char kInit[] = "{'name': 'istio-init', 'image': 'proxyv2'}";
constexpr char kGatewayProxy[] =
    "{'name': 'istio-proxy', 'image': 'proxyv2', 'ports': [{'containerPort': 15020, 'name': "
    "'metrics', 'protocol': 'TCP'}, {'containerPort': 15021, 'name': 'status-port'}, "
    "{'containerPort': 15090, 'name': 'http-envoy-prom', 'protocol': 'TCP'}]}";
constexpr char kZtunnel[] =
    "{'name': 'istio-proxy', 'image': 'ztunnel', 'ports': [{'containerPort': 15020, 'name': "
    "'ztunnel-stats', 'protocol': 'TCP'}]}";

Pod Injected() { return {kInjected, absl::StrCat(kApp, ", ", kProxy), kInit}; }
Pod NativeSidecar() { return {kInjected, kApp, absl::StrCat(kInit, ", ", kNativeProxy)}; }

TargetGroup Group(const Pod& pod) {
  const std::string json = absl::StrCat(
      "{'metadata': {'name': 'cart-1', 'namespace': 'shop', 'labels': {", pod.labels,
      "}, 'annotations': {", pod.annotations, "}}, 'spec': {'nodeName': 'n', 'containers': [",
      pod.containers, "], 'initContainers': [", pod.init_containers, "]}, 'status': {'phase': '",
      pod.phase, "', 'podIP': '", pod.ip, "', 'hostIP': '192.168.0.1'}}");
  const auto parsed = ParsePod(absl::StrReplaceAll(json, {{"'", "\""}}));
  EXPECT_THAT(parsed, IsOk());
  return parsed.ok() ? parsed->group : TargetGroup();
}

ForwarderConfig Load(const std::string& yaml, bool skip = false) {
  auto config = ParseForwarderConfig(yaml, "f.yaml", {skip});
  EXPECT_THAT(config, IsOk());
  return config.ok() ? *std::move(config) : ForwarderConfig();
}

// --- a job's targets of pods

std::vector<Target> Targets(const ScrapeJobConfig& job, const std::vector<Pod>& pods) {
  JobTargets found{job.job, {}};
  for (const Pod& pod : pods) found.groups.push_back(Group(pod));
  return BuildTargetSet({{found}}, {}).targets;
}

std::vector<std::string> Urls(const ScrapeJobConfig& job, const std::vector<Pod>& pods) {
  std::vector<std::string> urls;
  for (const Target& target : Targets(job, pods)) urls.push_back(target.url);
  return urls;
}

// --- the job kubernetes-pods of Istio's samples/addons/prometheus.yaml

// The file prometheus.yml of the ConfigMap in Istio's manifest; empty when it is not there.
std::string AddonConfig() {
  const char* set = getenv("AMPARI_SHARED_DATA");
  const std::string directory = set != nullptr ? set : "../shared/data";
  std::ifstream in(directory + "/istio-addon-prometheus.yaml");
  std::string line, text;
  while (std::getline(in, line) && line != "  prometheus.yml: |") {
  }
  while (std::getline(in, line) && (line.empty() || absl::StartsWith(line, "    "))) {
    absl::StrAppend(&text, line.empty() ? line : line.substr(4), "\n");
  }
  return text;
}

class IstioAddonTest : public testing::Test {
 protected:
  void SetUp() override {
    if (text_.empty()) {
      GTEST_SKIP() << "istio-addon-prometheus.yaml is not there; set AMPARI_SHARED_DATA";
    }
    config_ = Load(text_ + kGateway, true);
    ASSERT_FALSE(config_.jobs.empty());
    ASSERT_EQ(config_.jobs[0].job->job_name, "kubernetes-pods");
  }
  std::vector<std::string> PodUrls(const Pod& pod) { return Urls(config_.jobs[0], {pod}); }

  const std::string text_ = AddonConfig();
  ForwarderConfig config_;
};

TEST_F(IstioAddonTest, LoadsWholeWithItsPodJobs) {
  std::vector<std::string> names;
  for (const ScrapeJobConfig& job : config_.jobs) names.push_back(job.job->job_name);
  EXPECT_THAT(names, ElementsAre("kubernetes-pods", "kubernetes-pods-slow", "prometheus"));
  for (const char* job : {"kubernetes-api-servers", "kubernetes-nodes", "kubernetes-nodes-cadvisor",
                          "kubernetes-service-endpoints", "kubernetes-service-endpoints-slow",
                          "kubernetes-services", "prometheus-pushgateway"}) {
    EXPECT_THAT(config_.warnings,
                Contains(HasSubstr(absl::StrCat("job \"", job, "\" is left out"))));
  }
  EXPECT_THAT(config_.warnings, Not(Contains(HasSubstr("prometheus.io/port"))));
}

TEST_F(IstioAddonTest, WithoutTheFlagEachJobOfAnotherRoleIsNamed) {
  const auto config = ParseForwarderConfig(text_ + kGateway, "f.yaml", {});
  ASSERT_THAT(config, StatusIs(absl::StatusCode::kInvalidArgument));
  std::vector<std::string> lines = absl::StrSplit(config.status().message(), '\n');
  const auto refused = [](int job, const char* role) {
    return HasSubstr(absl::StrCat("scrape_configs[", job, "].kubernetes_sd_configs[0].role: role ",
                                  role, " is not supported"));
  };
  EXPECT_THAT(lines, ElementsAre(refused(0, "endpoints"), refused(1, "node"), refused(2, "node"),
                                 refused(5, "endpoints"), refused(6, "endpoints"),
                                 refused(7, "service"), refused(9, "service")));
}

TEST_F(IstioAddonTest, OneTargetForEachPod) {
  const std::string merged = "http://10.0.0.7:15020/stats/prometheus";
  EXPECT_THAT(PodUrls(Injected()), ElementsAre(merged));
  EXPECT_THAT(PodUrls(NativeSidecar()), ElementsAre(merged));
  EXPECT_THAT(PodUrls({kInjected, kGatewayProxy, ""}), ElementsAre(merged));  // and waypoints
  // A ztunnel has no path annotation.
  EXPECT_THAT(
      PodUrls({"'prometheus.io/scrape': 'true', 'prometheus.io/port': '15020'", kZtunnel, ""}),
      ElementsAre("http://10.0.0.7:15020/metrics"));
  // istiod
  EXPECT_THAT(PodUrls({"'prometheus.io/scrape': 'true', 'prometheus.io/port': '15014'",
                       "{'name': 'discovery', 'ports': [{'containerPort': 8080}, {'containerPort': "
                       "15010}, {'containerPort': 15017}]}",
                       ""}),
              ElementsAre("http://10.0.0.7:15014/metrics"));
}

TEST_F(IstioAddonTest, LabelsOfATarget) {
  const std::vector<Target> targets = Targets(config_.jobs[0], {Injected()});
  ASSERT_EQ(targets.size(), 1);
  EXPECT_EQ(targets[0].labels, (Labels{{"app", "cart"},
                                       {"instance", "10.0.0.7:15020"},
                                       {"job", "kubernetes-pods"},
                                       {"namespace", "shop"},
                                       {"node", "n"},
                                       {"pod", "cart-1"}}));
}

TEST_F(IstioAddonTest, AnnotationsDecide) {
  Pod pod = Injected();
  // Another status port (status.sidecar.istio.io/port).
  pod.annotations = absl::StrReplaceAll(kInjected, {{"15020", "15555"}});
  EXPECT_THAT(PodUrls(pod), ElementsAre("http://10.0.0.7:15555/stats/prometheus"));
  // Merging is off and the annotations are the application's own: the proxy's port is no target.
  pod.annotations =
      "'prometheus.istio.io/merge-metrics': 'false', 'prometheus.io/scrape': 'true', "
      "'prometheus.io/port': '8080', 'prometheus.io/path': '/app'";
  EXPECT_THAT(PodUrls(pod), ElementsAre("http://10.0.0.7:8080/app"));
  pod.annotations = "'prometheus.io/scrape': 'false'";
  EXPECT_THAT(PodUrls(pod), IsEmpty());
  pod.annotations = absl::StrCat(kInjected, ", 'prometheus.io/param_usedonly': '1'");
  EXPECT_THAT(PodUrls(pod), ElementsAre("http://10.0.0.7:15020/stats/prometheus?usedonly=1"));
  // Another spelling that is the same label name.
  pod.annotations = absl::StrReplaceAll(kInjected, {{"prometheus.io/", "prometheus.io."}});
  EXPECT_THAT(PodUrls(pod), ElementsAre("http://10.0.0.7:15020/stats/prometheus"));
}

TEST_F(IstioAddonTest, PodsThatAreNotRunningAndIpv6) {
  Pod pod = Injected();
  for (const char* phase : {"Pending", "Succeeded", "Failed"}) {
    pod.phase = phase;
    EXPECT_THAT(PodUrls(pod), IsEmpty());
  }
  pod = Injected();
  pod.ip = "fd00:10:244::7";
  EXPECT_THAT(PodUrls(pod), ElementsAre("http://[fd00:10:244::7]:15020/stats/prometheus"));
  pod.ip = "";
  EXPECT_THAT(PodUrls(pod), IsEmpty());
}

// --- other jobs that people write

// The job envoy-stats of Istio's documentation: merging is off, and only 15090 has proxy metrics.
TEST(IstioPodsTest, ByTheNameOfTheProxysPort) {
  const ForwarderConfig config = Load(absl::StrCat(kGateway, R"(
scrape_configs:
  - job_name: envoy-stats
    metrics_path: /stats/prometheus
    kubernetes_sd_configs: [{role: pod}]
    relabel_configs:
      - {source_labels: [__meta_kubernetes_pod_container_port_name], action: keep, regex: '.*-envoy-prom'}
)"));
  for (const Pod& pod : {Injected(), NativeSidecar(), Pod{kInjected, kGatewayProxy, ""}}) {
    EXPECT_THAT(Urls(config.jobs[0], {pod}), ElementsAre("http://10.0.0.7:15090/stats/prometheus"));
  }
  EXPECT_THAT(Urls(config.jobs[0], {Pod{"", kApp, kInit}}), IsEmpty());
}

// The example of docs/configuration.md.
TEST(IstioPodsTest, TheDocumentedJob) {
  std::ifstream in("docs/configuration.md");
  std::stringstream text;
  text << in.rdbuf();
  const std::string document = text.str();
  const size_t section = document.find("### Pods of Kubernetes");
  ASSERT_NE(section, std::string::npos);
  const size_t begin = document.find("```yaml\n", section) + 8;
  const ForwarderConfig config =
      Load(absl::StrCat(kGateway, document.substr(begin, document.find("```", begin) - begin)));
  EXPECT_THAT(config.warnings, IsEmpty());
  ASSERT_EQ(config.jobs.size(), 1);
  const std::vector<Target> targets = Targets(config.jobs[0], {Injected()});
  ASSERT_EQ(targets.size(), 1);
  EXPECT_EQ(targets[0].url, "http://10.0.0.7:15020/stats/prometheus");
  EXPECT_EQ(targets[0].labels, (Labels{{"instance", "10.0.0.7:15020"},
                                       {"job", "istio-mesh"},
                                       {"namespace", "shop"},
                                       {"node", "n"},
                                       {"pod", "cart-1"}}));
}

// --- the block that the region's documentation gives

constexpr char kSeedBlock[] = R"(scrape_configs:
  - job_name: istio-mesh
    kubernetes_sd_configs: [{role: pod}]
    relabel_configs:
      - {source_labels: [__meta_kubernetes_pod_annotation_prometheus_io_scrape], action: keep, regex: "true"}
)";
constexpr char kSeedBlockInBrackets[] = R"(scrape_configs:
- job_name: istio-mesh
  kubernetes_sd_configs: [{role: pod}]
  relabel_configs: [{source_labels: [__meta_kubernetes_pod_annotation_prometheus_io_scrape], action: keep, regex: "true"}]
)";
constexpr char kSeedBlockIndentedOtherwise[] = R"(scrape_configs:
- job_name: istio-mesh
  kubernetes_sd_configs:
  - role: pod
  relabel_configs:
  - source_labels: [__meta_kubernetes_pod_annotation_prometheus_io_scrape]
    action: keep
    regex: "true"
)";

TEST(SeedBlockTest, AloneItScrapesEveryDeclaredPort) {
  const ForwarderConfig config = Load(absl::StrCat(kGateway, kSeedBlock));
  EXPECT_THAT(config.warnings,
              ElementsAre(AllOf(HasSubstr("every declared port instead of prometheus.io/port"),
                                HasSubstr("target_label: __address__}\n      - {"),
                                HasSubstr("replacement: '[$2]:$1'")),
                          AllOf(HasSubstr("metrics_path instead of prometheus.io/path"),
                                HasSubstr("target_label: __metrics_path__}"))));
  EXPECT_THAT(Urls(config.jobs[0], {Injected()}), Contains("http://10.0.0.7:15090/metrics"));
}

// What check-config prints, pasted as it says.
std::string Pasted(std::string block, const std::vector<std::string>& warnings) {
  for (const std::string& warning : warnings) {
    constexpr char kBrackets[] = "add within its brackets: ";
    const size_t brackets = warning.find(kBrackets);
    if (brackets == std::string::npos) {
      block += warning.substr(warning.find('\n') + 1) + "\n";
    } else {
      block.insert(block.rfind(']'), ", " + warning.substr(brackets + sizeof(kBrackets) - 1));
    }
  }
  return block;
}

TEST(SeedBlockTest, WithThePrintedRulesItScrapesWhereTheAnnotationsSay) {
  for (const char* block : {kSeedBlock, kSeedBlockInBrackets, kSeedBlockIndentedOtherwise}) {
    SCOPED_TRACE(block);
    const ForwarderConfig before = Load(absl::StrCat(kGateway, block));
    ASSERT_EQ(before.warnings.size(), 2);
    const ForwarderConfig config = Load(absl::StrCat(kGateway, Pasted(block, before.warnings)));
    EXPECT_THAT(config.warnings, IsEmpty());
    ASSERT_EQ(config.jobs.size(), 1);
    EXPECT_EQ(config.jobs[0].relabel_rules.size(), 4);
    for (Pod pod : {Injected(), NativeSidecar()}) {
      EXPECT_THAT(Urls(config.jobs[0], {pod}),
                  ElementsAre("http://10.0.0.7:15020/stats/prometheus"));
      pod.ip = "fd00::7";
      EXPECT_THAT(Urls(config.jobs[0], {pod}),
                  ElementsAre("http://[fd00::7]:15020/stats/prometheus"));
    }
    EXPECT_THAT(Urls(config.jobs[0], {Pod{"", kApp, ""}}), IsEmpty());
  }
}

}  // namespace
}  // namespace ampari
