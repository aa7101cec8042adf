// SecretSource: the current text of a secret that is given inline or as a file.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "common/config/http_client_options.h"
#include "common/runtime/mutex.h"
#include "common/runtime/small_file.h"

namespace ampari {

inline constexpr size_t kMaxSecretBytes = size_t{64} << 10;

// Thread-safe. A file is read again when its time, inode or size has changed; the check costs one
// stat().
class SecretSource {
 public:
  explicit SecretSource(Secret secret) : secret_(std::move(secret)) {}

  // Without line breaks at the end. Errors name the file, never its text: NotFound,
  // PermissionDenied, ResourceExhausted above kMaxSecretBytes. An empty Secret is an empty text.
  absl::StatusOr<std::string> Get();

 private:
  const Secret secret_;
  Mutex mu_;
  SmallFile file_ ABSL_GUARDED_BY(mu_);  // line breaks at its end are gone
};

// Whether `presented` equals `expected`, in a time that does not tell where they differ.
bool SecretEquals(std::string_view presented, std::string_view expected);

}  // namespace ampari
