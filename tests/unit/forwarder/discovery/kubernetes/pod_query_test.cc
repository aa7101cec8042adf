#include "forwarder/discovery/kubernetes/pod_query.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "forwarder/discovery/kubernetes/watch_key.h"

namespace ampari {
namespace {

using ::testing::ElementsAre;

TEST(PodQuery, TheNodeJoinsTheFieldSelector) {
  struct Row {
    const char* selector;
    const char* node;
    const char* want;
  };
  const Row rows[] = {
      {"", "", ""},
      {"", "n-1", "spec.nodeName=n-1"},
      {"status.phase=Running", "", "status.phase=Running"},
      {"status.phase=Running", "n-1", "status.phase=Running,spec.nodeName=n-1"},
      {"spec.nodeName=other", "n-1", "spec.nodeName=other"},
      {"spec.nodeName==other", "n-1", "spec.nodeName==other"},
      {"status.phase=Running, spec.nodeName!=x", "n-1", "status.phase=Running, spec.nodeName!=x"},
      {"spec.nodeName", "n-1", "spec.nodeName"},
      {"metadata.name=spec.nodeName", "n-1", "metadata.name=spec.nodeName,spec.nodeName=n-1"},
      {"metadata.name=a\\,spec.nodeName=x", "n-1",
       "metadata.name=a\\,spec.nodeName=x,spec.nodeName=n-1"},
      {"a=b\\", "n-1", "a=b\\,spec.nodeName=n-1"},
  };
  for (const Row& row : rows) {
    EXPECT_EQ(NodeFieldSelector(row.selector, row.node), row.want) << row.selector;
  }
}

TEST(PodQuery, Urls) {
  const PodQuery all;
  const PodQuery some{"kube-system", "app in (a,b)", "spec.nodeName=n-1"};
  const std::string path =
      "https://api:6443/api/v1/namespaces/kube-system/pods?fieldSelector=spec.nodeName%3Dn-1"
      "&labelSelector=app%20in%20%28a%2Cb%29";
  EXPECT_EQ(CollectionUrl("https://api:6443", all), "https://api:6443/api/v1/pods");
  EXPECT_EQ(CollectionUrl("https://api:6443", some), path);
  EXPECT_EQ(ListUrl("http://h", all, {"", true}),
            "http://h/api/v1/pods?limit=500&resourceVersion=0");
  EXPECT_EQ(ListUrl("http://h", all, {"", false, 250}), "http://h/api/v1/pods?limit=250");
  // A later page names no version, whatever the first one did.
  EXPECT_EQ(ListUrl("https://api:6443", some, {"to&ken=", true}),
            path + "&limit=500&continue=to%26ken%3D");
  EXPECT_EQ(WatchUrl("http://h", all, "77", 300),
            "http://h/api/v1/pods?watch=true&allowWatchBookmarks=true&resourceVersion=77"
            "&timeoutSeconds=300");
  EXPECT_EQ(CollectionUrl("http://h", {"../secrets?x", "", ""}),
            "http://h/api/v1/namespaces/..%2Fsecrets%3Fx/pods");
}

TEST(PodQuery, WhatIsAttachedHasWatchesOfItsOwn) {
  KubernetesDiscoveryConfig config;
  config.api_server = "http://h";
  config.namespaces = {"shop"};
  config.node_label_selector = "zone=a";
  config.attach = {true, true, true, true, true};
  std::vector<std::string> urls;
  for (const WantedWatch& watch : WatchesOf(config, "n-1")) {
    urls.push_back(CollectionUrl("", watch.query));
  }
  EXPECT_THAT(urls,
              ElementsAre("/api/v1/namespaces/shop/pods?fieldSelector=spec.nodeName%3Dn-1",
                          "/apis/apps/v1/namespaces/shop/replicasets",
                          "/apis/batch/v1/namespaces/shop/jobs",
                          "/api/v1/nodes?fieldSelector=metadata.name%3Dn-1&labelSelector=zone%3Da",
                          "/api/v1/namespaces"));
  config.attach = {.job = true};
  EXPECT_EQ(WatchesOf(config, "n-1").size(), 1u) << "a job's name is told by the pod";
}

std::vector<std::string> Namespaces(const KubernetesDiscoveryConfig& config) {
  std::vector<std::string> names;
  for (const WantedWatch& watch : WatchesOf(config, "")) {
    names.push_back(watch.own_namespace ? "<own>" : watch.query.namespace_name);
  }
  return names;
}

TEST(WatchKey, OneWatchForEachNamespace) {
  KubernetesDiscoveryConfig config;
  EXPECT_THAT(Namespaces(config), ElementsAre(""));
  config.namespaces = {"b", "a", "b"};
  EXPECT_THAT(Namespaces(config), ElementsAre("b", "a"));
  config.own_namespace = true;
  EXPECT_THAT(Namespaces(config), ElementsAre("b", "a", "<own>"));
  config.namespaces.clear();
  EXPECT_THAT(Namespaces(config), ElementsAre("<own>"));
}

TEST(WatchKey, WhatAsksTheSameIsOneWatch) {
  using Config = KubernetesDiscoveryConfig;
  const auto key = [](const Config& config) { return WatchesOf(config, "node-1")[0].key; };
  const Config same;
  EXPECT_EQ(key(same), key(Config()));
  EXPECT_NE(key(same), WatchesOf(same, "node-2")[0].key);
  const std::vector<void (*)(Config&)> changes = {
      [](Config& c) { c.api_server = "https://a"; },
      [](Config& c) { c.kubeconfig_file = "f"; },
      [](Config& c) { c.own_namespace = true; },
      [](Config& c) { c.namespaces = {"a"}; },
      [](Config& c) { c.label_selector = "a=b"; },
      [](Config& c) { c.field_selector = "a=b"; },
      [](Config& c) { c.http.authorization_type = "Bearer"; },
      [](Config& c) { c.http.credentials.value = "t"; },
      [](Config& c) { c.http.credentials.file = "t"; },
      [](Config& c) { c.http.has_basic_auth = true; },
      [](Config& c) { c.http.tls.ca_file = "t"; },
      [](Config& c) { c.http.tls.insecure_skip_verify = true; },
      [](Config& c) { c.http.tls.server_name = "t"; },
      [](Config& c) { c.http.proxy_url = "t"; },
      [](Config& c) { c.http.follow_redirects = false; },
      [](Config& c) {
        c.http.headers = {{"a", {"b"}, {}}};
      },
  };
  std::vector<std::string> keys = {key(same)};
  for (const auto& change : changes) {
    Config config;
    change(config);
    EXPECT_THAT(keys, ::testing::Not(::testing::Contains(key(config)))) << keys.size();
    keys.push_back(key(config));
  }
}

}  // namespace
}  // namespace ampari
