#include "forwarder/gateway_choice.h"

#include <xxhash.h>

#include <cstdint>

namespace ampari {

std::string ChooseGateway(std::span<const std::string> addresses, std::string_view forwarder_name) {
  const uint64_t seed = XXH3_64bits(forwarder_name.data(), forwarder_name.size());
  std::string_view best;
  uint64_t best_hash = 0;
  for (const std::string& address : addresses) {
    const uint64_t hash = XXH3_64bits_withSeed(address.data(), address.size(), seed);
    if (!best.empty() && (hash < best_hash || (hash == best_hash && address >= best))) continue;
    best = address;
    best_hash = hash;
  }
  return std::string(best);
}

}  // namespace ampari
