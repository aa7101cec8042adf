#include "forwarder/discovery/kubernetes/kubeconfig.h"

#include <memory>
#include <string_view>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "common/config/config_file.h"
#include "common/config/http_client_block.h"
#include "common/config/mapping_reader.h"
#include "common/labels/quote.h"
#include "common/runtime/small_file.h"

namespace ampari {
namespace {

// `list` holds {name: ..., <child>: {...}}. Absent, with an error, when no entry has the name.
MappingReader Named(MappingReader& root, const char* list, const std::string& name,
                    const char* child) {
  for (MappingReader& entry : root.Children(list)) {
    std::string entry_name;
    entry.RawText("name", &entry_name);
    if (entry_name == name) return entry.Child(child);
  }
  root.Error(list, absl::StrCat("there is none named ", Quoted(name)));
  return {nullptr, list, root.file()};
}

// `key`-data, base64, wins over the path `key`, as in Kubernetes' own client.
void ReadPem(MappingReader& block, const std::string& key, std::string* inline_pem,
             std::string* path) {
  std::string encoded;
  block.RawText(key, path);
  *path = block.file().Resolve(*path);
  const std::string data_key = key + "-data";
  block.RawText(data_key, &encoded);
  if (encoded.empty()) return;
  path->clear();
  if (!absl::Base64Unescape(encoded, inline_pem)) block.Error(data_key, "is not base64");
}

void ReadCluster(MappingReader& cluster, ApiAccess* access, HttpClientOptions* http) {
  cluster.RawText("server", &access->url);
  CheckHttpUrl(cluster, "server", access->url);
  ReadPem(cluster, "certificate-authority", &http->tls.ca, &http->tls.ca_file);
  cluster.Bool("insecure-skip-tls-verify", &http->tls.insecure_skip_verify);
  cluster.RawText("tls-server-name", &http->tls.server_name);
  cluster.RawText("proxy-url", &http->proxy_url);
  if (!http->proxy_url.empty()) CheckHttpUrl(cluster, "proxy-url", http->proxy_url);
}

void RefuseUserFields(MappingReader& user) {
  for (const char* key : {"exec", "auth-provider"}) {
    if (user.Has(key)) {
      user.Error(key, "credential plugins are not supported; use a token or a client certificate");
    }
  }
  for (const char* key : {"as", "as-uid", "as-groups", "as-user-extra"}) {
    if (user.Has(key)) user.Error(key, "impersonation is not supported; use a user of its own");
  }
}

void ReadUser(MappingReader& user, HttpClientOptions* http) {
  RefuseUserFields(user);
  Secret token;
  user.RawText("token", &token.value);
  user.RawText("tokenFile", &token.file);
  token.file = user.file().Resolve(token.file);
  if (!token.file.empty()) token.value.clear();  // the file is the newer of the two
  ReadPem(user, "client-certificate", &http->tls.cert, &http->tls.cert_file);
  ReadPem(user, "client-key", &http->tls.key.value, &http->tls.key_file);
  const bool certificate = !http->tls.cert.empty() || !http->tls.cert_file.empty();
  const bool key = !http->tls.key.empty() || !http->tls.key_file.empty();
  if (certificate != key) {
    user.Error("", "client-certificate and client-key must be given together");
  }
  user.RawText("username", &http->username.value);
  user.RawText("password", &http->password.value);
  if (!token.empty()) {
    http->authorization_type = "Bearer";
    http->credentials = token;
  } else if (!http->username.empty()) {
    http->has_basic_auth = true;
  }
}

ApiAccess ReadCurrentContext(MappingReader& root) {
  ApiAccess access;
  auto http = std::make_shared<HttpClientOptions>();
  std::string current, cluster_name, user_name;
  root.RawText("current-context", &current);
  if (current.empty()) {
    root.Error("current-context", "is not set");
    return access;
  }
  MappingReader context = Named(root, "contexts", current, "context");
  if (!context.present()) return access;
  context.RawText("cluster", &cluster_name);
  context.RawText("user", &user_name);
  context.RawText("namespace", &access.own_namespace);
  MappingReader cluster = Named(root, "clusters", cluster_name, "cluster");
  ReadCluster(cluster, &access, http.get());
  if (!user_name.empty()) {
    MappingReader user = Named(root, "users", user_name, "user");
    ReadUser(user, http.get());
  }
  access.http = std::move(http);
  return access;
}

}  // namespace

absl::StatusOr<ApiAccess> ReadKubeconfig(const std::string& path) {
  const absl::StatusOr<SmallFile> text = ReadSmallFile(path, kMaxKubeconfigBytes);
  if (!text.ok()) return text.status();
  ConfigFile file(text->bytes, path);
  if (absl::Status syntax = file.status(); !syntax.ok()) return syntax;
  MappingReader root(file);
  ApiAccess access = ReadCurrentContext(root);
  if (absl::Status status = file.status(); !status.ok()) return status;
  access.url = std::string(absl::StripSuffix(access.url, "/"));
  return access;
}

}  // namespace ampari
