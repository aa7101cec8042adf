#include "common/runtime/check.h"

#include <cstdio>
#include <cstdlib>

namespace ampari {

void Check(bool condition, std::string_view why, const char* file, int line) {
  if (condition) return;
  std::fprintf(stderr, "BUG: %.*s (%s:%d)\n", static_cast<int>(why.size()), why.data(), file, line);
  std::abort();
}

}  // namespace ampari
