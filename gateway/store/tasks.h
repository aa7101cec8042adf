// Tasks that wait: work for the committer that its sender waits for.
#pragma once

#include <functional>

#include "absl/status/status.h"
#include "gateway/store/inbox.h"

namespace ampari {

// Runs `run` in a batch and returns once it is durable. Not from the committer's thread. Cancelled
// after Inbox::Stop.
absl::Status RunInBatch(Inbox& inbox, std::function<absl::Status(Commit&)> run);

}  // namespace ampari
