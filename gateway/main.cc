// ampari-gateway: flags, configuration, start, wait, stop.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <atomic>
#include <iostream>
#include <memory>
#include <string>

#include "common/runtime/clock.h"
#include "common/runtime/exit_codes.h"
#include "common/runtime/logging.h"
#include "common/runtime/shutdown.h"
#include "gateway/config.h"
#include "gateway/gateway.h"
#include "gateway/queue_command.h"

namespace ampari {
namespace {

constexpr char kExitCodes[] =
    "Exit codes: 0 ok; 1 a failure while running, or queue verify found a problem; 2 wrong usage; "
    "3 the configuration cannot\nbe loaded; 4 the storage is damaged: run queue repair; 5 the "
    "storage is in use elsewhere or cannot be used.";

constexpr char kRegionNote[] =
    "note: after an outage of more than an hour, or with another writer into the same tenant, the "
    "region takes old samples\nonly within its out-of-order window; without one it refuses them, "
    "and they go to the dead letters\n";

// Of metrics alone: a Loki compares a line with the newest of its own stream, which comes in order.
const char* RegionNote(const GatewayConfig& config) {
  return std::any_of(config.tenants.begin(), config.tenants.end(),
                     [](const TenantConfig& tenant) { return !tenant.remote_write.empty(); })
             ? kRegionNote
             : "";
}

int ExitOf(const absl::Status& status) {
  if (absl::IsInvalidArgument(status)) return kExitConfiguration;
  if (absl::IsDataLoss(status)) return kExitStorageDamaged;
  return absl::IsFailedPrecondition(status) ? kExitStorageInUse : kExitRuntime;
}

int Run(const GatewayConfig& config, const std::string& config_file) {
  std::unique_ptr<Gateway> gateway;
  std::atomic<Gateway*> reloadable{nullptr};
  StopSignals signals([&reloadable] {
    Gateway* const running = reloadable.load();
    if (running != nullptr) (void)running->Reload();  // it logs what happened
  });
  auto started = Gateway::Start(config, config_file, SystemClock());
  if (!started.ok()) {
    Log(LogLevel::kError, "cannot start", {{"error", started.status()}});
    return ExitOf(started.status());
  }
  gateway = *std::move(started);
  reloadable = gateway.get();
  Log(LogLevel::kInfo, "ready", {{"version", AMPARI_VERSION}});
  signals.Wait();
  Log(LogLevel::kInfo, "stopping");
  gateway->Stop();
  return kExitOk;
}

struct Flags {
  std::string config_file = "gateway.yaml";
  std::string log_level;
};

// Loads the configuration and prints what is wrong with it.
bool Load(const Flags& flags, GatewayConfig* config) {
  absl::StatusOr<GatewayConfig> loaded = LoadGatewayConfig(flags.config_file);
  if (!loaded.ok()) {
    std::cerr << loaded.status().message() << "\n";
    return false;
  }
  *config = *std::move(loaded);
  LogLevel level = LogLevel::kInfo;
  if (ParseLogLevel(flags.log_level.empty() ? config->log_level : flags.log_level, &level))
    SetLogLevel(level);
  return true;
}

int Main(int argc, char** argv) {
  CLI::App app("Makes telemetry durable and delivers it to its region.", "ampari-gateway");
  Flags flags;
  app.add_option("--config.file", flags.config_file, "Configuration file")->capture_default_str();
  app.add_option("--log.level", flags.log_level, "Overrides the configuration's")
      ->check(CLI::IsMember({"debug", "info", "warn", "error"}));
  app.set_version_flag("--version", "ampari-gateway " AMPARI_VERSION);
  app.footer(kExitCodes);
  app.require_subcommand(0, 1);
  app.fallthrough();
  CLI::App* check = app.add_subcommand("check-config", "Checks the configuration, prints warnings");
  CLI::App* print = app.add_subcommand("print-config", "Prints the configuration without secrets");
  QueueCommand queue;
  AddQueueCommand(app, &queue);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? kExitOk : kExitUsage;
  }
  GatewayConfig config;
  if (!Load(flags, &config)) return kExitConfiguration;
  for (const std::string& warning : config.warnings) {
    if (check->parsed()) std::cout << "warning: " << warning << "\n";
    if (!*check && !*print && !queue.asked)
      Log(LogLevel::kWarn, "configuration", {{"warning", warning}});
  }
  if (*check) std::cout << flags.config_file << " is valid\n" << RegionNote(config);
  if (*print) std::cout << PrintGatewayConfig(config);
  if (*check || *print) return kExitOk;
  if (queue.asked) return RunQueueCommand(queue, config);
  return Run(config, flags.config_file);
}

}  // namespace
}  // namespace ampari

int main(int argc, char** argv) { return ampari::Main(argc, argv); }
