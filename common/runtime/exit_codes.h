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
};

}  // namespace ampari
