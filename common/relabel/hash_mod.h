// The hash of hashmod: the last 8 bytes of the text's MD5, big-endian, modulo `modulus` (not 0).
#pragma once

#include <cstdint>
#include <string_view>

namespace ampari {

uint64_t HashMod(std::string_view text, uint64_t modulus);

}  // namespace ampari
