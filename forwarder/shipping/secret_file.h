// Small files that an operator mounts: tokens and certificates. Errors name the path, never the
// content.
#pragma once

#include <string>

#include "absl/status/statusor.h"

namespace ampari {

inline constexpr size_t kMaxSmallFileBytes = size_t{1} << 20;

// The whole file. NotFound or PermissionDenied when it cannot be opened, InvalidArgument when it is
// too large.
absl::StatusOr<std::string> ReadSmallFile(const std::string& path);
// The first line without surrounding white space. InvalidArgument when it is empty or not printable
// ASCII.
absl::StatusOr<std::string> ReadToken(const std::string& path);

}  // namespace ampari
