// The token file that an operator mounts for the gateway.
#pragma once

#include <string>

#include "absl/status/statusor.h"

namespace ampari {

// The first line without surrounding white space. Errors name the path, never the content: those of
// ReadSmallFile; InvalidArgument when the line is empty or not printable ASCII.
absl::StatusOr<std::string> ReadToken(const std::string& path);

}  // namespace ampari
