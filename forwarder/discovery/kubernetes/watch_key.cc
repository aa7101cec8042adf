#include "forwarder/discovery/kubernetes/watch_key.h"

#include <set>
#include <utility>

#include "absl/strings/str_cat.h"

namespace ampari {
namespace {

// Texts with their lengths, so that different lists never give one key.
class KeyBuilder {
 public:
  KeyBuilder& Add(const std::string& text) {
    absl::StrAppend(&key_, text.size(), ":", text);
    return *this;
  }
  KeyBuilder& Add(const Secret& secret) { return Add(secret.value).Add(secret.file); }
  KeyBuilder& Add(bool flag) { return Add(std::string(flag ? "1" : "0")); }
  std::string Take() { return std::move(key_); }

 private:
  std::string key_;
};

void AddTls(const TlsOptions& tls, KeyBuilder& key) {
  key.Add(tls.ca_file).Add(tls.cert_file).Add(tls.key_file).Add(tls.ca).Add(tls.cert);
  key.Add(tls.key).Add(tls.server_name).Add(tls.insecure_skip_verify);
  key.Add(tls.min_version).Add(tls.max_version);
}

void AddHttp(const HttpClientOptions& http, KeyBuilder& key) {
  key.Add(http.has_basic_auth).Add(http.username).Add(http.password);
  key.Add(http.authorization_type).Add(http.credentials);
  AddTls(http.tls, key);
  key.Add(http.proxy_url).Add(http.no_proxy).Add(http.follow_redirects);
  for (const HttpHeader& header : http.headers) {
    key.Add(header.name);
    for (const std::string& value : header.values) key.Add(value);
    for (const Secret& secret : header.secrets) key.Add(secret);
  }
}

std::string KeyOf(const KubernetesDiscoveryConfig& config, const WantedWatch& watch) {
  KeyBuilder key;
  key.Add(config.api_server).Add(config.kubeconfig_file);
  key.Add(watch.query.namespace_name).Add(watch.own_namespace);
  key.Add(watch.query.label_selector).Add(watch.query.field_selector);
  key.Add(std::to_string(static_cast<int>(watch.query.resource)));
  AddHttp(config.http, key);
  return key.Take();
}

// Collects watches, each once.
class WantedWatches {
 public:
  explicit WantedWatches(const KubernetesDiscoveryConfig& config) : config_(config) {}

  void Add(PodQuery query, bool own_namespace) {
    WantedWatch watch;
    watch.query = std::move(query);
    watch.own_namespace = own_namespace;
    watch.key = KeyOf(config_, watch);
    if (keys_.insert(watch.key).second) watches_.push_back(std::move(watch));
  }
  std::vector<WantedWatch> Take() { return std::move(watches_); }

 private:
  const KubernetesDiscoveryConfig& config_;
  std::set<std::string> keys_;
  std::vector<WantedWatch> watches_;
};

}  // namespace

std::vector<WantedWatch> WatchesOf(const KubernetesDiscoveryConfig& config,
                                   const std::string& node) {
  std::vector<std::pair<std::string, bool>> namespaces;
  for (const std::string& name : config.namespaces) namespaces.emplace_back(name, false);
  if (config.own_namespace) namespaces.emplace_back("", true);
  if (namespaces.empty()) namespaces.emplace_back("", false);
  WantedWatches watches(config);
  const AttachMetadata& attach = config.attach;
  for (const auto& [name, own] : namespaces) {
    watches.Add({name, config.label_selector, NodeFieldSelector(config.field_selector, node),
                 ApiResource::kPods},
                own);
    if (attach.deployment) watches.Add({name, "", "", ApiResource::kReplicaSets}, own);
    if (attach.cronjob) watches.Add({name, "", "", ApiResource::kJobs}, own);
  }
  if (attach.node) {
    watches.Add({"", config.node_label_selector,
                 NameFieldSelector(config.node_field_selector, node), ApiResource::kNodes},
                false);
  }
  if (attach.namespaces) watches.Add({"", "", "", ApiResource::kNamespaces}, false);
  return watches.Take();
}

}  // namespace ampari
