// The write-ahead logs that a start finds: synced, because a killed process may have left them in
// the page cache, and hard-linked aside, because what recovery decides to skip would be deleted.
#pragma once

#include <string>

#include "absl/status/status.h"

namespace ampari {

// fdatasyncs every log of `database` and links it into `aside`.
absl::Status KeepWals(const std::string& database, const std::string& aside);
// Removes the links.
void RemoveWalLinks(const std::string& aside);

}  // namespace ampari
