// Which HTTP headers a configuration may set.
#pragma once

#include <string>
#include <string_view>

namespace ampari {

// Why the name cannot be configured (not a token, or set by the programs themselves); empty when it
// can.
std::string HeaderNameProblem(std::string_view name);
// Visible text, spaces and tabs.
bool IsHeaderValue(std::string_view value);

}  // namespace ampari
