// Forwarder: the whole program: discovery -> scraping -> shipping, discovery -> tailing -> shipping
// of logs, and the pages that show them.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/config/secret.h"
#include "common/http/server.h"
#include "common/runtime/clock.h"
#include "common/runtime/metrics.h"
#include "common/runtime/mutex.h"
#include "forwarder/config.h"
#include "forwarder/discovery/discovery.h"
#include "forwarder/discovery/job_changes.h"
#include "forwarder/log_stages.h"
#include "forwarder/scrape/scrape_loop.h"
#include "forwarder/shipping/metrics_shipper.h"
#include "forwarder/status.h"

namespace ampari {

struct ForwarderOptions {
  std::string config_file;  // read again at each Reload()
  ForwarderConfigOptions config;
  std::string log_level;  // wins over the configuration's; empty: that one
};

// Owns every stage. Reload() and what it shows are thread-safe; Stop() belongs to the owner.
// `clock` must outlive it.
class Forwarder {
 public:
  // Starts with a configuration that was loaded from options.config_file. Unavailable: a port
  // cannot be bound.
  static absl::StatusOr<std::unique_ptr<Forwarder>> Start(ForwarderConfig config,
                                                          ForwarderOptions options,
                                                          const Clock& clock);
  ~Forwarder();  // Stop(zero)
  Forwarder(const Forwarder&) = delete;
  Forwarder& operator=(const Forwarder&) = delete;

  // Takes over the jobs, external labels, gateway addresses, HTTP token and log level of the file,
  // or nothing when anything is wrong with it. What else concerns the gateway or the HTTP address
  // waits for the next start; a warning says so. FailedPrecondition: it is stopping.
  absl::Status Reload() ABSL_LOCKS_EXCLUDED(reload_mu_, mu_);
  // Stops scraping, without staleness markers, and reading, and waits until the gateway has
  // everything. DeadlineExceeded says what is left after `grace`, of either signal.
  absl::Status Stop(absl::Duration grace);
  uint16_t http_port() const { return server_->port(); }

 private:
  Forwarder(ForwarderConfig config, ForwarderOptions options, const Clock& clock);
  absl::Status StartServer();
  bool IsWelcomed() const;
  bool IsHttpToken(std::string_view presented) const ABSL_LOCKS_EXCLUDED(mu_);
  void TakeOver(const ForwarderConfig& config);
  void TakeTargets(TargetSet targets) ABSL_LOCKS_EXCLUDED(mu_);
  void NoteReload(const absl::Status& status) ABSL_LOCKS_EXCLUDED(mu_);
  ForwarderView View(bool with_targets) const ABSL_LOCKS_EXCLUDED(mu_);

  const Clock& clock_;
  const ForwarderOptions options_;
  const ForwarderConfig started_with_;
  Mutex reload_mu_;  // one reload at a time
  mutable Mutex mu_;
  ReloadStatus reload_ ABSL_GUARDED_BY(mu_);
  DroppedTargets dropped_ ABSL_GUARDED_BY(mu_);
  std::shared_ptr<SecretSource> http_token_ ABSL_GUARDED_BY(mu_);
  JobChanges job_changes_;                  // of discovery's thread
  std::atomic<bool> ready_{false};          // the first targets are known
  std::atomic<bool> ships_metrics_{false};  // its stream was begun
  std::atomic<bool> stopped_{false};        // Stop() was called

  // The data path from its end to its beginning: each stage outlives those that feed it.
  NumberSource numbers_;
  MetricsShipper shipper_;
  LogStages logs_;
  ScrapeLoop scraping_;
  Discovery discovery_;
  MetricsRegistry metrics_;
  std::unique_ptr<HttpServer> server_;
};

}  // namespace ampari
