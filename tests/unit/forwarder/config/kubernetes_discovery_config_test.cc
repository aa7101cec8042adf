// kubernetes_sd_configs and kubernetes_node.
#include "forwarder/kubernetes_discovery_config.h"

#include <stdlib.h>

#include <string>

#include "forwarder/config.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"

namespace ampari {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

// A job with these entries of kubernetes_sd_configs.
absl::StatusOr<ForwarderConfig> Parse(const std::string& entries, const std::string& top = "",
                                      bool skip = false) {
  return ParseForwarderConfig("gateway: {address: 'g:1', name: n}\n" + top +
                                  "\nscrape_configs:\n- job_name: a\n  kubernetes_sd_configs: [" +
                                  entries + "]\n",
                              "/etc/ampari/f.yaml", {skip});
}

KubernetesDiscoveryConfig Discovery(const std::string& entry) {
  const auto config = Parse(entry);
  EXPECT_THAT(config, IsOk()) << entry;
  return config.ok() ? config->jobs.at(0).kubernetes_discoveries.at(0)
                     : KubernetesDiscoveryConfig();
}

TEST(KubernetesDiscoveryConfigTest, TheServiceAccountOfAllNamespacesIsTheDefault) {
  const KubernetesDiscoveryConfig config = Discovery("{role: pod}");
  EXPECT_EQ(config.api_server, "");
  EXPECT_EQ(config.kubeconfig_file, "");
  EXPECT_FALSE(config.own_namespace);
  EXPECT_THAT(config.namespaces, IsEmpty());
  EXPECT_EQ(config.label_selector, "");
  EXPECT_EQ(config.field_selector, "");
}

TEST(KubernetesDiscoveryConfigTest, Fields) {
  setenv("AMPARI_TEST_NODE", "node-1", 1);
  const KubernetesDiscoveryConfig remote = Discovery(
      "{role: pod, api_server: 'https://k8s:6443', namespaces: {names: [shop, mesh]}, selectors: "
      "[{role: pod, label: 'app in (a,b),!c', field: 'spec.nodeName=${AMPARI_TEST_NODE}'}], "
      "authorization: {credentials_file: token}, tls_config: {ca_file: ca.pem}, follow_redirects: "
      "false, attach_metadata: {node: false, namespace: false}}");
  EXPECT_EQ(remote.api_server, "https://k8s:6443");
  EXPECT_THAT(remote.namespaces, ElementsAre("shop", "mesh"));
  EXPECT_EQ(remote.label_selector, "app in (a,b),!c");
  EXPECT_EQ(remote.field_selector, "spec.nodeName=node-1");
  EXPECT_EQ(remote.http.credentials.file, "/etc/ampari/token");
  EXPECT_EQ(remote.http.tls.ca_file, "/etc/ampari/ca.pem");
  EXPECT_FALSE(remote.http.follow_redirects);
  EXPECT_EQ(Discovery("{role: pod, kubeconfig_file: kube/config}").kubeconfig_file,
            "/etc/ampari/kube/config");
  EXPECT_TRUE(Discovery("{role: pod, namespaces: {own_namespace: true}}").own_namespace);
  EXPECT_THAT(Discovery("{role: pod, namespaces: {own_namespace: true, names: [b]}}").namespaces,
              ElementsAre("b"));
}

// Combinations and messages of prometheus/prometheus discovery/kubernetes/kubernetes.go,
// UnmarshalYAML.
TEST(KubernetesDiscoveryConfigTest, Refuses) {
  const struct {
    const char* entry;
    const char* message;
  } rows[] = {
      {"{}", "f.yaml:5: scrape_configs[0].kubernetes_sd_configs[0].role: the role is missing"},
      {"{role: Pod}", "role: \"Pod\" is not a role"},
      {"{role: pods}", "role: \"pods\" is not a role"},
      {"{role: node}", "role: role node is not supported, only pod"},
      {"{role: service}", "role service is not supported"},
      {"{role: endpoints}", "role endpoints is not supported"},
      {"{role: endpointslice}", "role endpointslice is not supported"},
      {"{role: ingress}", "role ingress is not supported"},
      {"{role: pod, roles: x}", "unknown key \"roles\"; did you mean \"role\"?"},
      {"{role: pod, api_server: 'k8s:6443'}", "api_server: \"k8s:6443\" is not a URL"},
      {"{role: pod, api_server: 'https://k', kubeconfig_file: x}",
       "cannot use kubeconfig_file and api_server simultaneously"},
      {"{role: pod, kubeconfig_file: x, basic_auth: {username: u}}",
       "cannot use a custom HTTP client configuration together with kubeconfig_file"},
      {"{role: pod, tls_config: {insecure_skip_verify: true}}",
       "to use a custom HTTP client configuration provide the api_server URL"},
      {"{role: pod, api_server: 'https://k', namespaces: {own_namespace: true}}",
       "cannot use api_server and namespaces.own_namespace simultaneously"},
      {"{role: pod, kubeconfig_file: x, namespaces: {own_namespace: true}}",
       "cannot use kubeconfig_file and namespaces.own_namespace simultaneously"},
      {"{role: pod, api_server: 'https://k', oauth2: {client_id: x}}", "oauth2: not supported"},
      {"{role: pod, namespaces: {names: ['../x']}}", "\"../x\" is not a namespace's name"},
      {"{role: pod, namespaces: {names: ['']}}", "\"\" is not a namespace's name"},
      {"{role: pod, namespaces: {name: x}}", "unknown key \"name\""},
      {"{role: pod, selectors: [{role: pod}, {role: pod}]}", "duplicated selector role \"pod\""},
      {"{role: pod, selectors: [{role: service}]}", "pod role supports only pod and node"},
      {"{role: pod, selectors: [{label: a}]}", "pod role supports only pod and node"},
      {"{role: pod, selectors: [{role: node, label: a=b}]}",
       "selectors[0].role: node selectors need attach_metadata: {node: true}"},
      {"{role: pod, selectors: [{role: pod, label: 'a=b&c'}]}", "is not a label selector"},
      {"{role: pod, selectors: [{role: pod, field: spec.nodeName}]}", "is not a field selector"},
      {"{role: pod, attach_metadata: {node: true}, selectors: [{role: node, field: zone}]}",
       "is not a field selector"},
      {"{role: pod, attach_metadata: {node: 7}}", "attach_metadata.node"},
      {"{role: pod, attach_metadata: {pod: true}}", "unknown key \"pod\""},
      {"pod", "expected a mapping"},
  };
  for (const auto& row : rows) {
    const auto config = Parse(row.entry);
    ASSERT_FALSE(config.ok()) << row.entry;
    EXPECT_THAT(config, StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(row.message)));
  }
}

TEST(KubernetesDiscoveryConfigTest, AttachedMetadataAndNodeSelectors) {
  const KubernetesDiscoveryConfig none = Discovery("{role: pod}");
  EXPECT_FALSE(none.attach.any());
  const KubernetesDiscoveryConfig config = Discovery(
      "{role: pod, selectors: [{role: node, label: zone=a, field: metadata.name!=x}], "
      "attach_metadata: {node: true, namespace: true, deployment: true, cronjob: true}}");
  EXPECT_TRUE(config.attach.node && config.attach.namespaces && config.attach.deployment &&
              config.attach.cronjob);
  EXPECT_FALSE(config.attach.job);
  EXPECT_EQ(config.node_label_selector, "zone=a");
  EXPECT_EQ(config.node_field_selector, "metadata.name!=x");
  EXPECT_EQ(config.label_selector, "");
}

TEST(KubernetesDiscoveryConfigTest, WhatIsNotSupportedCanBeLeftOut) {
  for (const char* entry :
       {"{role: node}", "{role: endpoints, selectors: [{role: service, label: a}]}"}) {
    const auto config = Parse(entry, "", true);
    ASSERT_THAT(config, IsOk()) << entry;
    EXPECT_THAT(config->jobs, IsEmpty());
    EXPECT_THAT(config->warnings, ElementsAre(HasSubstr("job \"a\" is left out")));
  }
  EXPECT_FALSE(Parse("{role: pods}", "", true).ok());
}

TEST(KubernetesDiscoveryConfigTest, FieldSelectors) {
  for (const char* good : {"", "a=b", "a==b", "a!=b", "metadata.name=x,spec.nodeName!=y",
                           "a=", "a=b,,c=d", R"(a=b\,c)", R"(a\=b=c)"}) {
    EXPECT_TRUE(IsFieldSelector(good)) << good;
  }
  for (const char* bad : {"a", "=b", "!=b", "a!b", "a=b,c", R"(a=b\)", R"(a\=b)"}) {
    EXPECT_FALSE(IsFieldSelector(bad)) << bad;
  }
}

TEST(KubernetesDiscoveryConfigTest, LabelSelectors) {
  for (const char* good : {"", "a=b", "!a", "x.io/a in (b, c),d notin (e)", "a>1,b<2", "a,b!=c"}) {
    EXPECT_TRUE(IsLabelSelector(good)) << good;
  }
  for (const char* bad : {"a in (b", "a)", "a in ((b))", "a=b;c", "a=\"b\"", "a&b", "a\n"}) {
    EXPECT_FALSE(IsLabelSelector(bad)) << bad;
  }
}

class KubernetesNodeTest : public testing::Test {
 protected:
  ~KubernetesNodeTest() override { unsetenv("NODE_NAME"); }
};

TEST_F(KubernetesNodeTest, ComesFromTheEnvironmentUnlessSaid) {
  setenv("NODE_NAME", "node-7", 1);
  EXPECT_EQ(Parse("{role: pod}")->kubernetes_node, "node-7");
  EXPECT_EQ(Parse("{role: pod}", "kubernetes_node: node-8.example")->kubernetes_node,
            "node-8.example");
  EXPECT_EQ(Parse("{role: pod}", "kubernetes_node: '${NODE_NAME}'")->kubernetes_node, "node-7");
  EXPECT_EQ(Parse("{role: pod}", "kubernetes_node: ''")->kubernetes_node, "");
  EXPECT_THAT(Parse("{role: pod}")->warnings, IsEmpty());
}

TEST_F(KubernetesNodeTest, AllNodesAreWarnedOfUnlessAskedFor) {
  unsetenv("NODE_NAME");
  const auto config = Parse("{role: pod}");
  ASSERT_THAT(config, IsOk());
  EXPECT_EQ(config->kubernetes_node, "");
  EXPECT_THAT(config->warnings,
              ElementsAre(HasSubstr("two forwarders would scrape the same pods")));
  EXPECT_THAT(Parse("{role: pod}", "kubernetes_node: ''")->warnings, IsEmpty());
  EXPECT_THAT(Parse("{role: pod}", "kubernetes_node: n")->warnings, IsEmpty());
  EXPECT_THAT(ParseForwarderConfig("gateway: {address: 'g:1'}", "f.yaml", {})->warnings, IsEmpty());
}

TEST_F(KubernetesNodeTest, ANameGoesIntoASelectorSoItIsChecked) {
  for (const char* name : {"a,metadata.name=b", "a b", "A", "a/b"}) {
    EXPECT_THAT(Parse("{role: pod}", std::string("kubernetes_node: '") + name + "'"),
                StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("is not a node's name")));
  }
  setenv("NODE_NAME", "My Host", 1);
  EXPECT_FALSE(Parse("{role: pod}").ok());
  EXPECT_THAT(ParseForwarderConfig("gateway: {address: 'g:1'}", "f.yaml", {}), IsOk());
}

TEST_F(KubernetesNodeTest, PrintedConfigurationLoadsAgainWithoutSecrets) {
  setenv("NODE_NAME", "node-7", 1);
  for (const char* top : {"", "kubernetes_node: ''", "kubernetes_node: a.b"}) {
    const auto config = Parse(
        "{role: pod}, {role: pod, kubeconfig_file: k, namespaces: {names: [a]}}, {role: pod, "
        "namespaces: {own_namespace: true, names: [b]}, selectors: [{role: pod, field: 'a=$b'}]}, "
        "{role: pod, api_server: 'https://user:canary1@k', basic_auth: {username: u, password: "
        "canary2}, selectors: [{role: pod, label: 'a in (b, c)'}]}",
        top);
    ASSERT_THAT(config, IsOk());
    const std::string printed = PrintForwarderConfig(*config);
    EXPECT_THAT(printed, Not(HasSubstr("canary")));
    const auto again = ParseForwarderConfig(printed, "/etc/ampari/f.yaml", {});
    ASSERT_THAT(again, IsOk()) << printed;
    EXPECT_EQ(PrintForwarderConfig(*again), printed);
    EXPECT_EQ(again->kubernetes_node, config->kubernetes_node);
    const auto& discoveries = again->jobs.at(0).kubernetes_discoveries;
    ASSERT_EQ(discoveries.size(), 4u);
    EXPECT_EQ(discoveries[1].kubeconfig_file, "/etc/ampari/k");
    EXPECT_THAT(discoveries[1].namespaces, ElementsAre("a"));
    EXPECT_TRUE(discoveries[2].own_namespace);
    EXPECT_EQ(discoveries[2].field_selector, "a=$b");
    EXPECT_EQ(discoveries[3].label_selector, "a in (b, c)");
  }
}

}  // namespace
}  // namespace ampari
