// ${NAME} in configuration texts.
#pragma once

#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace ampari {

// Replaces ${NAME}, NAME being [A-Za-z_][A-Za-z0-9_]*, by the process's environment and $$ by $.
// Any other $ stands for itself. InvalidArgument names a variable that is not set, or a form such
// as ${NAME:-x} that is not supported.
absl::StatusOr<std::string> ExpandEnvironment(std::string_view text);

// The variable, or `fallback` when it is not set or empty.
std::string EnvironmentOr(const std::string& name, std::string fallback);

}  // namespace ampari
