// PathGlob: patterns of __path__: * ? [a-z] [!a-z] {a,b} \x within a name, and ** for any number of
// directories, as in Go's doublestar. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace ampari {

// Whether a file's or directory's name meets one component of a pattern, without braces. Linear in
// the name for all but patterns with several stars, and then bounded by the product.
bool MatchName(std::string_view pattern, std::string_view name);

// One pattern without braces: root / directories… / name.
struct PathGlob {
  static constexpr size_t kMaxBytes = 4096;
  static constexpr size_t kMaxAlternatives = 64;
  static constexpr size_t kMaxComponents = 64;

  std::string root;  // the directories in front of the first wildcard; absolute, without one behind
  std::vector<std::string> directories;  // patterns, or "**"
  std::string name;                      // pattern of the file's name

  // The alternatives of a pattern. InvalidArgument: it is not absolute, ends in a slash, has . or
  // .. as a component, unbalanced brackets or braces, or exceeds a bound.
  static absl::StatusOr<std::vector<PathGlob>> Parse(std::string_view pattern);
};

// Whether `path` is `directory` or below it, by its text. Neither may have . or .. in it.
bool IsBeneath(std::string_view path, std::string_view directory);
// The part of `path` behind `directory` and its slash; IsBeneath must hold.
std::string_view BelowDirectory(std::string_view path, std::string_view directory);

}  // namespace ampari
