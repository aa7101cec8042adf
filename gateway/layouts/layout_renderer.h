// Renders one layout for one destination: looks up its series and applies the destination's rules.
#pragma once

#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "gateway/layouts/block_cache.h"
#include "gateway/layouts/layout_cache.h"

namespace ampari {

// The sorted, disjoint ranges [first, upto) that the numbers fill.
std::vector<std::pair<uint64_t, uint64_t>> SeriesRanges(std::vector<uint64_t> series);

// Thread-safe as `blocks` is. NotFound when a series' block is missing; DataLoss when the label
// bytes exceed 2 GiB, the range of an offset: no later try mends it.
absl::StatusOr<std::shared_ptr<const RenderedLayout>> RenderLayout(
    BlockCache& blocks, InstanceNumber instance, const std::vector<uint64_t>& series,
    const RenderRules& rules, const Labels& enforced);

// Bytes that a rendered layout holds.
size_t RenderedWeight(const RenderedLayout& layout);

}  // namespace ampari
