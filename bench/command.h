// The subcommands of ampari-bench: each registers its flags with CLI11 and sets *run to what main()
// calls.
#pragma once

#include <functional>

namespace CLI {
class App;
}

namespace ampari::bench {

using Command = std::function<int()>;  // returns an exit code (common/runtime/exit_codes.h)

void AddLogsCommand(CLI::App& app, Command* run);
void AddMeshCommand(CLI::App& app, Command* run);
void AddRegionCommand(CLI::App& app, Command* run);
void AddVerifyCommand(CLI::App& app, Command* run);
void AddVerifyLogsCommand(CLI::App& app, Command* run);

}  // namespace ampari::bench
