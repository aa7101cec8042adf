// The new series and layouts of one scrape as registration blocks that every gateway takes: a first
// scrape of 90 MB registers in many. Pure.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "common/frame/registration.h"

namespace ampari {

// Label bytes of a block. In the worst case (labels of a few bytes, all of them different) a block
// takes 4.75 times as many when it is encoded, and zstd may not shrink it: less than the 16 MiB
// that a gateway takes as one message.
inline constexpr size_t kMaxBlockLabelBytes = size_t{3} << 20;
// All runs of one block's layouts, of at most 11 bytes each.
inline constexpr size_t kMaxBlockRuns = size_t{1} << 20;
// What is kept of one scrape's new series until they are shipped.
inline constexpr size_t kMaxNewLabelBytes = size_t{512} << 20;

// Why `whole` cannot be registered, in words for the scrape's error; empty when it can.
std::string WhyUnregistrable(const RegistrationBlock& whole);
// At least one block, in stream order, not numbered yet, each within the bounds; the layouts are in
// the last one. WhyUnregistrable(whole) is empty.
std::vector<RegistrationBlock> SplitRegistration(RegistrationBlock whole);

}  // namespace ampari
