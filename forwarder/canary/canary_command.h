// `ampari-forwarder canary`: its flags.
#pragma once

#include "forwarder/canary/canary.h"

namespace CLI {
class App;
}

namespace ampari {

struct CanaryCommand {
  bool asked = false;
  std::string status_url = CanaryOptions().status_url;
  double timeout_seconds = absl::ToDoubleSeconds(CanaryOptions().timeout);
};

// Adds the command to `app`, which fills *command while it parses.
void AddCanaryCommand(CLI::App& app, CanaryCommand* command);
ExitCode RunCanaryCommand(const CanaryCommand& command, const ForwarderConfig& config);

}  // namespace ampari
