#include "gateway/config.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "common/config/address.h"
#include "common/config/program_sections.h"
#include "common/labels/quote.h"
#include "gateway/destination_config.h"
#include "gateway/forwarder_entries.h"

namespace ampari {
namespace {

constexpr uint64_t kMinStorageBytes = uint64_t{512} << 20;
constexpr size_t kMaxTenants = 1000;  // each has column families of its own

constexpr ForeignSection kForeignSections[] = {
    {"scrape_configs", "ampari-forwarder"},
    {"log_configs", "ampari-forwarder"},
    {"gateway", "ampari-forwarder"},
    {"scrape_config_files", "ampari-forwarder"},
    {"alerting", "Prometheus"},
    {"rule_files", "Prometheus"},
    {"remote_read", "Prometheus"},
    {"tracing", "Prometheus"},
    {"otlp", "Prometheus"},
    {"runtime", "Prometheus"},
};
constexpr ForeignSection kForeignGlobals[] = {
    {"scrape_interval", "ampari-forwarder"},
    {"scrape_timeout", "ampari-forwarder"},
    {"scrape_protocols", "ampari-forwarder"},
    {"extra_scrape_metrics", "ampari-forwarder"},
    {"body_size_limit", "ampari-forwarder"},
    {"sample_limit", "ampari-forwarder"},
    {"label_limit", "ampari-forwarder"},
    {"label_name_length_limit", "ampari-forwarder"},
    {"label_value_length_limit", "ampari-forwarder"},
    {"target_limit", "ampari-forwarder"},
    {"keep_dropped_targets", "ampari-forwarder"},
    {"metric_name_validation_scheme", "ampari-forwarder"},
    {"metric_name_escaping_scheme", "ampari-forwarder"},
    {"evaluation_interval", "Prometheus"},
    {"rule_query_offset", "Prometheus"},
    {"query_log_file", "Prometheus"},
    {"scrape_failure_log_file", "Prometheus"},
};

StorageConfig ReadStorage(MappingReader& root) {
  StorageConfig config;
  MappingReader block = root.Child("storage");
  block.Path("directory", &config.directory);
  block.Size("max_bytes", &config.max_bytes);
  block.Duration("max_age", &config.max_age);
  block.Finish();
  if (config.directory.empty())
    block.Error("directory", "name the directory that holds what is not yet delivered");
  if (config.max_bytes < kMinStorageBytes) block.Error("max_bytes", "must be at least 512MiB");
  if (config.max_age <= absl::ZeroDuration()) block.Error("max_age", "must be greater than 0");
  return config;
}

void CheckTransport(MappingReader& block, const GrpcConfig& config) {
  const bool tls = !config.cert_file.empty() || !config.key_file.empty();
  if (tls && (config.cert_file.empty() || config.key_file.empty())) {
    block.Error("tls_config", "cert_file and key_file must be given together");
  }
  if (tls && config.insecure) {
    block.Error("insecure", "insecure: true means plaintext, tls_config means TLS; keep one");
  } else if (config.insecure) {
    block.Warning("insecure", "forwarders' samples and tokens travel in plaintext");
  } else if (!tls) {
    block.Error("",
                "forwarders would connect in plaintext; add tls_config with cert_file and "
                "key_file, or insecure: true");
  }
}

GrpcConfig ReadGrpc(MappingReader& root) {
  GrpcConfig config;
  MappingReader block = root.Child("grpc");
  block.Text("listen_address", &config.listen_address);
  block.Bool("insecure", &config.insecure);
  MappingReader tls = block.Child("tls_config");
  tls.Path("cert_file", &config.cert_file);
  tls.Path("key_file", &config.key_file);
  for (const char* key : {"client_ca_file", "client_auth_type"}) {
    if (tls.Has(key)) tls.Unsupported(key, "client certificates are not supported yet; use tokens");
  }
  tls.Finish();
  block.Finish();
  if (!block.present()) {
    root.Error("grpc",
               "the section is missing; add grpc: {listen_address: …, tls_config: {cert_file: …, "
               "key_file: …}}");
    return config;
  }
  CheckAddress(block, "listen_address", config.listen_address);
  CheckTransport(block, config);
  return config;
}

void NeedDestination(MappingReader& block, const TenantConfig& tenant) {
  if (!tenant.remote_write.empty() || !tenant.loki_write.empty()) return;
  block.Error("remote_write",
              "there is nowhere to deliver to; add remote_write: [{url: …}] for metrics, "
              "loki_write: [{url: …}] for logs");
}

void AddEntries(std::vector<PlacedEntry> entries, std::vector<PlacedEntry>* all) {
  all->insert(all->end(), std::make_move_iterator(entries.begin()),
              std::make_move_iterator(entries.end()));
}

void ReadTenant(MappingReader& block, GatewayConfig* config, std::vector<PlacedEntry>* entries) {
  TenantConfig tenant;
  block.Text("id", &tenant.id);
  const std::string problem = TenantIdProblem(tenant.id);
  if (!problem.empty()) block.Error("id", problem);
  const bool known = std::any_of(config->tenants.begin(), config->tenants.end(),
                                 [&](const TenantConfig& other) { return other.id == tenant.id; });
  if (known)
    block.Error("id", absl::StrCat("tenant ", Quoted(tenant.id), " is given twice; join them"));
  block.Size("budget", &tenant.budget_bytes);
  std::vector<PlacedEntry> own = ReadForwarderEntries(block, tenant.id);
  if (own.empty())
    block.Warning("forwarders", "the tenant has no forwarders: nothing arrives for it");
  AddEntries(std::move(own), entries);
  tenant.remote_write = ReadRemoteWrites(block, problem.empty() ? tenant.id : "");
  tenant.loki_write = ReadLokiWrites(block, problem.empty() ? tenant.id : "");
  NeedDestination(block, tenant);
  block.Finish();
  config->tenants.push_back(std::move(tenant));
}

void ReadShortForm(MappingReader& root, GatewayConfig* config, std::vector<PlacedEntry>* entries) {
  AddEntries(ReadForwarderEntries(root, ""), entries);
  TenantConfig tenant;
  tenant.remote_write = ReadRemoteWrites(root, "");
  tenant.loki_write = ReadLokiWrites(root, "");
  NeedDestination(root, tenant);
  config->tenants.push_back(std::move(tenant));
}

void ReadTenants(MappingReader& root, GatewayConfig* config, std::vector<PlacedEntry>* entries) {
  std::vector<MappingReader> tenants = root.Children("tenants");
  if (tenants.empty()) return ReadShortForm(root, config, entries);
  if (tenants.size() > kMaxTenants)
    return root.Error("tenants", absl::StrCat("at most ", kMaxTenants, " are possible"));
  for (const char* key : {"remote_write", "loki_write", "forwarders"}) {
    if (root.Has(key))
      root.Error(key, "with tenants this belongs inside each tenant; move it there");
  }
  for (MappingReader& tenant : tenants) {
    if (tenant.present()) ReadTenant(tenant, config, entries);
  }
  if (entries->empty() && tenants.size() > 1) {
    root.Error(
        "tenants",
        "without forwarders entries nobody's tenant can be told; add forwarders to each tenant");
  }
}

// Without entries everyone who reaches the port may send: it must be this machine only.
void CheckListener(MappingReader& root, const GatewayConfig& config) {
  if (!config.forwarders.empty()) return;
  const absl::StatusOr<HostPort> address = ParseHostPort(config.grpc.listen_address);
  if (!address.ok() || IsLoopbackHost(address->host)) return;
  MappingReader grpc = root.Child("grpc");
  grpc.Error(
      "listen_address",
      absl::StrCat(Quoted(config.grpc.listen_address),
                   " is open to others, and without forwarders entries everyone may send; add "
                   "forwarders, or listen on 127.0.0.1:4750"));
}

}  // namespace

absl::StatusOr<GatewayConfig> ParseGatewayConfig(const std::string& yaml,
                                                 const std::string& file_name) {
  ConfigFile file(yaml, file_name);
  if (absl::Status syntax = file.status(); !syntax.ok()) return syntax;
  GatewayConfig config;
  MappingReader root(file);
  MappingReader global = root.Child("global");
  global.LabelSet("external_labels", &config.external_labels);
  WarnForeignSections(global, kForeignGlobals);
  global.Finish();
  config.storage = ReadStorage(root);
  config.grpc = ReadGrpc(root);
  ReadHttpSection(root, &config.http_listen_address, &config.http_token);
  ReadLogSection(root, &config.log_level);
  std::vector<PlacedEntry> entries;
  ReadTenants(root, &config, &entries);
  CheckEntries(entries, file);
  for (PlacedEntry& placed : entries) config.forwarders.push_back(std::move(placed.entry));
  CheckListener(root, config);
  WarnForeignSections(root, kForeignSections);
  root.Finish();
  if (absl::Status status = file.status(); !status.ok()) return status;
  config.warnings = file.warnings();
  return config;
}

absl::StatusOr<GatewayConfig> LoadGatewayConfig(const std::string& file) {
  const absl::StatusOr<std::string> text = ReadConfigText(file);
  if (!text.ok()) return text.status();
  return ParseGatewayConfig(*text, file);
}

}  // namespace ampari
