#include "gateway/gateway.h"

#include <map>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/http/server.h"
#include "common/runtime/logging.h"
#include "gateway/destination_set.h"
#include "gateway/intake/intake_server.h"
#include "gateway/intake/server_credentials.h"
#include "gateway/layouts/layout_cache.h"
#include "gateway/status/credential_ends.h"
#include "gateway/status/http_api.h"
#include "gateway/store/store.h"
#include "gateway/store_blocks.h"
#include "gateway/topology.h"

namespace ampari {
namespace {

constexpr size_t kLayoutCacheBytes = size_t{256} << 20;
constexpr absl::Duration kUpkeep =
    absl::Seconds(5);  // between looks at token files and the certificate

void LogListening(const std::string& address, uint16_t port, const char* protocol) {
  const std::string host = address.substr(0, address.rfind(':'));
  Log(LogLevel::kInfo, "listening",
      {{"address", absl::StrCat(host, ":", port)}, {"protocol", protocol}});
}

std::map<std::string, Labels> EnforcedLabelsOf(const GatewayConfig& config) {
  std::map<std::string, Labels> labels;
  for (const EntryIdentity& identity : IdentitiesOf(config)) {
    labels[identity.entry] = identity.labels;
  }
  return labels;
}

}  // namespace

Gateway::Gateway(GatewayConfig config, std::string config_file, const Clock& clock)
    : config_file_(std::move(config_file)), clock_(clock), config_(std::move(config)) {}

Gateway::~Gateway() { Stop(); }

absl::StatusOr<std::unique_ptr<Gateway>> Gateway::Start(GatewayConfig config,
                                                        std::string config_file,
                                                        const Clock& clock) {
  std::unique_ptr<Gateway> gateway(new Gateway(std::move(config), std::move(config_file), clock));
  absl::Status started = gateway->StartAll();
  if (!started.ok()) return started;
  return gateway;
}

absl::Status Gateway::StartAll() {
  MutexLock reload_lock(reload_mu_);
  absl::Status status = OpenStore();
  if (status.ok()) status = TakeOver(config_);
  if (status.ok()) status = StartIntake();
  if (status.ok()) status = StartHttp();
  if (!status.ok()) return status;
  upkeep_ = std::thread(&Gateway::Upkeep, this);
  MutexLock lock(mu_);
  ready_ = true;
  return absl::OkStatus();
}

absl::Status Gateway::OpenStore() {
  StoreOptions options;
  options.directory = config_.storage.directory;
  options.max_bytes = config_.storage.max_bytes;
  options.max_age = config_.storage.max_age;
  absl::StatusOr<std::unique_ptr<Store>> store = Store::Open(options, clock_);
  if (!store.ok()) return store.status();
  store_ = *std::move(store);
  for (const std::string& alarm : store_->status().alarms) {
    Log(LogLevel::kError, "storage", {{"alarm", alarm}});
  }
  blocks_ = std::make_unique<StoreBlocks>(*store_);
  layouts_ = std::make_unique<LayoutCache>(*blocks_, kLayoutCacheBytes);
  destinations_ = std::make_unique<DestinationSet>(*store_, *layouts_, clock_);
  return absl::OkStatus();
}

absl::Status Gateway::StartIntake() {
  IntakeOptions options;
  options.listen_address = config_.grpc.listen_address;
  options.insecure = config_.grpc.insecure;
  options.cert_file = config_.grpc.cert_file;
  options.key_file = config_.grpc.key_file;
  absl::StatusOr<std::unique_ptr<IntakeServer>> intake =
      IntakeServer::Start(options, entries_, *store_, clock_);
  if (!intake.ok()) return intake.status();
  intake_ = *std::move(intake);
  LogListening(options.listen_address, intake_->port(), "grpc");
  return absl::OkStatus();
}

absl::Status Gateway::StartHttp() {
  api_ = std::make_unique<HttpApi>(Sources());
  ServerOptions options;
  options.listen_address = config_.http_listen_address;
  absl::StatusOr<std::unique_ptr<HttpServer>> http = HttpServer::Start(
      options, [this](const ServerRequest& request) { return api_->Answer(request); });
  if (!http.ok()) return http.status();
  http_ = *std::move(http);
  LogListening(options.listen_address, http_->port(), "http");
  return absl::OkStatus();
}

HttpApiSources Gateway::Sources() {
  HttpApiSources sources;
  sources.snapshot = [this] { return snapshot(); };
  sources.verify = [this] {
    return store_->Verify([this] {
      MutexLock lock(mu_);
      return !stop_;
    });
  };
  sources.dead_letters = [this](const std::string& tenant, size_t limit) {
    return store_->DeadLetters(tenant, limit);
  };
  sources.reload = [this] { return Reload(); };
  sources.ready = [this] {
    MutexLock lock(mu_);
    return ready_;
  };
  sources.change_token = [this] {
    MutexLock lock(mu_);
    return http_token_->Get().value_or("");
  };
  return sources;
}

// What can fail comes before what cannot: a failure leaves the former configuration in force.
absl::Status Gateway::TakeOver(const GatewayConfig& config) {
  absl::StatusOr<std::unique_ptr<Entries::Prepared>> entries = Entries::Prepare(config);
  if (!entries.ok()) return entries.status();
  const absl::Status applied = store_->Apply(TopologyOf(config), EnforcedLabelsOf(config));
  if (!applied.ok()) return applied;
  for (const InstanceStatus& instance : store_->status().instances) {
    layouts_->Invalidate(instance.number);
  }
  entries_.Take(*std::move(entries));
  store_->SetLimits(config.storage.max_bytes, config.storage.max_age);
  destinations_->TakeOver(config);
  MutexLock lock(mu_);
  http_token_ = std::make_shared<SecretSource>(config.http_token);
  reload_ = {true, absl::ToDoubleSeconds(clock_.Now() - absl::UnixEpoch()), ""};
  return absl::OkStatus();
}

// The store may have found the refused batch in its log when it reopened itself.
absl::Status Gateway::Restore(const absl::Status& why) {
  const absl::Status restored = store_->Apply(TopologyOf(config_), EnforcedLabelsOf(config_));
  if (restored.ok()) return why;
  return absl::Status(why.code(), absl::StrCat(why.message(),
                                               "; and what was in force could not be stored "
                                               "again, reload once the storage works: ",
                                               restored.message()));
}

absl::Status Gateway::Reload() {
  MutexLock reload_lock(reload_mu_);
  absl::StatusOr<GatewayConfig> config = LoadGatewayConfig(config_file_);
  absl::Status status = config.status();
  if (status.ok()) status = CheckReloadable(config_, *config);
  if (status.ok()) {
    status = TakeOver(*config);
    if (!status.ok()) status = Restore(status);
  }
  if (!status.ok()) {
    Log(LogLevel::kError, "reload failed, the former configuration stays", {{"error", status}});
    MutexLock lock(mu_);
    reload_.last_successful = false;
    reload_.error = std::string(status.message());
    return status;
  }
  config_ = *std::move(config);
  for (const std::string& warning : config_.warnings) {
    Log(LogLevel::kWarn, "configuration", {{"warning", warning}});
  }
  Log(LogLevel::kInfo, "configuration reloaded");
  return absl::OkStatus();
}

GatewayConfig Gateway::CurrentConfig() {
  MutexLock reload_lock(reload_mu_);
  return config_;
}

// Token files, certificates and credentials may change at any time.
void Gateway::Upkeep() {
  LogLimit limit(absl::Minutes(5));
  for (;;) {
    const absl::Status tokens = entries_.Refresh();
    if (!tokens.ok()) Log(limit, LogLevel::kError, "token file", {{"error", tokens}});
    const GatewayConfig config = CurrentConfig();
    if (!config.grpc.cert_file.empty()) {
      const absl::StatusOr<absl::Time> end =
          CheckCertificate({config.grpc.cert_file, config.grpc.key_file});
      if (!end.ok()) Log(limit, LogLevel::kError, "certificate", {{"error", end.status()}});
    }
    std::vector<CredentialEnd> credentials = CredentialEnds(config);
    MutexLock lock(mu_);
    tenants_problem_ = std::string(tokens.message());
    credentials_ = std::move(credentials);
    if (!stop_) stop_changed_.WaitFor(mu_, kUpkeep);
    if (stop_) return;
  }
}

GatewaySnapshot Gateway::snapshot() const {
  GatewaySnapshot snapshot;
  snapshot.store = store_->status();
  snapshot.now_ms = store_->NowMs();
  if (intake_ != nullptr) snapshot.intake = intake_->status();
  snapshot.deliveries = destinations_->statuses();
  snapshot.entries = entries_.identities();
  snapshot.layout_cache_bytes = layouts_->bytes();
  snapshot.layouts = layouts_->counts();
  MutexLock lock(mu_);
  snapshot.reload = reload_;
  snapshot.credentials = credentials_;
  snapshot.tenants_problem = tenants_problem_;
  return snapshot;
}

void Gateway::Stop() {
  {
    MutexLock lock(mu_);
    ready_ = false;
    stop_ = true;
    stop_changed_.NotifyAll();
  }
  if (upkeep_.joinable()) upkeep_.join();
  if (intake_ != nullptr) intake_->Stop();
  if (destinations_ != nullptr) destinations_->Stop();
  http_.reset();
}

uint16_t Gateway::grpc_port() const { return intake_->port(); }
uint16_t Gateway::http_port() const { return http_->port(); }

}  // namespace ampari
