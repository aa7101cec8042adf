// ampari-forwarder: flags, configuration, run until told to stop.

#include <CLI/CLI.hpp>
#include <atomic>
#include <iostream>
#include <map>
#include <memory>
#include <string>

#include "common/runtime/absl_view.h"
#include "common/runtime/clock.h"
#include "common/runtime/exit_codes.h"
#include "common/runtime/logging.h"
#include "common/runtime/shutdown.h"
#include "forwarder/canary/canary_command.h"
#include "forwarder/forwarder.h"

namespace ampari {
namespace {

struct Flags {
  ForwarderOptions forwarder{.config_file = "forwarder.yaml", .config = {}, .log_level = {}};
  double grace_seconds = 10;
  CanaryCommand canary;
};

int CheckConfig(const ForwarderConfig& config) {
  for (const std::string& warning : config.warnings) std::cerr << "warning: " << warning << "\n";
  std::cout << "the configuration is valid: " << config.jobs.size() << " scrape jobs, "
            << config.log_jobs.size() << " log jobs, " << config.gateway.addresses.size()
            << " gateway addresses\n";
  return kExitOk;
}

int PrintConfig(const ForwarderConfig& config) {
  std::cout << PrintForwarderConfig(config);
  return kExitOk;
}

int Run(ForwarderConfig config, const Flags& flags) {
  std::unique_ptr<Forwarder> forwarder;  // outlives the thread that reloads it
  std::atomic<Forwarder*> running{nullptr};
  StopSignals signals([&running] {
    if (Forwarder* target = running.load()) (void)target->Reload();
  });
  absl::StatusOr<std::unique_ptr<Forwarder>> started =
      Forwarder::Start(std::move(config), flags.forwarder, SystemClock());
  if (!started.ok()) {
    Log(LogLevel::kError, "cannot start", {{"error", FromAbsl(started.status().message())}});
    return kExitRuntime;
  }
  forwarder = *std::move(started);
  running = forwarder.get();
  signals.Wait();
  running = nullptr;
  Log(LogLevel::kInfo, "stopping");
  const absl::Status stopped = forwarder->Stop(absl::Seconds(flags.grace_seconds));
  if (stopped.ok()) return kExitOk;
  Log(LogLevel::kError, "stopped before the gateway had everything",
      {{"left", FromAbsl(stopped.message())}});
  return kExitRuntime;
}

int Main(int argc, char** argv) {
  Flags flags;
  CLI::App app{"Scrapes the mesh's sidecars, reads their log files, and ships both to a gateway.",
               "ampari-forwarder"};
  app.add_option("--config.file", flags.forwarder.config_file, "Configuration file")
      ->capture_default_str();
  app.add_option("--log.level", flags.forwarder.log_level, "debug, info, warn or error")
      ->check(CLI::IsMember({"debug", "info", "warn", "error"}));
  app.add_option("--shutdown.grace", flags.grace_seconds,
                 "How long to wait for the gateway when stopping (10, 10s, 1m)")
      ->transform(
          CLI::AsNumberWithUnit(std::map<std::string, double>{{"ms", 0.001}, {"s", 1}, {"m", 60}}))
      ->check(CLI::NonNegativeNumber)
      ->default_str("10s");
  app.add_flag("--skip-unsupported-jobs", flags.forwarder.config.skip_unsupported_jobs,
               "Leave out jobs that need what is not supported, with a warning");
  app.set_version_flag("--version", std::string("ampari-forwarder ") + AMPARI_VERSION);
  app.require_subcommand(0, 1);
  app.fallthrough();
  const CLI::App* check =
      app.add_subcommand("check-config", "Checks the configuration and ends (0: valid, 3: not)");
  const CLI::App* print =
      app.add_subcommand("print-config", "Prints the configuration in force, without secrets");
  AddCanaryCommand(app, &flags.canary);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? kExitOk : kExitUsage;
  }
  absl::StatusOr<ForwarderConfig> config =
      LoadForwarderConfig(flags.forwarder.config_file, flags.forwarder.config);
  if (!config.ok()) {
    std::cerr << FromAbsl(config.status().message()) << "\n";
    return kExitConfiguration;
  }
  if (check->parsed()) return CheckConfig(*config);
  if (print->parsed()) return PrintConfig(*config);
  if (flags.canary.asked) return RunCanaryCommand(flags.canary, *config);
  return Run(*std::move(config), flags);
}

}  // namespace
}  // namespace ampari

int main(int argc, char** argv) { return ampari::Main(argc, argv); }
