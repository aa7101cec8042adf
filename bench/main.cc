// ampari-bench: the simulated peers of tests and benchmarks as commands.
#include <CLI/CLI.hpp>

#include "bench/command.h"
#include "common/runtime/exit_codes.h"

int main(int argc, char** argv) {
  CLI::App app("Simulated meshes and regions for tests and benchmarks.", "ampari-bench");
  app.set_version_flag("--version", "ampari-bench " AMPARI_VERSION);
  app.require_subcommand(1);
  ampari::bench::Command run;
  ampari::bench::AddLogsCommand(app, &run);
  ampari::bench::AddMeshCommand(app, &run);
  ampari::bench::AddRegionCommand(app, &run);
  ampari::bench::AddVerifyCommand(app, &run);
  ampari::bench::AddVerifyLogsCommand(app, &run);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? ampari::kExitOk : ampari::kExitUsage;
  }
  return run();
}
