// The hash behind KeyedHash128 for processors with AVX2. Thread-safe. Only keyed_hash.cc calls it,
// after asking the processor.
#pragma once

#include <string_view>

#include "forwarder/scrape/keyed_hash.h"

namespace ampari {

// XXH3-128 of `bytes` with `secret` (at least 136 bytes).
Hash128 WideHash128(std::string_view bytes, std::string_view secret);

}  // namespace ampari
