// Opening log files and their directories so that nothing in the tree can lead elsewhere: beneath a
// root, without a symbolic link on the way (openat2, RESOLVE_BENEATH; where the kernel does not let
// us, one directory after the other with O_NOFOLLOW), never waiting for a device or a pipe.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/runtime/unique_fd.h"

namespace ampari {

// Where something is: `root` is trusted and may be a link itself; `path` is relative to it, empty
// for the root.
struct RootedPath {
  std::string root;
  std::string path;

  std::string full() const;
  // The entry `name` of this directory.
  RootedPath Child(std::string_view name) const;
  friend bool operator==(const RootedPath&, const RootedPath&) = default;
};

// What is known of a file without reading it.
struct LogStamp {
  uint64_t device = 0, inode = 0;
  uint64_t size = 0;
  int64_t modified_ns = 0;  // since 1970

  bool same_file(const LogStamp& other) const {
    return device == other.device && inode == other.inode;
  }
};

// For reading, close-on-exec. NotFound: it is gone; FailedPrecondition: it is not a regular file,
// or a link is on the way; ResourceExhausted: too many open files; Unavailable: somebody has a
// lease on it (fcntl, F_SETLEASE); else what errno says.
absl::StatusOr<UniqueFd> OpenFileBeneath(const RootedPath& file);
absl::StatusOr<UniqueFd> OpenDirectoryBeneath(const RootedPath& directory);

absl::StatusOr<LogStamp> StampOf(int fd);

enum class EntryKind : uint8_t { kFile, kDirectory, kLink, kOther };

// Calls `each` for every entry of the directory but . and .., in no order, of at most `limit`;
// false: there are more. Kinds are those of the entries themselves.
absl::StatusOr<bool> ListDirectory(int directory, size_t limit,
                                   const std::function<void(std::string_view, EntryKind)>& each);
absl::StatusOr<LogStamp> StampOfEntry(int directory, const std::string& name);
// Where the link points, as it is written.
absl::StatusOr<std::string> ReadLink(int directory, const std::string& name);

}  // namespace ampari
