// Which files the jobs of log_configs read, by the rules as they are documented.
#include "forwarder/discovery/log_targets.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "forwarder/discovery/target_set_builder.h"
#include "tests/support/status_matchers.h"

namespace ampari {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

RelabelRule Copy(const std::string& from, const std::string& to) {
  RelabelRule rule;
  rule.source_labels = {from};
  rule.target_label = to;
  return rule;
}

RelabelRule PathRule() {
  RelabelRule rule;
  rule.source_labels = {"__meta_kubernetes_pod_uid", "__meta_kubernetes_pod_container_name"};
  rule.separator = "/";
  rule.target_label = "__path__";
  rule.replacement = "/var/log/pods/*$1/*.log";
  return rule;
}

std::shared_ptr<const LogJob> Job(const std::vector<RelabelRule>& rules,
                                  const std::string& name = "integrations/istio") {
  LogJob job;
  job.job_name = name;
  job.relabel = Relabeler::Compile(rules).value();
  return std::make_shared<const LogJob>(std::move(job));
}

// The rules that the region documents.
std::shared_ptr<const LogJob> IstioJob() {
  return Job({Copy("__meta_kubernetes_namespace", "namespace"),
              Copy("__meta_kubernetes_pod_name", "pod"),
              Copy("__meta_kubernetes_pod_container_name", "container"), PathRule()});
}

Labels Container(const std::string& name, const std::string& port = "") {
  return {{"__meta_kubernetes_pod_container_name", name},
          {"__meta_kubernetes_pod_container_port_number", port}};
}

TargetGroup Pod(const std::string& name, std::vector<Labels> containers) {
  TargetGroup group;
  group.source = "pod/shop/" + name;
  group.labels = {{"__meta_kubernetes_namespace", "shop"},
                  {"__meta_kubernetes_pod_name", name},
                  {"__meta_kubernetes_pod_uid", "uid-" + name}};
  for (size_t i = 0; i < containers.size(); ++i) group.targets.push_back("10.0.0.1");
  group.target_labels = std::move(containers);
  return group;
}

DiscoveredLogs Build(std::vector<TargetGroup> groups, const Labels& external = {}) {
  return LogTargetSetBuilder().Build({{{IstioJob(), std::move(groups)}}}, external);
}

std::vector<std::string> Paths(const DiscoveredLogs& found) {
  std::vector<std::string> paths;
  for (const LogTarget& target : found.targets) paths.push_back(target.path);
  return paths;
}

TEST(LogTargets, TheDocumentedRules) {
  const DiscoveredLogs found = Build({Pod("cart", {Container("istio-proxy", "15090")})});
  ASSERT_THAT(found.targets, SizeIs(1));
  const LogTarget& target = found.targets[0];
  EXPECT_EQ(target.path, "/var/log/pods/*uid-cart/istio-proxy/*.log");
  EXPECT_EQ(target.labels, (Labels{{"container", "istio-proxy"},
                                   {"job", "integrations/istio"},
                                   {"namespace", "shop"},
                                   {"pod", "cart"}}));
  EXPECT_EQ(target.discovered_labels.Get("__address__"), "10.0.0.1");
  EXPECT_EQ(target.discovered_labels.Get("__meta_kubernetes_pod_container_port_number"), "15090");
}

TEST(LogTargets, OneOfAContainerHoweverManyPortsItHas) {
  const DiscoveredLogs found =
      Build({Pod("cart", {Container("app", "80"), Container("app", "81"), Container("plain"),
                          Container("istio-proxy", "15090"), Container("istio-proxy", "15021")})});
  EXPECT_THAT(Paths(found), ElementsAre("/var/log/pods/*uid-cart/app/*.log",
                                        "/var/log/pods/*uid-cart/plain/*.log",
                                        "/var/log/pods/*uid-cart/istio-proxy/*.log"));
  EXPECT_EQ(found.dropped_total, 0u);
}

TEST(LogTargets, PodsWithoutAnIpAreRead) {
  TargetGroup pod = Pod("done", {Container("app")});
  pod.targets = {""};
  pod.logs_only = true;
  EXPECT_THAT(Paths(Build({pod})), ElementsAre("/var/log/pods/*uid-done/app/*.log"));
  JobTargets scraped{std::make_shared<const ScrapeJob>(), {pod}};
  EXPECT_THAT(BuildTargetSet({{scraped}}, {}).targets, IsEmpty());
}

TEST(LogTargets, OfAStaticPodTheDirectorysUidCounts) {
  constexpr char kMirror[] = "__meta_kubernetes_pod_annotation_kubernetes_io_config_mirror";
  const struct {
    const char* annotation;
    const char* uid;  // of the path
  } rows[] = {
      {"0123456789abcdef0123456789abcdef", "0123456789abcdef0123456789abcdef"},
      {"", "uid-cart"},
      {"../../../etc", "uid-cart"},
      {"*", "uid-cart"},
      {"a/b", "uid-cart"},
      {"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdefff", "uid-cart"},
  };
  for (const auto& row : rows) {
    TargetGroup pod = Pod("cart", {Container("c")});
    LabelsBuilder labels(pod.labels);
    labels.Set(kMirror, row.annotation);
    const Labels with = labels.Build();
    pod.labels = with;
    EXPECT_THAT(Paths(Build({pod})),
                ElementsAre(std::string("/var/log/pods/*") + row.uid + "/c/*.log"))
        << row.annotation;
  }
}

TEST(LogTargets, LabelsOfTheStream) {
  TargetGroup group{"static", {"localhost"}, {{"__path__", "/var/log/a/*.log"}, {"team", "x"}}, {}};
  LogTarget target =
      LogTargetSetBuilder().Build({{{Job({}), {group}}}}, {{"mesh", "m"}}).targets.at(0);
  EXPECT_EQ(target.labels, (Labels{{"job", "integrations/istio"}, {"mesh", "m"}, {"team", "x"}}));
  // What is said wins: a group's label over the job's name, a target's over an external one.
  group.labels = {{"__path__", "/var/log/a/*.log"}, {"job", "own"}, {"mesh", "mine"}};
  target = LogTargetSetBuilder().Build({{{Job({}), {group}}}}, {{"mesh", "m"}}).targets.at(0);
  EXPECT_EQ(target.labels, (Labels{{"job", "own"}, {"mesh", "mine"}}));
  RelabelRule rule;
  rule.target_label = "job";
  rule.replacement = "by/rule";
  target = LogTargetSetBuilder().Build({{{Job({rule}), {group}}}}, {}).targets.at(0);
  EXPECT_EQ(target.labels.Get("job"), "by/rule");
  EXPECT_FALSE(target.labels.Has("instance"));
}

TEST(LogTargets, IdsAreEqualForEqualLabelsAndPath) {
  const auto id = [](const Labels& group) { return BuildLogTarget(Job({}), group, {}).value().id; };
  const Labels base = {{"__path__", "/a/b"}, {"x", "1"}};
  EXPECT_EQ(id(base), id({{"__path__", "/a/b"}, {"x", "1"}, {"__meta_y", "z"}}));
  EXPECT_NE(id(base), id({{"__path__", "/a/c"}, {"x", "1"}}));
  EXPECT_NE(id(base), id({{"__path__", "/a/b"}, {"x", "2"}}));
}

TEST(LogTargets, PathsThatAreNone) {
  const struct {
    std::string path;
    const char* reason;  // null: it is one
  } rows[] = {
      {"/var/log/pods/*uid/c/*.log", nullptr},
      {"/logs/a.log", nullptr},
      {"/a/*", nullptr},
      {"/var/log/..a/b", nullptr},
      {"", "no __path__; a rule"},
      {"var/log/a.log", "is not absolute"},
      {"*", "is not absolute"},
      {"/", "has an empty element"},
      {"/a.log", "is not beneath a directory"},
      {"/*.log", "is not beneath a directory"},
      {"/*/a.log", "is not beneath a directory"},
      {"/[v]ar/a.log", "is not beneath a directory"},
      {"/{var,tmp}/a.log", "is not beneath a directory"},
      {"/var/log/../../etc/shadow", "has the element .."},
      {"/var/./log", "has the element ."},
      {"/..", "has the element .."},
      {"/var/log/pods/*//*.log", "has an empty element"},  // neither uid nor container
      {"/var/log/", "has an empty element"},
      {"/var/lo\ng/a", "has a control character"},
      {std::string("/var/\0/a", 8), "has a control character"},
      {"/var/" + std::string(kMaxLogPathBytes - 5, 'a'), nullptr},
      {"/var/" + std::string(kMaxLogPathBytes - 4, 'a'), "longer than 1024 bytes"},
  };
  for (const auto& row : rows) {
    if (row.reason == nullptr) {
      EXPECT_THAT(CheckLogPath(row.path), IsOk()) << row.path;
    } else {
      EXPECT_THAT(CheckLogPath(row.path),
                  StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(row.reason)))
          << row.path;
    }
  }
}

TEST(LogTargets, WhatIsDroppedIsToldWithItsReason) {
  RelabelRule keep;
  keep.action = RelabelAction::kKeep;
  keep.source_labels = {"keep"};
  keep.regex = "yes";
  const auto job = Job({keep});
  TargetGroup group{"static", {"a", "b", "c", "d"}, {}, {}};
  group.target_labels = {{{"keep", "yes"}, {"__path__", "/v/a"}},
                         {{"keep", "no"}, {"__path__", "/v/b"}},
                         {{"keep", "yes"}},
                         {{"keep", "yes"}, {"__path__", "/v/a"}, {"other", "labels"}}};
  const DiscoveredLogs found = LogTargetSetBuilder().Build({{{job, {group}}}}, {});
  EXPECT_THAT(Paths(found), ElementsAre("/v/a"));
  EXPECT_EQ(found.dropped_total, 3u);
  std::vector<std::string> reasons;
  for (const DroppedTarget& dropped : found.dropped) reasons.push_back(dropped.reason);
  EXPECT_THAT(reasons, ElementsAre("dropped by relabel_configs", HasSubstr("no __path__"),
                                   "another target has this path"));
}

TEST(LogTargets, AValueThatIsNotUtf8IsRefused) {
  EXPECT_THAT(BuildLogTarget(Job({}), {{"__path__", "/a/b"}, {"x", "\xff"}}, {}),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("invalid label value")));
}

TEST(LogTargets, AChangedPodCostsTheOthersNothing) {
  LogTargetSetBuilder builder;
  JobGroups<LogJob> job{IstioJob(), {Pod("a", {Container("c")}), Pod("b", {Container("c")})}};
  EXPECT_THAT(builder.Build({{job}}, {}).targets, SizeIs(2));
  job.groups[1] = Pod("b", {Container("c"), Container("d")});
  EXPECT_THAT(builder.Build({{job}}, {}).targets, SizeIs(3));
  EXPECT_EQ(builder.groups_built(), 3u);
}

}  // namespace
}  // namespace ampari
