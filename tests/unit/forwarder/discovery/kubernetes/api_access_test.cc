// Where the API server is and how to speak to it.
#include "forwarder/discovery/kubernetes/api_access.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "forwarder/discovery/kubernetes/kubeconfig.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"

namespace ampari {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

class InClusterTest : public testing::Test {
 protected:
  InClusterTest() {
    setenv("KUBERNETES_SERVICE_HOST", "10.96.0.1", 1);
    setenv("KUBERNETES_SERVICE_PORT", "443", 1);
    dir_.Write("token", "secret-token\n");
    dir_.Write("ca.crt", "pem");
    dir_.Write("namespace", "istio-system\n");
  }
  ~InClusterTest() override {
    unsetenv("KUBERNETES_SERVICE_HOST");
    unsetenv("KUBERNETES_SERVICE_PORT");
  }
  absl::StatusOr<ApiAccess> Resolve(bool own_namespace = false) {
    KubernetesDiscoveryConfig config;
    config.own_namespace = own_namespace;
    return ResolveApiAccess(config, {dir_.path()});
  }
  void Remove(const char* file) { ASSERT_TRUE(std::filesystem::remove(dir_.File(file))); }

  TempDir dir_;
};

TEST_F(InClusterTest, TheServiceAccountsFiles) {
  const auto access = Resolve();
  ASSERT_THAT(access, IsOk());
  EXPECT_EQ(access->url, "https://10.96.0.1:443");
  EXPECT_EQ(access->own_namespace, "istio-system");
  EXPECT_EQ(access->http->authorization_type, "Bearer");
  // Files, so that what Kubernetes renews is read again.
  EXPECT_EQ(access->http->credentials.file, dir_.File("token"));
  EXPECT_EQ(access->http->credentials.value, "");
  EXPECT_EQ(access->http->tls.ca_file, dir_.File("ca.crt"));
  EXPECT_FALSE(access->http->tls.insecure_skip_verify);
}

TEST_F(InClusterTest, AnIpv6HostIsBracketed) {
  setenv("KUBERNETES_SERVICE_HOST", "fd00:10:96::1", 1);
  EXPECT_EQ(Resolve()->url, "https://[fd00:10:96::1]:443");
}

TEST_F(InClusterTest, WhatIsMissingIsNamed) {
  Remove("namespace");
  EXPECT_EQ(Resolve()->own_namespace, "");
  EXPECT_THAT(Resolve(true), StatusIs(absl::StatusCode::kNotFound, HasSubstr("/namespace")));
  Remove("ca.crt");
  EXPECT_THAT(Resolve(), StatusIs(absl::StatusCode::kNotFound, HasSubstr("ca.crt")));
  Remove("token");
  EXPECT_THAT(Resolve(), StatusIs(absl::StatusCode::kNotFound, HasSubstr("token")));
  unsetenv("KUBERNETES_SERVICE_PORT");
  EXPECT_THAT(Resolve(),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("KUBERNETES_SERVICE_HOST")));
}

TEST(ApiAccessTest, AnApiServerHasTheDiscoverysOwnClient) {
  KubernetesDiscoveryConfig config;
  config.api_server = "http://127.0.0.1:8001/clusters/a/";
  config.http.credentials.value = "t";
  const auto access = ResolveApiAccess(config);
  ASSERT_THAT(access, IsOk());
  EXPECT_EQ(access->url, "http://127.0.0.1:8001/clusters/a");
  EXPECT_EQ(access->own_namespace, "");
  EXPECT_EQ(access->http->credentials.value, "t");
}

constexpr char kKubeconfig[] = R"(
apiVersion: v1
kind: Config
preferences: {}
current-context: hub
clusters:
- name: other
  cluster: {server: "https://other"}
- name: c
  cluster: {CLUSTER}
contexts:
- name: hub
  context: {cluster: c, user: u, namespace: mesh}
users:
- name: u
  user: {USER}
)";

// The file of a cluster's and a user's members.
class KubeconfigTest : public testing::Test {
 protected:
  absl::StatusOr<ApiAccess> Read(const std::string& cluster, const std::string& user) {
    return ReadText(absl::StrReplaceAll(kKubeconfig, {{"{CLUSTER}", cluster}, {"{USER}", user}}));
  }
  absl::StatusOr<ApiAccess> ReadText(const std::string& text) {
    KubernetesDiscoveryConfig config;
    config.kubeconfig_file = dir_.Write("kubeconfig", text);
    return ResolveApiAccess(config);
  }
  TempDir dir_;
};

TEST_F(KubeconfigTest, ServerAndAuthority) {
  const auto access = Read(
      "{server: 'https://k8s.example:6443/', certificate-authority: pki/ca.pem, tls-server-name: "
      "api, proxy-url: 'http://proxy:3128', extensions: []}",
      "{token: 'a$b${X}'}");
  ASSERT_THAT(access, IsOk());
  EXPECT_EQ(access->url, "https://k8s.example:6443");
  EXPECT_EQ(access->own_namespace, "mesh");
  EXPECT_EQ(access->http->tls.ca_file, dir_.File("pki/ca.pem"));
  EXPECT_EQ(access->http->tls.server_name, "api");
  EXPECT_EQ(access->http->proxy_url, "http://proxy:3128");
  EXPECT_EQ(access->http->authorization_type, "Bearer");
  EXPECT_EQ(access->http->credentials.value, "a$b${X}");  // a kubeconfig knows no environment
}

TEST_F(KubeconfigTest, InlineDataWinsOverFiles) {
  const auto access =
      Read("{server: 'https://k', certificate-authority: ca.pem, certificate-authority-data: Y2E=}",
           "{client-certificate: c.pem, client-certificate-data: Y3J0, client-key-data: a2V5}");
  ASSERT_THAT(access, IsOk());
  EXPECT_EQ(access->http->tls.ca, "ca");
  EXPECT_EQ(access->http->tls.ca_file, "");
  EXPECT_EQ(access->http->tls.cert, "crt");
  EXPECT_EQ(access->http->tls.cert_file, "");
  EXPECT_EQ(access->http->tls.key.value, "key");
  EXPECT_EQ(access->http->authorization_type, "");
}

TEST_F(KubeconfigTest, Users) {
  const auto user = [&](const std::string& members) {
    return *Read("{server: 'https://k', insecure-skip-tls-verify: true}", members)->http;
  };
  EXPECT_TRUE(user("{}").tls.insecure_skip_verify);
  EXPECT_EQ(user("{}").authorization_type, "");
  EXPECT_EQ(user("{token: t, tokenFile: /run/t}").credentials.file, "/run/t");
  EXPECT_EQ(user("{token: t, tokenFile: /run/t}").credentials.value, "");
  EXPECT_EQ(user("{tokenFile: t}").credentials.file, dir_.File("t"));
  EXPECT_EQ(user("{client-certificate: c.pem, client-key: k.pem}").tls.cert_file,
            dir_.File("c.pem"));
  EXPECT_EQ(user("{client-certificate: c.pem, client-key: k.pem}").tls.key_file,
            dir_.File("k.pem"));
  EXPECT_TRUE(user("{username: u, password: p}").has_basic_auth);
  EXPECT_EQ(user("{username: u, password: p}").password.value, "p");
  EXPECT_FALSE(user("{username: u, password: p, token: t}").has_basic_auth);
}

TEST_F(KubeconfigTest, JsonIsYaml) {
  EXPECT_EQ(ReadText(R"({"current-context": "x", "clusters": [{"name": "c", "cluster":
      {"server": "https://k"}}], "contexts": [{"name": "x", "context": {"cluster": "c"}}]})")
                ->url,
            "https://k");
}

TEST_F(KubeconfigTest, WhatIsWrongIsNamed) {
  const std::string good = "{server: 'https://k'}";
  const struct {
    std::string cluster, user;
    const char* message;
  } rows[] = {
      {"{}", "{}", "server: \"\" is not a URL"},
      {"{server: 'k:6443'}", "{}", "is not a URL"},
      {"{server: 'https://k', certificate-authority-data: '*'}", "{}", "authority-data: is not"},
      {"{server: 'https://k', proxy-url: 'socks5://x'}", "{}", "proxy-url"},
      {good, "{exec: {command: aws}}", "exec: credential plugins are not supported"},
      {good, "{auth-provider: {name: gcp}}", "auth-provider: credential plugins"},
      {good, "{as: admin}", "as: impersonation is not supported"},
      {good, "{client-certificate: c}", "must be given together"},
      {good, "{client-key-data: '?'}", "client-key-data: is not base64"},
      {good, "[]", "expected a mapping"},
  };
  for (const auto& row : rows) {
    EXPECT_THAT(Read(row.cluster, row.user),
                StatusIs(absl::StatusCode::kInvalidArgument,
                         AllOf(HasSubstr("kubeconfig:"), HasSubstr(row.message))))
        << row.message;
  }
}

TEST_F(KubeconfigTest, NamesThatLeadNowhere) {
  const std::string whole =
      absl::StrReplaceAll(kKubeconfig, {{"{CLUSTER}", "{server: 'https://k'}"}, {"{USER}", "{}"}});
  const struct {
    const char *from, *to, *message;
  } rows[] = {
      {"current-context: hub", "", "current-context: is not set"},
      {"current-context: hub", "current-context: x", "contexts: there is none named \"x\""},
      {"cluster: c,", "cluster: x,", "clusters: there is none named \"x\""},
      {"user: u,", "user: x,", "users: there is none named \"x\""},
      {"current-context", "\tcurrent-context", "not YAML"},
  };
  for (const auto& row : rows) {
    EXPECT_THAT(ReadText(absl::StrReplaceAll(whole, {{row.from, row.to}})),
                StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(row.message)));
  }
  EXPECT_THAT(ReadKubeconfig(dir_.File("gone")),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("gone")));
  EXPECT_THAT(ReadText(std::string(kMaxKubeconfigBytes + 1, ' ')),
              StatusIs(absl::StatusCode::kResourceExhausted));
}

TEST_F(KubeconfigTest, ErrorsHoldNoSecrets) {
  const auto access = Read("{server: 'https://u:hunter2@', certificate-authority-data: 'hunter2*'}",
                           "{token: hunter2, password: hunter2, client-key-data: 'hunter2*'}");
  EXPECT_THAT(access, StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(access.status().ToString(), Not(HasSubstr("hunter2")));
}

}  // namespace
}  // namespace ampari
