// Check: a broken invariant of our own code ends the process, in every build type. Never for input,
// I/O or configuration.
#pragma once

#include <string_view>

namespace ampari {

// Prints `why` with the caller's file and line to stderr and aborts when `condition` is false.
void Check(bool condition, std::string_view why, const char* file = __builtin_FILE(),
           int line = __builtin_LINE());

}  // namespace ampari
