#include "common/runtime/small_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/runtime/unique_fd.h"

namespace ampari {
namespace {

FileStamp StampOf(const struct stat& status) {
  constexpr int64_t kNanosecondsPerSecond = 1'000'000'000;
  return {status.st_mtim.tv_sec * kNanosecondsPerSecond + status.st_mtim.tv_nsec, status.st_ino,
          status.st_size};
}

absl::Status CannotRead(const std::string& path) {
  return absl::ErrnoToStatus(errno, absl::StrCat("cannot read ", path));
}

}  // namespace

absl::StatusOr<SmallFile> ReadSmallFile(const std::string& path, size_t max_bytes) {
  const UniqueFd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  struct stat status {};
  if (!fd || fstat(fd.get(), &status) != 0) return CannotRead(path);
  if (!S_ISREG(status.st_mode)) {
    return absl::FailedPreconditionError(
        absl::StrCat("cannot read ", path, ": not a regular file"));
  }
  SmallFile file{StampOf(status), {}};
  char buffer[16384];
  while (file.bytes.size() <= max_bytes) {
    const ssize_t got = read(fd.get(), buffer, sizeof buffer);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return CannotRead(path);
    if (got == 0) return file;
    file.bytes.append(buffer, static_cast<size_t>(got));
  }
  return absl::ResourceExhaustedError(
      absl::StrCat("cannot read ", path, ": larger than ", max_bytes, " bytes"));
}

absl::StatusOr<bool> RefreshSmallFile(const std::string& path, SmallFile* file, size_t max_bytes) {
  struct stat status {};
  if (stat(path.c_str(), &status) != 0) return CannotRead(path);
  if (StampOf(status) == file->stamp) return false;
  absl::StatusOr<SmallFile> read = ReadSmallFile(path, max_bytes);
  if (!read.ok()) return read.status();
  *file = *std::move(read);
  return true;
}

}  // namespace ampari
