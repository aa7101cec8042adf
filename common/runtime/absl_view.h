// Debian's abseil has a string_view of its own: these pass views between it and std::string_view
// without copying.
#pragma once

#include <string_view>

#include "absl/strings/string_view.h"

namespace ampari {

inline absl::string_view ToAbsl(std::string_view view) { return {view.data(), view.size()}; }
inline std::string_view FromAbsl(absl::string_view view) { return {view.data(), view.size()}; }

}  // namespace ampari
