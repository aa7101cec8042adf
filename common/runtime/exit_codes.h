// The documented exit codes of every program.
#pragma once

namespace ampari {

enum ExitCode : int {
  kExitOk = 0,
  kExitRuntime = 1,         // something failed while running; also a forced stop
  kExitUsage = 2,           // wrong flags or arguments
  kExitConfiguration = 3,   // the configuration cannot be loaded
  kExitStorageDamaged = 4,  // the store needs `queue repair`
  kExitStorageInUse = 5,    // the store is open elsewhere, or its directory cannot be used

  // `ampari-forwarder canary`, by the step that failed.
  kExitCanaryUnreachable = 10,   // no connection to the gateway
  kExitCanaryRefused = 11,       // the gateway refuses this forwarder
  kExitCanaryNotDurable = 12,    // the metric was not acknowledged as stored
  kExitCanaryNotSettled = 13,    // it is stored, and waits for the region
  kExitCanaryNotDelivered = 14,  // it was settled otherwise than delivered
  kExitCanaryStatus = 15,        // the gateway's status pages cannot be read
  kExitCanaryLedger = 16,        // the gateway's account does not add up
};

}  // namespace ampari
