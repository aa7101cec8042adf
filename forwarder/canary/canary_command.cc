#include "forwarder/canary/canary_command.h"

#include <CLI/CLI.hpp>
#include <iostream>
#include <map>

#include "common/runtime/logging.h"

namespace ampari {

void AddCanaryCommand(CLI::App& app, CanaryCommand* command) {
  CLI::App* canary = app.add_subcommand(
      "canary",
      "Sends one marked metric through each gateway to the region, and checks the account");
  canary->callback([command] { command->asked = true; });
  canary
      ->add_option("--gateway-status", command->status_url,
                   "The gateway's HTTP address; {host} is the host of each gateway; none: the "
                   "account is not checked")
      ->capture_default_str();
  canary
      ->add_option("--timeout", command->timeout_seconds,
                   "How long one gateway may take until the region has it (60, 60s, 2m)")
      ->transform(
          CLI::AsNumberWithUnit(std::map<std::string, double>{{"ms", 0.001}, {"s", 1}, {"m", 60}}))
      ->check(CLI::PositiveNumber)
      ->default_str("60s");
}

ExitCode RunCanaryCommand(const CanaryCommand& command, const ForwarderConfig& config) {
  SetLogLevel(LogLevel::kError);  // every step is told in words of its own
  CanaryOptions options;
  options.gateway = config.gateway;
  options.external_labels = config.external_labels;
  options.status_url = command.status_url;
  options.timeout = absl::Seconds(command.timeout_seconds);
  StopSignals signals(nullptr);
  return RunCanary(options, SystemClock(), signals, std::cout, std::cerr);
}

}  // namespace ampari
