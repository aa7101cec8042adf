#include "forwarder/scrape/keyed_hash.h"

#include <array>
#include <random>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "forwarder/scrape/keyed_hash_wide.h"

namespace ampari {
namespace {

using Secret = std::array<unsigned char, XXH3_SECRET_DEFAULT_SIZE>;

Secret RandomSecret() {
  Secret secret;
  std::random_device random;
  for (unsigned char& byte : secret) byte = static_cast<unsigned char>(random());
  return secret;
}

const Secret& ProcessSecret() {
  static const Secret secret = RandomSecret();
  return secret;
}

}  // namespace

Hash128 KeyedHash128(std::string_view bytes) {
  const Secret& secret = ProcessSecret();
#ifdef AMPARI_WIDE_HASH
  static const bool wide = __builtin_cpu_supports("avx2");
  if (wide)
    return WideHash128(bytes, {reinterpret_cast<const char*>(secret.data()), secret.size()});
#endif
  const XXH128_hash_t hash =
      XXH3_128bits_withSecret(bytes.data(), bytes.size(), secret.data(), secret.size());
  return {hash.low64, hash.high64};
}

uint64_t KeyedHash64(std::string_view bytes) { return KeyedHash128(bytes).low; }

}  // namespace ampari
