// Gateway: the one orchestrator. It owns every stage of the program and knows them all; the stages
// meet through plain values. Data order: entries → intake → store → layouts → destinations; status
// looks at all of them.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/config/secret.h"
#include "common/runtime/clock.h"
#include "common/runtime/mutex.h"
#include "gateway/config.h"
#include "gateway/status/snapshot.h"
#include "gateway/tenants/entries.h"

namespace ampari {

class DestinationSet;
class HttpApi;
class HttpServer;
class IntakeServer;
class StoreBlocks;
struct HttpApiSources;

// Thread-safe between Start and Stop. `clock` must outlive it.
class Gateway {
 public:
  // Starts the sink first: store, layouts, destinations, then intake, then status. `config_file` is
  // what Reload reads. FailedPrecondition and DataLoss are the store's (kExitStorageInUse,
  // kExitStorageDamaged), InvalidArgument is of the configuration, Unavailable of an address.
  static absl::StatusOr<std::unique_ptr<Gateway>> Start(GatewayConfig config,
                                                        std::string config_file,
                                                        const Clock& clock);
  ~Gateway();  // Stop()
  Gateway(const Gateway&) = delete;
  Gateway& operator=(const Gateway&) = delete;

  // Reads the configuration again and takes it over as a whole, or returns why not and changes
  // nothing. A destination keeps its backlog under its name. Addresses, TLS file names and the
  // storage directory need a restart: InvalidArgument.
  absl::Status Reload() ABSL_LOCKS_EXCLUDED(reload_mu_, mu_);
  // Stops the source first: intake (streams are told), destinations (what was answered is settled),
  // status. The store closes with the gateway.
  void Stop() ABSL_LOCKS_EXCLUDED(mu_);

  uint16_t grpc_port() const;
  uint16_t http_port() const;
  GatewaySnapshot snapshot() const ABSL_LOCKS_EXCLUDED(mu_);

 private:
  Gateway(GatewayConfig config, std::string config_file, const Clock& clock);
  absl::Status StartAll() ABSL_LOCKS_EXCLUDED(reload_mu_, mu_);
  absl::Status OpenStore() ABSL_EXCLUSIVE_LOCKS_REQUIRED(reload_mu_);
  absl::Status StartIntake() ABSL_EXCLUSIVE_LOCKS_REQUIRED(reload_mu_);
  absl::Status StartHttp() ABSL_EXCLUSIVE_LOCKS_REQUIRED(reload_mu_);
  absl::Status TakeOver(const GatewayConfig& config) ABSL_EXCLUSIVE_LOCKS_REQUIRED(reload_mu_);
  absl::Status Restore(const absl::Status& why) ABSL_EXCLUSIVE_LOCKS_REQUIRED(reload_mu_);
  void Upkeep() ABSL_LOCKS_EXCLUDED(reload_mu_, mu_);
  GatewayConfig CurrentConfig() ABSL_LOCKS_EXCLUDED(reload_mu_);
  HttpApiSources Sources();

  const std::string config_file_;
  const Clock& clock_;
  Mutex reload_mu_;                                   // one reload at a time; before mu_
  GatewayConfig config_ ABSL_GUARDED_BY(reload_mu_);  // in force

  Entries entries_;
  std::unique_ptr<Store> store_;
  std::unique_ptr<StoreBlocks> blocks_;
  std::unique_ptr<LayoutCache> layouts_;
  std::unique_ptr<DestinationSet> destinations_;
  std::unique_ptr<IntakeServer> intake_;
  std::unique_ptr<HttpApi> api_;
  std::unique_ptr<HttpServer> http_;
  std::thread upkeep_;

  mutable Mutex mu_;
  CondVar stop_changed_;
  bool ready_ ABSL_GUARDED_BY(mu_) = false;
  bool stop_ ABSL_GUARDED_BY(mu_) = false;
  ReloadStatus reload_ ABSL_GUARDED_BY(mu_);
  std::vector<CredentialEnd> credentials_ ABSL_GUARDED_BY(mu_);
  std::string tenants_problem_ ABSL_GUARDED_BY(mu_);
  std::shared_ptr<SecretSource> http_token_ ABSL_GUARDED_BY(mu_);
};

}  // namespace ampari
