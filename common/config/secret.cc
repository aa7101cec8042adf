#include "common/config/secret.h"

#include <fcntl.h>
#include <openssl/crypto.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "absl/strings/str_cat.h"
#include "common/runtime/unique_fd.h"

namespace ampari {
namespace {

FileStamp StampOf(const struct stat& status) {
  constexpr int64_t kNanosecondsPerSecond = 1'000'000'000;
  return {status.st_mtim.tv_sec * kNanosecondsPerSecond + status.st_mtim.tv_nsec, status.st_ino,
          status.st_size};
}

absl::Status CannotRead(const std::string& file) {
  return absl::ErrnoToStatus(errno, absl::StrCat("cannot read the secret file ", file));
}

}  // namespace

absl::StatusOr<std::string> SecretSource::Get() {
  if (secret_.file.empty()) return secret_.value;
  struct stat status;
  if (stat(secret_.file.c_str(), &status) != 0) return CannotRead(secret_.file);
  const FileStamp stamp = StampOf(status);
  MutexLock lock(mu_);
  if (stamp != stamp_) {
    if (absl::Status read = Reload(stamp); !read.ok()) return read;
  }
  return text_;
}

absl::Status SecretSource::Reload(const FileStamp& stamp) {
  const UniqueFd fd(open(secret_.file.c_str(), O_RDONLY | O_CLOEXEC));
  if (fd.get() < 0) return CannotRead(secret_.file);
  std::string text(kMaxSecretBytes + 1, '\0');
  size_t used = 0;
  while (used < text.size()) {
    const ssize_t got = read(fd.get(), text.data() + used, text.size() - used);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return CannotRead(secret_.file);
    if (got == 0) break;
    used += static_cast<size_t>(got);
  }
  if (used > kMaxSecretBytes) {
    return absl::ResourceExhaustedError(absl::StrCat(
        "the secret file ", secret_.file, " is larger than ", kMaxSecretBytes, " bytes"));
  }
  while (used > 0 && (text[used - 1] == '\n' || text[used - 1] == '\r')) --used;
  text.resize(used);
  text_ = std::move(text);
  stamp_ = stamp;
  return absl::OkStatus();
}

bool SecretEquals(std::string_view presented, std::string_view expected) {
  return presented.size() == expected.size() &&
         CRYPTO_memcmp(presented.data(), expected.data(), expected.size()) == 0;
}

}  // namespace ampari
