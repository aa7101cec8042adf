#include "forwarder/config.h"

#include <unistd.h>

#include <algorithm>
#include <climits>
#include <map>

#include "absl/strings/str_cat.h"
#include "common/config/address.h"
#include "common/config/environment.h"
#include "common/config/http_client_block.h"
#include "common/config/program_sections.h"
#include "common/labels/quote.h"
#include "forwarder/kubernetes_discovery_config.h"
#include "forwarder/log_job_config.h"
#include "forwarder/scrape_job_config.h"

namespace ampari {
namespace {

constexpr uint64_t kMinRingBytes = uint64_t{1} << 20;
constexpr size_t kMaxForwarderName = 253;  // bytes: as long as a node's name may be

constexpr ForeignSection kForeignSections[] = {
    {"alerting", "Prometheus"},
    {"rule_files", "Prometheus"},
    {"remote_read", "Prometheus"},
    {"tracing", "Prometheus"},
    {"otlp", "Prometheus"},
    {"runtime", "Prometheus"},
    {"storage", "ampari-gateway (or Prometheus)"},
    {"remote_write", "ampari-gateway"},
    {"loki_write", "ampari-gateway"},
    {"forwarders", "ampari-gateway"},
    {"tenants", "ampari-gateway"},
    {"grpc", "ampari-gateway"},
};
constexpr ForeignSection kForeignGlobals[] = {{"evaluation_interval", "Prometheus"},
                                              {"rule_query_offset", "Prometheus"},
                                              {"query_log_file", "Prometheus"}};

std::string HostName() {
  char name[HOST_NAME_MAX + 1] = {};
  return gethostname(name, sizeof(name) - 1) == 0 ? name : "";
}

void ReadAddresses(MappingReader& block, std::vector<std::string>* addresses) {
  std::string address;
  block.Text("address", &address);
  block.Texts("addresses", addresses);
  if (!address.empty() && !addresses->empty())
    block.Error("address", "give either address or addresses");
  const char* key = address.empty() ? "addresses" : "address";
  if (!address.empty()) *addresses = {address};
  if (addresses->empty()) return block.Error("", "no gateway is named; add address: host:4750");
  for (const std::string& one : *addresses) {
    if (!CheckAddress(block, key, one)) continue;
    const HostPort parsed = *ParseHostPort(one);
    if (parsed.host.empty() || parsed.port == 0)
      block.Error(key, absl::StrCat(Quoted(one), " needs a host and a port"));
    if (std::count(addresses->begin(), addresses->end(), one) > 1) {
      return block.Error(key, absl::StrCat(Quoted(one), " is given twice; keep one"));
    }
  }
}

// Of a tls_config as Prometheus has it: what a stream to a gateway does not honour.
void RefuseTlsFields(MappingReader& block, const TlsOptions& tls) {
  if (!tls.cert.empty() || !tls.cert_file.empty() || !tls.key.empty() || !tls.key_file.empty()) {
    block.Error("tls_config", "client certificates are not supported yet; use tokens");
  }
  if (tls.insecure_skip_verify) {
    block.Error("tls_config",
                "insecure_skip_verify is not supported; name the gateway's CA in ca_file");
  }
  if (!tls.min_version.empty() || !tls.max_version.empty()) {
    block.Error("tls_config", "min_version and max_version are not supported; remove them");
  }
}

GatewayClientConfig ReadGateway(MappingReader& root) {
  GatewayClientConfig config;
  MappingReader block = root.Child("gateway");
  if (!block.present()) {
    root.Error("gateway", "the section is missing; add gateway: {address: host:4750, …}");
    return config;
  }
  ReadAddresses(block, &config.addresses);
  config.name = EnvironmentOr("NODE_NAME", HostName());
  block.Text("name", &config.name);
  if (config.name.empty() || config.name.size() > kMaxForwarderName) {
    block.Error("name", absl::StrCat("a name of 1 to ", kMaxForwarderName,
                                     " bytes is needed; set it or NODE_NAME"));
  }
  block.Bool("insecure", &config.insecure);
  block.SecretOf("token", &config.token);
  config.tls = ReadTlsOptions(block, "tls_config");
  RefuseTlsFields(block, config.tls);
  block.Size("ring_bytes", &config.ring_bytes);
  if (config.ring_bytes < kMinRingBytes) block.Error("ring_bytes", "must be at least 1MiB");
  block.Size("log_ring_bytes", &config.log_ring_bytes);
  if (config.log_ring_bytes < kMinRingBytes) block.Error("log_ring_bytes", "must be at least 1MiB");
  block.Finish();
  if (config.insecure && block.Has("tls_config")) {
    block.Error("insecure", "insecure: true means plaintext, tls_config means TLS; keep one");
  } else if (config.insecure) {
    block.Warning("insecure",
                  config.token.empty()
                      ? "samples and lines travel to the gateway in plaintext"
                      : "samples, lines and the token travel to the gateway in plaintext");
  }
  return config;
}

void RefuseJobFiles(MappingReader& root) {
  const YamlNode* files = root.Take("scrape_config_files");
  if (files == nullptr || (files->kind == YamlNode::Kind::kSequence && files->items.empty()))
    return;
  root.Unsupported("scrape_config_files", "not supported; put the jobs into scrape_configs");
}

void ReadJobs(MappingReader& root, const ScrapeDefaults& defaults,
              const ForwarderConfigOptions& options, std::vector<ScrapeJobConfig>* jobs) {
  std::map<std::string, int> lines;
  for (MappingReader& block : root.Children("scrape_configs")) {
    if (!block.present()) continue;
    const ConfigFile::Mark mark = block.file().mark();
    ScrapeJobConfig config = ReadScrapeJob(block, defaults);
    const std::string& name = config.job->job_name;
    const auto [first, inserted] = lines.emplace(name, block.line());
    if (!inserted && !name.empty()) {
      block.Error("job_name",
                  absl::StrCat("found multiple scrape configs with job name ", Quoted(name),
                               ", first in line ", first->second, "; rename one"));
    }
    if (options.skip_unsupported_jobs &&
        block.file().LeaveOut(mark, block.line(), absl::StrCat("job ", Quoted(name)))) {
      continue;
    }
    WarnAboutJob(block, config);
    jobs->push_back(std::move(config));
  }
}

}  // namespace

absl::StatusOr<ForwarderConfig> ParseForwarderConfig(const std::string& yaml,
                                                     const std::string& file_name,
                                                     const ForwarderConfigOptions& options) {
  ConfigFile file(yaml, file_name);
  if (absl::Status syntax = file.status(); !syntax.ok()) return syntax;
  ForwarderConfig config;
  MappingReader root(file);
  MappingReader global = root.Child("global");
  const ScrapeDefaults defaults = ReadScrapeDefaults(global);
  global.LabelSet("external_labels", &config.external_labels);
  WarnForeignSections(global, kForeignGlobals);
  global.Finish();
  ReadJobs(root, defaults, options, &config.jobs);
  RefuseJobFiles(root);
  ReadLogJobs(root, options, &config.log_jobs);
  const auto of_pods = [](const JobSources& job) { return !job.kubernetes_discoveries.empty(); };
  const bool kubernetes = std::any_of(config.jobs.begin(), config.jobs.end(), of_pods) ||
                          std::any_of(config.log_jobs.begin(), config.log_jobs.end(), of_pods);
  config.kubernetes_node = ReadKubernetesNode(root, kubernetes);
  config.gateway = ReadGateway(root);
  ReadHttpSection(root, &config.http_listen_address, &config.http_token);
  ReadLogSection(root, &config.log_level);
  WarnForeignSections(root, kForeignSections);
  root.Finish();
  if (absl::Status status = file.status(); !status.ok()) return status;
  config.warnings = file.warnings();
  return config;
}

absl::StatusOr<ForwarderConfig> LoadForwarderConfig(const std::string& file,
                                                    const ForwarderConfigOptions& options) {
  const absl::StatusOr<std::string> text = ReadConfigText(file);
  if (!text.ok()) return text.status();
  return ParseForwarderConfig(*text, file, options);
}

}  // namespace ampari
