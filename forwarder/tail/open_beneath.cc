#include "forwarder/tail/open_beneath.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include <array>
#include <cerrno>
#include <memory>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "common/runtime/absl_view.h"

namespace ampari {
namespace {

constexpr int kFileFlags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC | O_NOCTTY;
constexpr int kDirectoryFlags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;

// The kernel asks to try again where names change on the way, and as long as somebody has a lease
// on the file: up to 45 s, which nobody else waits for.
constexpr int kTries = 8;

absl::Status ErrnoStatus(int error, std::string_view what) {
  switch (error) {
    case ENOENT:
    case ENOTDIR:
      return absl::NotFoundError(ToAbsl(what));
    case ELOOP:
    case EXDEV:
      return absl::FailedPreconditionError("a symbolic link, or it leads outside");
    case ENXIO:
      return absl::FailedPreconditionError("not a regular file");
    case EAGAIN:
      return absl::UnavailableError("somebody has a lease on it, or its path keeps changing");
    case EMFILE:
    case ENFILE:
      return absl::ResourceExhaustedError("too many open files");
    default:
      return absl::ErrnoToStatus(error, ToAbsl(what));
  }
}

// One directory after the other, for kernels and sandboxes without openat2.
int WalkBeneath(int root, std::string_view path, int flags) {
  UniqueFd at(::fcntl(root, F_DUPFD_CLOEXEC, 0));
  const std::vector<std::string> parts = absl::StrSplit(ToAbsl(path), '/', absl::SkipEmpty());
  for (size_t i = 0; at && i < parts.size(); ++i) {
    if (parts[i] == "..") {
      errno = EXDEV;
      return -1;
    }
    at.reset(::openat(at.get(), parts[i].c_str(), i + 1 < parts.size() ? kDirectoryFlags : flags));
  }
  return at.release();
}

int OpenAt(int root, const std::string& path, int flags) {
  open_how how = {};
  how.flags = static_cast<uint64_t>(flags);
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;
  int fd = -1;
  for (int i = 0; i < kTries; ++i) {
    fd = static_cast<int>(::syscall(SYS_openat2, root, path.c_str(), &how, sizeof(how)));
    if (fd >= 0 || (errno != EAGAIN && errno != EINTR)) break;
  }
  if (fd < 0 && (errno == ENOSYS || errno == EPERM)) fd = WalkBeneath(root, path, flags);
  return fd;
}

absl::StatusOr<UniqueFd> OpenBeneath(const RootedPath& where, int flags) {
  UniqueFd root(::open(where.root.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!root) return ErrnoStatus(errno, "no such directory");
  UniqueFd fd(OpenAt(root.get(), where.path.empty() ? "." : where.path, flags));
  if (!fd) return ErrnoStatus(errno, "cannot be opened");
  return fd;
}

LogStamp StampFrom(const struct stat& status) {
  LogStamp stamp;
  stamp.device = status.st_dev;
  stamp.inode = status.st_ino;
  stamp.size = static_cast<uint64_t>(status.st_size);
  stamp.modified_ns =
      int64_t{status.st_mtim.tv_sec} * 1'000'000'000 + int64_t{status.st_mtim.tv_nsec};
  return stamp;
}

EntryKind KindOfMode(mode_t mode) {
  if (S_ISREG(mode)) return EntryKind::kFile;
  if (S_ISDIR(mode)) return EntryKind::kDirectory;
  return S_ISLNK(mode) ? EntryKind::kLink : EntryKind::kOther;
}

EntryKind KindOf(int directory, const dirent& entry) {
  switch (entry.d_type) {
    case DT_REG:
      return EntryKind::kFile;
    case DT_DIR:
      return EntryKind::kDirectory;
    case DT_LNK:
      return EntryKind::kLink;
    case DT_UNKNOWN:
      break;
    default:
      return EntryKind::kOther;
  }
  struct stat status;
  if (::fstatat(directory, entry.d_name, &status, AT_SYMLINK_NOFOLLOW) != 0) {
    return EntryKind::kOther;
  }
  return KindOfMode(status.st_mode);
}

}  // namespace

std::string RootedPath::full() const {
  if (path.empty()) return root;
  return absl::StrCat(root == "/" ? "" : root, "/", path);
}

RootedPath RootedPath::Child(std::string_view name) const {
  return {root, path.empty() ? std::string(name) : absl::StrCat(path, "/", ToAbsl(name))};
}

absl::StatusOr<UniqueFd> OpenFileBeneath(const RootedPath& file) {
  absl::StatusOr<UniqueFd> fd = OpenBeneath(file, kFileFlags);
  if (!fd.ok()) return fd.status();
  struct stat status;
  if (::fstat(fd->get(), &status) != 0) return ErrnoStatus(errno, "cannot be examined");
  if (!S_ISREG(status.st_mode)) return absl::FailedPreconditionError("not a regular file");
  return fd;
}

absl::StatusOr<UniqueFd> OpenDirectoryBeneath(const RootedPath& directory) {
  return OpenBeneath(directory, kDirectoryFlags);
}

absl::StatusOr<LogStamp> StampOf(int fd) {
  struct stat status;
  if (::fstat(fd, &status) != 0) return ErrnoStatus(errno, "cannot be examined");
  return StampFrom(status);
}

absl::StatusOr<bool> ListDirectory(int directory, size_t limit,
                                   const std::function<void(std::string_view, EntryKind)>& each) {
  const int copy = ::openat(directory, ".", kDirectoryFlags);
  if (copy < 0) return ErrnoStatus(errno, "cannot be listed");
  const std::unique_ptr<DIR, int (*)(DIR*)> stream(::fdopendir(copy), &::closedir);
  if (stream == nullptr) {
    const int error = errno;
    ::close(copy);
    return ErrnoStatus(error, "cannot be listed");
  }
  for (size_t count = 0;;) {
    errno = 0;
    const dirent* entry = ::readdir(stream.get());
    if (entry == nullptr && errno != 0) return ErrnoStatus(errno, "cannot be listed");
    if (entry == nullptr) return true;
    const std::string_view name = entry->d_name;
    if (name == "." || name == "..") continue;
    if (++count > limit) return false;
    each(name, KindOf(directory, *entry));
  }
}

absl::StatusOr<LogStamp> StampOfEntry(int directory, const std::string& name) {
  struct stat status;
  if (::fstatat(directory, name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) {
    return ErrnoStatus(errno, "cannot be examined");
  }
  return StampFrom(status);
}

absl::StatusOr<std::string> ReadLink(int directory, const std::string& name) {
  std::array<char, 4096> buffer;
  const ssize_t n = ::readlinkat(directory, name.c_str(), buffer.data(), buffer.size());
  if (n < 0) return ErrnoStatus(errno, "cannot be read");
  if (static_cast<size_t>(n) == buffer.size()) return absl::OutOfRangeError("a link too long");
  return std::string(buffer.data(), static_cast<size_t>(n));
}

}  // namespace ampari
