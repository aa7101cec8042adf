// Small files that an operator mounts (secrets, certificates): read whole, and known again by their
// stamp, so that a Kubernetes secret that is swapped by a symbolic link is seen at the next use.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/status/statusor.h"

namespace ampari {

inline constexpr size_t kMaxSmallFileBytes = size_t{1} << 20;  // CA bundles are the largest

// What tells one state of a file from the next.
struct FileStamp {
  int64_t modified_ns = -1;
  uint64_t inode = 0;
  int64_t size = -1;
  friend bool operator==(const FileStamp&, const FileStamp&) = default;
};

struct SmallFile {
  FileStamp stamp;
  std::string bytes;
};

// Errors name the path and why, never the content: NotFound and PermissionDenied as the system
// says, FailedPrecondition when it is no regular file, ResourceExhausted above `max_bytes`.
absl::StatusOr<SmallFile> ReadSmallFile(const std::string& path,
                                        size_t max_bytes = kMaxSmallFileBytes);
// Reads anew only when the file's stamp differs from file->stamp (one stat() if not); true when it
// did. On an error *file is as it was.
absl::StatusOr<bool> RefreshSmallFile(const std::string& path, SmallFile* file,
                                      size_t max_bytes = kMaxSmallFileBytes);

}  // namespace ampari
