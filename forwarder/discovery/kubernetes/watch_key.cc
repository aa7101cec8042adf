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
  AddHttp(config.http, key);
  return key.Take();
}

}  // namespace

std::vector<WantedWatch> WatchesOf(const KubernetesDiscoveryConfig& config,
                                   const std::string& node) {
  std::vector<std::pair<std::string, bool>> namespaces;
  for (const std::string& name : config.namespaces) namespaces.emplace_back(name, false);
  if (config.own_namespace) namespaces.emplace_back("", true);
  if (namespaces.empty()) namespaces.emplace_back("", false);
  std::vector<WantedWatch> watches;
  std::set<std::string> keys;
  for (const auto& [name, own] : namespaces) {
    WantedWatch watch;
    watch.query = {name, config.label_selector, NodeFieldSelector(config.field_selector, node)};
    watch.own_namespace = own;
    watch.key = KeyOf(config, watch);
    if (keys.insert(watch.key).second) watches.push_back(std::move(watch));
  }
  return watches;
}

}  // namespace ampari
