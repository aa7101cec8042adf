// Hashes keyed with a random secret of this process: pods own the text that is hashed, so they must
// not be able to aim at collisions. Thread-safe. XXH3 (xxhash 0.8).
#pragma once

#include <cstdint>
#include <string_view>

namespace ampari {

struct Hash128 {
  uint64_t low = 0;
  uint64_t high = 0;
  friend bool operator==(const Hash128&, const Hash128&) = default;
};

Hash128 KeyedHash128(std::string_view bytes);
uint64_t KeyedHash64(std::string_view bytes);

}  // namespace ampari
