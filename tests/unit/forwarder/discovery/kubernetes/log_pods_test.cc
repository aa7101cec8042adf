// Pods of the API and the files that the documented rules read of them: one target for each
// container, whatever the pod is up to.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "forwarder/discovery/kubernetes/pod_targets.h"
#include "forwarder/discovery/target_set_builder.h"
#include "tests/support/status_matchers.h"

namespace ampari {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

// The containers of whose files something is read, as uid/container.
std::vector<std::string> Read(std::string pod) {
  std::replace(pod.begin(), pod.end(), '\'', '"');
  const auto found = ParsePod(pod);
  EXPECT_THAT(found, IsOk()) << pod;
  if (!found.ok()) return {};
  RelabelRule path;
  path.source_labels = {"__meta_kubernetes_pod_uid", "__meta_kubernetes_pod_container_name"};
  path.separator = "/";
  path.target_label = "__path__";
  path.replacement = "/var/log/pods/*$1/*.log";
  LogJob job;
  job.job_name = "integrations/istio";
  job.relabel = Relabeler::Compile({{path}}).value();
  const JobGroups<LogJob> jobs{std::make_shared<const LogJob>(std::move(job)), {found->group}};
  std::vector<std::string> containers;
  for (const LogTarget& target : LogTargetSetBuilder().Build({{jobs}}, {}).targets) {
    constexpr size_t kBegin = sizeof("/var/log/pods/*") - 1;
    containers.push_back(target.path.substr(kBegin, target.path.size() - kBegin - 6));
  }
  return containers;
}

std::string Pod(const std::string& annotations, const std::string& spec,
                const std::string& status) {
  return absl::StrCat("{'metadata': {'name': 'p', 'namespace': 'n', 'uid': 'api-uid', ",
                      "'annotations': {", annotations, "}}, 'spec': {", spec, "}, 'status': {",
                      status, "}}");
}

constexpr char kApp[] = "'containers': [{'name': 'app'}]";

TEST(LogPods, EveryContainerOnce) {
  EXPECT_THAT(
      Read(Pod("",
               "'containers': [{'name': 'app', 'ports': [{'containerPort': 80}, "
               "{'containerPort': 81}]}, {'name': 'plain'}], 'initContainers': ["
               "{'name': 'istio-init'}, {'name': 'istio-proxy', 'restartPolicy': 'Always', "
               "'ports': [{'containerPort': 15090}, {'containerPort': 15021}]}]",
               "'phase': 'Running', 'podIP': '10.0.0.1'")),
      ElementsAre("api-uid/app", "api-uid/plain", "api-uid/istio-init", "api-uid/istio-proxy"));
}

TEST(LogPods, WhateverThePodIsUpTo) {
  for (const char* status :
       {"'phase': 'Running', 'podIP': '10.0.0.1'", "'phase': 'Pending'",
        "'phase': 'Pending', 'podIP': '10.0.0.1'", "'phase': 'Succeeded', 'podIP': '10.0.0.1'",
        "'phase': 'Failed', 'podIP': '10.0.0.1'", "'phase': 'Failed', 'reason': 'Evicted'", ""}) {
    EXPECT_THAT(Read(Pod("", kApp, status)), ElementsAre("api-uid/app")) << status;
  }
  EXPECT_THAT(Read(Pod("", "", "")), IsEmpty());
}

// The API's uid of a mirror pod is not the kubelet's.
TEST(LogPods, StaticPodsByTheKubeletsUid) {
  const struct {
    const char* annotations;
    const char* read;
  } rows[] = {
      {"'kubernetes.io/config.hash': '0f1e', 'kubernetes.io/config.mirror': '0f1e', "
       "'kubernetes.io/config.source': 'file'",
       "0f1e/app"},
      // Anyone may set the hash; only the kubelet's mirror pods are mirrors.
      {"'kubernetes.io/config.hash': '0f1e'", "api-uid/app"},
      {"'kubernetes.io/config.mirror': '../../x'", "api-uid/app"},
      {"'kubernetes.io/config.mirror': '*'", "api-uid/app"},
  };
  for (const auto& row : rows) {
    EXPECT_THAT(Read(Pod(row.annotations, kApp, "'phase': 'Running', 'podIP': '10.0.0.1'")),
                ElementsAre(row.read))
        << row.annotations;
  }
}

}  // namespace
}  // namespace ampari
