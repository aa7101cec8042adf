// `ampari-gateway queue …`: looks at the queues of the running gateway over HTTP, or at those of a
// stopped one's directory.
#pragma once

#include <string>

#include "common/runtime/exit_codes.h"
#include "gateway/config.h"

namespace ampari {

enum class QueueVerb { kStatus, kList, kVerify, kRepair };

// Writes JSON to stdout and words to stderr. A gateway that answers at http.listen_address is
// asked; otherwise the storage directory is opened (but not created). kExitRuntime when verify
// finds a problem, kExitStorageInUse when the directory is open elsewhere and nobody answers, or
// repair is asked for while a gateway runs.
ExitCode RunQueueCommand(QueueVerb verb, const GatewayConfig& config);

}  // namespace ampari
