// Resolves a layout's runs and its edits of earlier layouts to the ordered list of its series
// numbers.
#pragma once

#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "gateway/layouts/block_cache.h"

namespace ampari {

// Thread-safe as `blocks` is. NotFound when a block is missing; DataLoss when a run leaves its
// base, the sizes differ, a base does not precede its edit, or the chain is longer than
// kMaxEditChain.
absl::StatusOr<std::vector<uint64_t>> ResolveLayout(BlockCache& blocks, InstanceNumber instance,
                                                    uint64_t layout);

}  // namespace ampari
