#include "forwarder/kubernetes_discovery_config.h"

#include <algorithm>
#include <iterator>
#include <set>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "common/config/environment.h"
#include "common/config/http_client_block.h"
#include "common/labels/quote.h"

namespace ampari {
namespace {

constexpr size_t kMaxNamespaceName = 63;  // bytes, as the API server allows them
constexpr size_t kMaxNodeName = 253;

bool IsDnsName(std::string_view name, size_t max_bytes, std::string_view others) {
  const auto allowed = [others](char c) {
    return absl::ascii_islower(static_cast<unsigned char>(c)) ||
           absl::ascii_isdigit(static_cast<unsigned char>(c)) ||
           others.find(c) != std::string_view::npos;
  };
  return !name.empty() && name.size() <= max_bytes &&
         std::all_of(name.begin(), name.end(), allowed);
}

// False when the role is not pod.
bool ReadRole(MappingReader& block) {
  constexpr const char* kOtherRoles[] = {"node", "service", "endpoints", "endpointslice",
                                         "ingress"};
  std::string role;
  block.Text("role", &role);
  if (role.empty()) {
    block.Error("role", "the role is missing; only pod is supported");
  } else if (std::find(std::begin(kOtherRoles), std::end(kOtherRoles), role) !=
             std::end(kOtherRoles)) {
    block.Unsupported("role", absl::StrCat("role ", role,
                                           " is not supported, only pod: a forwarder scrapes the "
                                           "pods of its node"));
  } else if (role != "pod") {
    block.Error("role", absl::StrCat(Quoted(role), " is not a role; only pod is supported"));
  }
  return role == "pod";
}

void ReadMetadata(MappingReader& block, AttachMetadata* attach) {
  MappingReader metadata = block.Child("attach_metadata");
  metadata.Bool("node", &attach->node);
  metadata.Bool("namespace", &attach->namespaces);
  metadata.Bool("deployment", &attach->deployment);
  metadata.Bool("job", &attach->job);
  metadata.Bool("cronjob", &attach->cronjob);
  metadata.Finish();
}

void ReadNamespaces(MappingReader& block, KubernetesDiscoveryConfig* config) {
  MappingReader namespaces = block.Child("namespaces");
  namespaces.Bool("own_namespace", &config->own_namespace);
  namespaces.Texts("names", &config->namespaces);
  namespaces.Finish();
  for (const std::string& name : config->namespaces) {
    if (!IsDnsName(name, kMaxNamespaceName, "-")) {
      namespaces.Error("names", absl::StrCat(Quoted(name), " is not a namespace's name"));
    }
  }
}

void CheckSelector(MappingReader& selector, const std::string& label, const std::string& field) {
  if (!IsLabelSelector(label)) {
    selector.Error(
        "label",
        absl::StrCat(Quoted(label), " is not a label selector such as app=cart,tier in (a,b)"));
  }
  if (!IsFieldSelector(field)) {
    selector.Error("field", absl::StrCat(Quoted(field),
                                         " is not a field selector such as spec.nodeName=node-1"));
  }
}

// Of the roles pod and node, which role pod allows.
void ReadSelectors(MappingReader& block, bool is_pod, KubernetesDiscoveryConfig* config) {
  std::set<std::string> roles;
  for (MappingReader& selector : block.Children("selectors")) {
    std::string role, label, field;
    selector.Text("role", &role);
    selector.Text("label", &label);
    selector.Text("field", &field);
    selector.Finish();
    if (!is_pod || !selector.present()) continue;
    if (!roles.insert(role).second) {
      selector.Error("role", absl::StrCat("duplicated selector role ", Quoted(role)));
    } else if (role == "node" && !config->attach.node) {
      selector.Error("role", "node selectors need attach_metadata: {node: true}");
    } else if (role == "node") {
      CheckSelector(selector, label, field);
      config->node_label_selector = std::move(label);
      config->node_field_selector = std::move(field);
    } else if (role != "pod") {
      selector.Error("role", absl::StrCat("pod role supports only pod and node selectors, not ",
                                          Quoted(role)));
    } else {
      CheckSelector(selector, label, field);
      config->label_selector = std::move(label);
      config->field_selector = std::move(field);
    }
  }
}

bool IsDefault(const HttpClientOptions& options) {
  return MappingWriter().HttpClient(options).ToYaml() ==
         MappingWriter().HttpClient(HttpClientOptions()).ToYaml();
}

// What Prometheus refuses together.
void CheckAccess(MappingReader& block, const KubernetesDiscoveryConfig& config) {
  const bool api_server = !config.api_server.empty(), kubeconfig = !config.kubeconfig_file.empty();
  if (api_server) CheckHttpUrl(block, "api_server", config.api_server);
  if (api_server && kubeconfig) {
    block.Error("kubeconfig_file",
                "cannot use kubeconfig_file and api_server simultaneously; keep one");
  }
  if (kubeconfig && !IsDefault(config.http)) {
    block.Error("kubeconfig_file",
                "cannot use a custom HTTP client configuration together with kubeconfig_file");
  }
  if (!api_server && !kubeconfig && !IsDefault(config.http)) {
    block.Error("",
                "to use a custom HTTP client configuration provide the api_server URL explicitly");
  }
  if (config.own_namespace && (api_server || kubeconfig)) {
    block.Error("namespaces",
                absl::StrCat("cannot use ", api_server ? "api_server" : "kubeconfig_file",
                             " and namespaces.own_namespace simultaneously"));
  }
}

}  // namespace

std::vector<KubernetesDiscoveryConfig> ReadKubernetesDiscoveries(MappingReader& job) {
  std::vector<KubernetesDiscoveryConfig> configs;
  for (MappingReader& block : job.Children("kubernetes_sd_configs")) {
    if (!block.present()) continue;
    KubernetesDiscoveryConfig config;
    const bool is_pod = ReadRole(block);
    block.Text("api_server", &config.api_server);
    block.Path("kubeconfig_file", &config.kubeconfig_file);
    ReadNamespaces(block, &config);
    ReadMetadata(block, &config.attach);
    ReadSelectors(block, is_pod, &config);
    config.http = ReadHttpClientOptions(block);
    block.Finish();
    CheckAccess(block, config);
    configs.push_back(std::move(config));
  }
  return configs;
}

MappingWriter KubernetesDiscoveryBlock(const KubernetesDiscoveryConfig& config) {
  MappingWriter block, namespaces, attach;
  if (config.own_namespace) namespaces.Bool("own_namespace", true);
  namespaces.Texts("names", config.namespaces);
  std::vector<MappingWriter> selectors;
  const auto add_selector = [&](const char* role, const std::string& label,
                                const std::string& field) {
    if (label.empty() && field.empty()) return;
    MappingWriter selector;
    selector.Text("role", role).Text("label", label).Text("field", field);
    selectors.push_back(std::move(selector));
  };
  add_selector("pod", config.label_selector, config.field_selector);
  add_selector("node", config.node_label_selector, config.node_field_selector);
  const std::pair<const char*, bool> attached[] = {{"node", config.attach.node},
                                                   {"namespace", config.attach.namespaces},
                                                   {"deployment", config.attach.deployment},
                                                   {"job", config.attach.job},
                                                   {"cronjob", config.attach.cronjob}};
  for (const auto& [key, wanted] : attached) {
    if (wanted) attach.Bool(key, true);
  }
  block.Text("role", "pod")
      .Text("api_server", RedactedUrl(config.api_server))
      .Text("kubeconfig_file", config.kubeconfig_file)
      .Child("namespaces", std::move(namespaces))
      .Children("selectors", std::move(selectors))
      .Child("attach_metadata", std::move(attach))
      .HttpClient(config.http);
  return block;
}

std::string ReadKubernetesNode(MappingReader& root, bool needed) {
  constexpr char kKey[] = "kubernetes_node";
  std::string node = EnvironmentOr("NODE_NAME", "");
  const bool given = root.Text(kKey, &node);
  if (!node.empty() && !IsDnsName(node, kMaxNodeName, "-.")) {
    if (given || needed) root.Error(kKey, absl::StrCat(Quoted(node), " is not a node's name"));
    node.clear();
  } else if (node.empty() && !given && needed) {
    root.Warning(kKey,
                 "neither kubernetes_node nor NODE_NAME is set, so the pods of all nodes are "
                 "discovered and two forwarders would scrape the same pods; set it to the node's "
                 "name, or to \"\" if there is one forwarder only");
  }
  return node;
}

bool IsFieldSelector(std::string_view text) {
  bool has_operator = true;  // of the term so far; an empty term needs none
  bool has_key = false;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == ',') {
      if (!has_operator) return false;
      has_key = false;
    } else if (text[i] == '=' || text[i] == '!') {
      if (!has_key) return false;
      has_operator |= text[i] == '=';
    } else {
      if (text[i] == '\\' && ++i == text.size()) return false;
      if (!has_key) has_operator = false;
      has_key = true;
    }
  }
  return has_operator;
}

bool IsLabelSelector(std::string_view text) {
  bool open = false;
  for (const char c : text) {
    if (c == '(' || c == ')') {
      if (open == (c == '(')) return false;
      open = !open;
    } else if (!absl::ascii_isalnum(static_cast<unsigned char>(c)) &&
               std::string_view("-_./=!<>, ").find(c) == std::string_view::npos) {
      return false;
    }
  }
  return !open;
}

}  // namespace ampari
