// FileCache: contents of small files (secrets, certificates), re-read when the file changes.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "common/config/http_client_options.h"
#include "common/runtime/small_file.h"

namespace ampari {

// A look-up costs a stat(). Bounded: at most kMaxFiles are remembered. Not thread-safe.
class FileCache {
 public:
  static constexpr size_t kMaxFiles = 1024;

  // The content, until the next call. PermissionDenied names the path and why it cannot be read;
  // never the content.
  absl::StatusOr<std::string_view> Read(const std::string& path);
  // The value of a secret: inline as it is, from a file without surrounding white space.
  absl::StatusOr<std::string> ReadSecret(const Secret& secret);

 private:
  std::map<std::string, SmallFile> files_;  // by path
};

}  // namespace ampari
