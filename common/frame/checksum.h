// XXH3-64 (https://github.com/Cyan4973/xxHash/blob/dev/doc/xxhash_spec.md) over pieces. Pure.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace ampari {

// Of the pieces one after the other, as if they were joined, with the eight bytes from `zero_at`
// taken as zero. `zero_at` + 8 is at most kMaxCheckedHeaderBytes and at most the size of all
// pieces.
uint64_t ChecksumWithout(const std::vector<std::string_view>& pieces, size_t zero_at);

inline constexpr size_t kMaxCheckedHeaderBytes = 64;

}  // namespace ampari
