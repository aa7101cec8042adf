#include "forwarder/forwarder.h"

#include <algorithm>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/runtime/absl_view.h"
#include "common/runtime/logging.h"
#include "forwarder/credential_metrics.h"
#include "forwarder/gateway_choice.h"
#include "forwarder/gateway_connection.h"
#include "forwarder/pages.h"
#include "forwarder/scrape/schedule.h"
#include "forwarder/targets_page.h"

namespace ampari {
namespace {

ShippingOptions ShippingOf(const GatewayClientConfig& gateway) {
  return ConnectionTo(gateway, ChooseGateway(gateway.addresses, gateway.name), gateway.name);
}

ShippingOptions LogShippingOf(const GatewayClientConfig& gateway) {
  ShippingOptions options = ShippingOf(gateway);
  options.ring_bytes = gateway.log_ring_bytes;
  return options;
}

ScrapeLoopOptions ScrapingOf(const ForwarderConfig& config, const Clock& clock,
                             NumberSource& numbers, MetricsShipper& shipper) {
  ScrapeLoopOptions options;
  options.clock = &clock;
  options.numbers = &numbers;
  options.max_scrape_bytes = shipper.max_scrape_bytes();
  options.offset_seed = OffsetSeed(config.gateway.name, config.external_labels);
  options.ship = [&shipper](Shipment shipment) { shipper.Push(std::move(shipment)); };
  options.superseded = [&shipper] { return shipper.status().superseded; };
  return options;
}

// What a running forwarder cannot change: the first difference in words, or empty.
std::string NeedsRestart(const ForwarderConfig& now, const ForwarderConfig& wanted) {
  const GatewayClientConfig& a = now.gateway;
  const GatewayClientConfig& b = wanted.gateway;
  if (a.name != b.name) return "gateway.name";
  if (a.insecure != b.insecure) return "gateway.insecure";
  if (a.token.value != b.token.value || a.token.file != b.token.file) return "gateway.token";
  if (a.tls.ca_file != b.tls.ca_file || a.tls.ca != b.tls.ca ||
      a.tls.server_name != b.tls.server_name) {
    return "gateway.tls_config";
  }
  if (a.ring_bytes != b.ring_bytes || a.log_ring_bytes != b.log_ring_bytes) {
    return "gateway's ring size";
  }
  if (now.http_listen_address != wanted.http_listen_address) return "http.listen_address";
  return "";
}

void LogWarnings(const ForwarderConfig& config) {
  for (const std::string& warning : config.warnings) {
    Log(LogLevel::kWarn, "configuration", {{"warning", warning}});
  }
}

}  // namespace

absl::StatusOr<std::unique_ptr<Forwarder>> Forwarder::Start(ForwarderConfig config,
                                                            ForwarderOptions options,
                                                            const Clock& clock) {
  LogWarnings(config);
  std::unique_ptr<Forwarder> forwarder(new Forwarder(std::move(config), std::move(options), clock));
  const absl::Status status = forwarder->StartServer();
  if (!status.ok()) return status;
  forwarder->scraping_.Start();
  forwarder->TakeOver(forwarder->started_with_);
  forwarder->NoteReload(absl::OkStatus());
  return forwarder;
}

Forwarder::Forwarder(ForwarderConfig config, ForwarderOptions options, const Clock& clock)
    : clock_(clock),
      options_(std::move(options)),
      started_with_(std::move(config)),
      shipper_(ShippingOf(started_with_.gateway), clock_),
      logs_(LogShippingOf(started_with_.gateway), clock_),
      scraping_(ScrapingOf(started_with_, clock_, numbers_, shipper_)),
      discovery_([this](TargetSet targets) { TakeTargets(std::move(targets)); },
                 [this](DiscoveredLogs found) { logs_.Apply(std::move(found)); }) {
  metrics_.Add(ProcessCollector("ampari_forwarder"));
  metrics_.Add(CredentialMetrics(started_with_.gateway));
  metrics_.Add([this](std::vector<MetricFamily>& families) {
    AppendForwarderMetrics(View(/*with_targets=*/false), families);
  });
}

Forwarder::~Forwarder() { (void)Stop(absl::ZeroDuration()); }

absl::Status Forwarder::StartServer() {
  ForwarderPages pages;
  pages.targets = [this](PageForm form) { return TargetsPage(View(/*with_targets=*/true), form); };
  pages.metrics = [this] { return metrics_.Render(); };
  pages.ready = [this] { return ready_ && !stopped_; };
  pages.welcomed = [this] { return IsWelcomed(); };
  pages.reload = [this] { return Reload(); };
  pages.is_token = [this](std::string_view presented) { return IsHttpToken(presented); };
  ServerOptions options;
  options.listen_address = started_with_.http_listen_address;
  absl::StatusOr<std::unique_ptr<HttpServer>> server =
      HttpServer::Start(options, [pages = std::move(pages)](const ServerRequest& request) {
        return AnswerPage(pages, request);
      });
  if (!server.ok()) return server.status();
  server_ = *std::move(server);
  const std::string& address = started_with_.http_listen_address;
  Log(LogLevel::kInfo, "listening",
      {{"address", absl::StrCat(address.substr(0, address.rfind(':')), ":", server_->port())},
       {"protocol", "http"}});
  return absl::OkStatus();
}

bool Forwarder::IsHttpToken(std::string_view presented) const {
  std::shared_ptr<SecretSource> token;
  {
    MutexLock lock(mu_);
    token = http_token_;
  }
  if (token == nullptr) return false;
  const absl::StatusOr<std::string> expected = token->Get();
  return expected.ok() && !expected->empty() && SecretEquals(presented, *expected);
}

bool Forwarder::IsWelcomed() const {
  const ShippingStatus shipping = ships_metrics_ ? shipper_.status() : logs_.shipping();
  return shipping.epoch != 0;
}

void Forwarder::TakeOver(const ForwarderConfig& config) {
  LogLevel level = LogLevel::kInfo;
  if (ParseLogLevel(options_.log_level.empty() ? config.log_level : options_.log_level, &level)) {
    SetLogLevel(level);
  }
  {
    MutexLock lock(mu_);
    http_token_ = std::make_shared<SecretSource>(config.http_token);
  }
  // Only logs: no stream is opened for metrics.
  const bool wants_metrics = !config.jobs.empty() || config.log_jobs.empty();
  if (wants_metrics && !ships_metrics_.exchange(true)) shipper_.Start();
  if (!config.log_jobs.empty()) logs_.Begin();
  discovery_.Apply(config.jobs, config.external_labels, config.kubernetes_node, config.log_jobs);
}

void Forwarder::TakeTargets(TargetSet targets) {
  {
    MutexLock lock(mu_);
    dropped_.targets = std::move(targets.dropped);
    dropped_.total = targets.dropped_total;
  }
  static LogLimit limit;  // pods come and go
  Log(limit, LogLevel::kInfo, "targets",
      {{"count", targets.targets.size()}, {"dropped", targets.dropped_total}});
  for (const JobChange& change : job_changes_.Take(targets.targets)) {
    Log(LogLevel::kInfo, "targets of a job changed",
        {{"job", change.job_name},
         {"count", change.count},
         {"added", change.added},
         {"removed", change.removed}});
  }
  scraping_.Apply(std::move(targets));
  ready_ = true;
}

absl::Status Forwarder::Reload() {
  MutexLock lock(reload_mu_);
  if (stopped_) return absl::FailedPreconditionError("the forwarder is stopping");
  const absl::StatusOr<ForwarderConfig> config =
      LoadForwarderConfig(options_.config_file, options_.config);
  NoteReload(config.status());
  if (!config.ok()) {
    Log(LogLevel::kError, "the configuration cannot be taken over; the old one stays in force",
        {{"error", FromAbsl(config.status().message())}});
    return config.status();
  }
  LogWarnings(*config);
  const std::string needs_restart = NeedsRestart(started_with_, *config);
  if (!needs_restart.empty()) {
    Log(LogLevel::kWarn, "a change takes effect at the next start only",
        {{"setting", needs_restart}});
  }
  TakeOver(*config);
  const std::string gateway = ChooseGateway(config->gateway.addresses, started_with_.gateway.name);
  shipper_.MoveTo(gateway);
  logs_.MoveTo(gateway);
  Log(LogLevel::kInfo, "the configuration was taken over", {{"file", options_.config_file}});
  return absl::OkStatus();
}

void Forwarder::NoteReload(const absl::Status& status) {
  MutexLock lock(mu_);
  ++reload_.attempts;
  reload_.successful = status.ok();
  reload_.error = std::string(status.message());
  if (status.ok()) {
    reload_.last_success = clock_.Now();
  } else {
    ++reload_.failures;
  }
}

ForwarderView Forwarder::View(bool with_targets) const {
  ForwarderView view;
  if (with_targets) view.targets = scraping_.targets();
  view.scraping = scraping_.status();
  view.ships_metrics = ships_metrics_;
  view.shipping = shipper_.status();
  view.logs = logs_.view(with_targets);
  view.files = discovery_.files();
  view.pod_watches = discovery_.pod_watches();
  MutexLock lock(mu_);
  view.dropped = dropped_;
  view.reload = reload_;
  return view;
}

absl::Status Forwarder::Stop(absl::Duration grace) {
  if (stopped_.exchange(true)) return absl::OkStatus();
  const absl::Duration deadline = clock_.Monotonic() + grace;
  scraping_.Stop();
  const auto left = [&] { return std::max(absl::ZeroDuration(), deadline - clock_.Monotonic()); };
  absl::Status of_logs;  // in the same time as the metrics
  std::thread logs([&] { of_logs = logs_.Stop(left()); });
  const absl::Status of_metrics = shipper_.Stop(left());
  logs.join();
  if (of_metrics.ok() || of_logs.ok()) return of_metrics.ok() ? of_logs : of_metrics;
  return absl::DeadlineExceededError(absl::StrCat(of_metrics.message(), "; ", of_logs.message()));
}

}  // namespace ampari
