#include "common/config/secret.h"

#include <openssl/crypto.h>

namespace ampari {

absl::StatusOr<std::string> SecretSource::Get() {
  if (secret_.file.empty()) return secret_.value;
  MutexLock lock(mu_);
  const absl::StatusOr<bool> changed = RefreshSmallFile(secret_.file, &file_, kMaxSecretBytes);
  if (!changed.ok()) return changed.status();
  if (*changed) file_.bytes.resize(file_.bytes.find_last_not_of("\r\n") + 1);
  return file_.bytes;
}

bool SecretEquals(std::string_view presented, std::string_view expected) {
  return presented.size() == expected.size() &&
         CRYPTO_memcmp(presented.data(), expected.data(), expected.size()) == 0;
}

}  // namespace ampari
