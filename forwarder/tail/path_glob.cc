#include "forwarder/tail/path_glob.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "common/runtime/absl_view.h"

namespace ampari {
namespace {

constexpr std::string_view kWild = "*?[\\";

char TakeChar(std::string_view* pattern) {
  const bool escaped = pattern->front() == '\\' && pattern->size() > 1;
  if (escaped) pattern->remove_prefix(1);
  const char c = pattern->front();
  pattern->remove_prefix(1);
  return c;
}

// [set] at the beginning of `pattern`, which is taken. A set without an end meets nothing.
bool MatchSet(std::string_view* pattern, char c) {
  pattern->remove_prefix(1);
  const bool negated = !pattern->empty() && (pattern->front() == '!' || pattern->front() == '^');
  if (negated) pattern->remove_prefix(1);
  bool met = false;
  for (bool first = true; !pattern->empty() && (first || pattern->front() != ']'); first = false) {
    const char low = TakeChar(pattern);
    char high = low;
    if (pattern->size() > 1 && pattern->front() == '-' && (*pattern)[1] != ']') {
      pattern->remove_prefix(1);
      high = TakeChar(pattern);
    }
    met = met || (low <= c && c <= high);
  }
  if (pattern->empty()) return false;
  pattern->remove_prefix(1);
  return met != negated;
}

// One character of `name` against the beginning of `pattern`, which is taken. Not for stars.
bool MatchOne(std::string_view* pattern, char c) {
  if (pattern->front() == '[') return MatchSet(pattern, c);
  if (pattern->front() == '?') {
    pattern->remove_prefix(1);
    return true;
  }
  return TakeChar(pattern) == c;
}

// A quick no, as most names of a large directory end otherwise than the pattern does.
bool EndsOtherwise(std::string_view pattern, std::string_view name) {
  const size_t wild = pattern.find_last_of("*?[]\\");
  const std::string_view end = wild == std::string_view::npos ? pattern : pattern.substr(wild + 1);
  return !name.ends_with(end);
}

// The end of the brace that opens at `open`; npos when it has none.
size_t ClosingBrace(std::string_view pattern, size_t open) {
  size_t depth = 0;
  for (size_t i = open; i < pattern.size(); ++i) {
    if (pattern[i] == '\\')
      ++i;
    else if (pattern[i] == '{')
      ++depth;
    else if (pattern[i] == '}' && --depth == 0)
      return i;
  }
  return std::string_view::npos;
}

// The texts between the commas of the outermost brace.
std::vector<std::string_view> Alternatives(std::string_view inner) {
  std::vector<std::string_view> found;
  size_t depth = 0, begin = 0;
  for (size_t i = 0; i < inner.size(); ++i) {
    if (inner[i] == '\\')
      ++i;
    else if (inner[i] == '{')
      ++depth;
    else if (inner[i] == '}')
      --depth;
    else if (inner[i] == ',' && depth == 0) {
      found.push_back(inner.substr(begin, i - begin));
      begin = i + 1;
    }
  }
  found.push_back(inner.substr(std::min(begin, inner.size())));
  return found;
}

size_t OpeningBrace(std::string_view pattern) {
  for (size_t i = 0; i < pattern.size(); ++i) {
    if (pattern[i] == '\\')
      ++i;
    else if (pattern[i] == '{')
      return i;
  }
  return std::string_view::npos;
}

absl::StatusOr<std::vector<std::string>> ExpandBraces(std::string_view pattern) {
  std::vector<std::string> open = {std::string(pattern)}, done;
  while (!open.empty()) {
    const std::string next = std::move(open.back());
    open.pop_back();
    const size_t begin = OpeningBrace(next);
    if (begin == std::string::npos) {
      done.push_back(next);
    } else {
      const size_t end = ClosingBrace(next, begin);
      if (end == std::string::npos) return absl::InvalidArgumentError("a { without its }");
      const std::string_view text = next;
      for (const std::string_view one : Alternatives(text.substr(begin + 1, end - begin - 1))) {
        open.push_back(
            absl::StrCat(ToAbsl(text.substr(0, begin)), ToAbsl(one), ToAbsl(text.substr(end + 1))));
      }
    }
    if (open.size() + done.size() > PathGlob::kMaxAlternatives) {
      return absl::InvalidArgumentError("too many alternatives in braces");
    }
  }
  std::sort(done.begin(), done.end());
  done.erase(std::unique(done.begin(), done.end()), done.end());
  return done;
}

bool HasWild(std::string_view component) {
  return component.find_first_of(kWild) != std::string_view::npos;
}

bool BalancedSets(std::string_view component) {
  for (size_t i = 0; i < component.size(); ++i) {
    if (component[i] == '\\')
      ++i;
    else if (component[i] == '[') {
      i = component.find(']', i + 2);
      if (i == std::string_view::npos) return false;
    }
  }
  return true;
}

absl::StatusOr<PathGlob> ParseOne(std::string_view pattern) {
  if (!pattern.starts_with('/') || pattern.ends_with('/')) {
    return absl::InvalidArgumentError("the path of log files must be absolute and name files");
  }
  std::vector<std::string> components = absl::StrSplit(ToAbsl(pattern), '/', absl::SkipEmpty());
  if (components.size() > PathGlob::kMaxComponents) {
    return absl::InvalidArgumentError("too many directories in the path of log files");
  }
  for (const std::string& component : components) {
    if (component == "." || component == "..") {
      return absl::InvalidArgumentError("the path of log files must not have . or .. in it");
    }
    if (!BalancedSets(component)) return absl::InvalidArgumentError("a [ without its ]");
  }
  PathGlob glob;
  glob.name = components.back();
  components.pop_back();
  if (glob.name == "**") {
    components.push_back(glob.name);
    glob.name.resize(1);
  }
  const auto wild = std::find_if(components.begin(), components.end(), HasWild);
  glob.root = absl::StrCat("/", absl::StrJoin(components.begin(), wild, "/"));
  glob.directories.insert(glob.directories.begin(), wild, components.end());
  return glob;
}

}  // namespace

bool MatchName(std::string_view pattern, std::string_view name) {
  if (EndsOtherwise(pattern, name)) return false;
  std::string_view star_pattern;  // behind the last star
  std::string_view star_name;     // where that star was tried last
  bool star = false;
  while (!name.empty() || !pattern.empty()) {
    if (!pattern.empty() && pattern.front() == '*') {
      pattern.remove_prefix(1);
      star = true;
      star_pattern = pattern;
      star_name = name;
      continue;
    }
    if (!pattern.empty() && !name.empty() && MatchOne(&pattern, name.front())) {
      name.remove_prefix(1);
      continue;
    }
    if (!star || star_name.empty()) return false;
    star_name.remove_prefix(1);
    name = star_name;
    pattern = star_pattern;
  }
  return true;
}

absl::StatusOr<std::vector<PathGlob>> PathGlob::Parse(std::string_view pattern) {
  if (pattern.size() > kMaxBytes || pattern.find('\0') != std::string_view::npos) {
    return absl::InvalidArgumentError("the path of log files is too long or has a zero byte");
  }
  absl::StatusOr<std::vector<std::string>> expanded = ExpandBraces(pattern);
  if (!expanded.ok()) return expanded.status();
  std::vector<PathGlob> globs;
  for (const std::string& one : *expanded) {
    absl::StatusOr<PathGlob> glob = ParseOne(one);
    if (!glob.ok()) return glob.status();
    globs.push_back(*std::move(glob));
  }
  return globs;
}

bool IsBeneath(std::string_view path, std::string_view directory) {
  if (directory == "/") return path.starts_with('/');
  return path.starts_with(directory) &&
         (path.size() == directory.size() || path[directory.size()] == '/');
}

std::string_view BelowDirectory(std::string_view path, std::string_view directory) {
  path.remove_prefix(directory == "/" ? 0 : directory.size());
  while (path.starts_with('/')) path.remove_prefix(1);
  return path;
}

}  // namespace ampari
