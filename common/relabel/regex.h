// Relabelling regular expressions: RE2 as Prometheus compiles them, ^(?s:RE)$.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "re2/re2.h"

namespace ampari {

// Memory of one expression's program and its matching automata: what bounds `((a{100}){100}){100}`.
inline constexpr int64_t kMaxRegexBytes = int64_t{8} << 20;

// InvalidArgument holds RE2's words.
absl::StatusOr<std::shared_ptr<const re2::RE2>> CompileRelabelRegex(std::string_view text);

// (?<name>…), which Go reads and older RE2 does not, as (?P<name>…).
std::string RewriteNamedGroups(std::string_view regex);

}  // namespace ampari
