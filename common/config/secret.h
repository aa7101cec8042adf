// SecretSource: the current text of a secret that is given inline or as a file.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "common/config/http_client_options.h"
#include "common/runtime/mutex.h"

namespace ampari {

inline constexpr size_t kMaxSecretBytes = size_t{64} << 10;

// What tells one state of a file from the next.
struct FileStamp {
  int64_t modified_ns = -1;
  uint64_t inode = 0;
  int64_t size = -1;
  friend bool operator==(const FileStamp&, const FileStamp&) = default;
};

// Thread-safe. A file is read again when its time, inode or size has changed; the check costs one
// stat().
class SecretSource {
 public:
  explicit SecretSource(Secret secret) : secret_(std::move(secret)) {}

  // Without line breaks at the end. Errors name the file, never its text: NotFound,
  // PermissionDenied, ResourceExhausted above kMaxSecretBytes. An empty Secret is an empty text.
  absl::StatusOr<std::string> Get();

 private:
  absl::Status Reload(const FileStamp& stamp) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  const Secret secret_;
  Mutex mu_;
  FileStamp stamp_ ABSL_GUARDED_BY(mu_);
  std::string text_ ABSL_GUARDED_BY(mu_);
};

// Whether `presented` equals `expected`, in a time that does not tell where they differ.
bool SecretEquals(std::string_view presented, std::string_view expected);

}  // namespace ampari
