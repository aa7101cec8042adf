#include "common/relabel/hash_mod.h"

#include <openssl/evp.h>

#include "common/runtime/check.h"

namespace ampari {

uint64_t HashMod(std::string_view text, uint64_t modulus) {
  constexpr unsigned kMd5Bytes = 16;
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  const int ok = EVP_Digest(text.data(), text.size(), digest, &size, EVP_md5(), nullptr);
  Check(ok == 1 && size == kMd5Bytes, "OpenSSL computes MD5");
  uint64_t hash = 0;
  for (unsigned i = kMd5Bytes - 8; i < kMd5Bytes; ++i) hash = (hash << 8) | digest[i];
  return hash % modulus;
}

}  // namespace ampari
