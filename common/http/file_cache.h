// FileCache: contents of small files (secrets, certificates), re-read when the file changes.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "common/config/http_client_options.h"

namespace ampari {

inline constexpr size_t kMaxSecretFileBytes = size_t{1} << 20;  // CA bundles are the largest

// A look-up costs a stat(); the file is read again when its inode, size or modification time
// differ, so a Kubernetes secret that is swapped by a symbolic link is seen at the next use.
// Bounded: at most kMaxFiles are remembered. Not thread-safe.
class FileCache {
 public:
  static constexpr size_t kMaxFiles = 1024;

  // PermissionDenied names the path and why it cannot be read; never the content.
  absl::StatusOr<std::shared_ptr<const std::string>> Read(const std::string& path);
  // The value of a secret: inline as it is, from a file without surrounding white space.
  absl::StatusOr<std::string> ReadSecret(const Secret& secret);

 private:
  struct Entry {
    ino_t inode = 0;
    off_t size = 0;
    int64_t modified_ns = 0;
    std::shared_ptr<const std::string> content;
  };
  std::map<std::string, Entry> files_;
};

}  // namespace ampari
