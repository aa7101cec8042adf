// `ampari-gateway queue …`: looks at the queues of the running gateway over HTTP, or at those of a
// stopped one's directory.
#pragma once

#include <string>

#include "common/runtime/exit_codes.h"
#include "gateway/config.h"

namespace CLI {
class App;
}

namespace ampari {

enum class QueueVerb { kStatus, kList, kVerify, kRepair };
enum class QueueOutput { kText, kJson };

struct QueueCommand {
  bool asked = false;
  QueueVerb verb = QueueVerb::kStatus;
  QueueOutput output = QueueOutput::kText;
};

// Adds `queue` with its verbs; parsing fills in `command`, which must outlive it.
void AddQueueCommand(CLI::App& app, QueueCommand* command);

// Writes the answer to stdout, in words or as JSON, and what went wrong to stderr. A gateway that
// answers at http.listen_address is asked; otherwise the storage directory is opened (but not
// created). kExitRuntime when verify finds a problem, kExitStorageInUse when the directory is open
// elsewhere and nobody answers, or repair is asked for while a gateway runs.
ExitCode RunQueueCommand(const QueueCommand& command, const GatewayConfig& config);

}  // namespace ampari
