// Topology: which queues and destinations exist, within a commit. What is new is created, what is
// missing is held for 24 h with its ledger, what comes back in that time resumes.
#pragma once

#include <vector>

#include "gateway/store/commit.h"

namespace ampari {

inline constexpr int64_t kHoldMs = int64_t{24} * 3600 * 1000;

// Wholly or, after an error, not at all.
absl::Status ApplyTopology(Commit& commit, const std::vector<QueueTopology>& topology);
// Ends destinations that were removed more than 24 h ago: their rest counts as expired{removed}.
// Queues and tenants without destinations go with their families.
void EndRemoved(Commit& commit);

}  // namespace ampari
