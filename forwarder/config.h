// ForwarderConfig: forwarder.yaml as validated values.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/config/http_client_options.h"
#include "common/labels/labels.h"
#include "forwarder/scrape/target.h"
#include "forwarder/tail/log_target.h"

namespace ampari {

// One group of static_configs or of a file of file_sd_configs, or one pod.
struct TargetGroup {
  std::string source;  // for people: "static", file:index, or pod/namespace/name
  std::vector<std::string> targets;
  Labels labels;                      // of all its targets
  std::vector<Labels> target_labels;  // empty, or one per target; they win over `labels`
  bool logs_only = false;  // a pod without an IP: its files can be read, it cannot be scraped
};

struct FileDiscoveryConfig {
  std::vector<std::string> files;  // globs in the last path element, .json .yml .yaml
  absl::Duration refresh_interval = absl::Minutes(5);
};

// What of other objects joins a pod's labels; each needs the right to list and watch them.
struct AttachMetadata {
  bool node = false;        // labels and annotations of its node
  bool namespaces = false;  // and of its namespace
  bool deployment = false;  // pod_deployment_name, by its ReplicaSet
  bool job = false;         // pod_job_name
  bool cronjob = false;     // pod_cronjob_name, by its Job
  bool any() const { return node || namespaces || deployment || job || cronjob; }
};

// kubernetes_sd_configs, role pod. Without api_server and kubeconfig_file: the pod's own service
// account.
struct KubernetesDiscoveryConfig {
  std::string api_server;  // URL
  std::string kubeconfig_file;
  bool own_namespace = false;
  std::vector<std::string> namespaces;         // with own_namespace none at all: every namespace
  std::string label_selector, field_selector;  // of role pod, as the API server takes them
  std::string node_label_selector, node_field_selector;  // of role node
  AttachMetadata attach;
  HttpClientOptions http;
};

// Where the targets of a job come from.
struct JobSources {
  std::vector<TargetGroup> static_groups;
  std::vector<FileDiscoveryConfig> file_discoveries;
  std::vector<KubernetesDiscoveryConfig> kubernetes_discoveries;
  bool none() const {
    return static_groups.empty() && file_discoveries.empty() && kubernetes_discoveries.empty();
  }
};

struct ScrapeJobConfig : JobSources {
  std::shared_ptr<const ScrapeJob> job;
  std::vector<RelabelRule> relabel_rules,
      metric_relabel_rules;  // as written; the job has them compiled
};

struct LogJobConfig : JobSources {
  std::shared_ptr<const LogJob> job;
  std::vector<RelabelRule> relabel_rules;  // as written; the job has them compiled
};

struct GatewayClientConfig {
  std::vector<std::string> addresses;  // host:port; one is chosen by rendezvous hash of the name
  std::string name;  // of this forwarder; default ${NODE_NAME}, else the host name
  bool insecure = false;
  Secret token;
  TlsOptions tls;
  uint64_t ring_bytes = uint64_t{64} << 20;      // of metrics
  uint64_t log_ring_bytes = uint64_t{32} << 20;  // of logs
};

struct ForwarderConfig {
  std::vector<ScrapeJobConfig> jobs;
  std::vector<LogJobConfig> log_jobs;
  Labels external_labels;
  GatewayClientConfig gateway;
  std::string kubernetes_node;  // only this node's pods are discovered; empty: those of all nodes.
                                // Default ${NODE_NAME}
  std::string http_listen_address = "127.0.0.1:4752";
  Secret http_token;
  std::string log_level = "info";
  std::vector<std::string> warnings;
};

struct ForwarderConfigOptions {
  bool skip_unsupported_jobs =
      false;  // jobs with unsupported fields or discoveries are left out with a warning
};

// Errors as LoadGatewayConfig.
absl::StatusOr<ForwarderConfig> LoadForwarderConfig(const std::string& file,
                                                    const ForwarderConfigOptions& options);
absl::StatusOr<ForwarderConfig> ParseForwarderConfig(const std::string& yaml,
                                                     const std::string& file_name,
                                                     const ForwarderConfigOptions& options);
std::string PrintForwarderConfig(const ForwarderConfig& config);

}  // namespace ampari
