// Offline work on a store's directory that no process uses: repair and inspection.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "gateway/store/store.h"

namespace ampari {

// What `ampari-gateway queue repair` does: keeps a copy of the database (hard links where the files
// never change) in <directory>/db-before-repair, lets RocksDB repair it, then checks every queue as
// a start after damage does. Sentences of what was done and found. FailedPrecondition: in use, or
// there is no store, or an earlier copy is still there.
absl::StatusOr<std::vector<std::string>> RepairStore(const StoreOptions& options);

// The status of a stopped store. Opens it as a start does, so that what a crash left is mended.
absl::StatusOr<StoreStatus> InspectStore(const StoreOptions& options);

}  // namespace ampari
