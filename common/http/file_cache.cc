#include "common/http/file_cache.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "common/runtime/absl_view.h"
#include "common/runtime/unique_fd.h"

namespace ampari {
namespace {

absl::Status CannotRead(const std::string& path, std::string_view why) {
  return absl::PermissionDeniedError(absl::StrCat("cannot read ", path, ": ", ToAbsl(why)));
}

absl::StatusOr<std::string> ReadAll(int fd, const std::string& path) {
  std::string content;
  char buffer[16384];
  for (;;) {
    const ssize_t n = ::read(fd, buffer, sizeof buffer);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return CannotRead(path, std::strerror(errno));
    if (n == 0) return content;
    content.append(buffer, static_cast<size_t>(n));
    if (content.size() > kMaxSecretFileBytes) return CannotRead(path, "larger than 1 MiB");
  }
}

}  // namespace

absl::StatusOr<std::shared_ptr<const std::string>> FileCache::Read(const std::string& path) {
  const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  struct stat now {};
  if (!fd || ::fstat(fd.get(), &now) != 0) return CannotRead(path, std::strerror(errno));
  if (!S_ISREG(now.st_mode)) return CannotRead(path, "not a regular file");
  const int64_t modified =
      int64_t{now.st_mtim.tv_sec} * 1'000'000'000 + int64_t{now.st_mtim.tv_nsec};
  const auto known = files_.find(path);
  if (known != files_.end() && known->second.inode == now.st_ino &&
      known->second.size == now.st_size && known->second.modified_ns == modified) {
    return known->second.content;
  }
  absl::StatusOr<std::string> content = ReadAll(fd.get(), path);
  if (!content.ok()) return content.status();
  if (known == files_.end() && files_.size() >= kMaxFiles) files_.clear();
  Entry& entry = files_[path];
  entry = {now.st_ino, now.st_size, modified,
           std::make_shared<const std::string>(*std::move(content))};
  return entry.content;
}

absl::StatusOr<std::string> FileCache::ReadSecret(const Secret& secret) {
  if (secret.file.empty()) return secret.value;
  absl::StatusOr<std::shared_ptr<const std::string>> content = Read(secret.file);
  if (!content.ok()) return content.status();
  return std::string(absl::StripAsciiWhitespace(**content));
}

}  // namespace ampari
