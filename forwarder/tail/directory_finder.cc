#include "forwarder/tail/directory_finder.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"

namespace ampari {
namespace {

bool IsLiteral(std::string_view pattern) {
  return pattern.find_first_of("*?[\\") == std::string_view::npos;
}

}  // namespace

DirectoryFinder::DirectoryFinder(const std::vector<std::string>& trusted_roots)
    : trusted_roots_(trusted_roots) {}

std::vector<RootedPath> DirectoryFinder::Find(const PathGlob& glob) {
  RootedPath start{glob.root, ""};
  for (const std::string& root : trusted_roots_) {
    if (IsBeneath(glob.root, root)) {
      start = {root, std::string(BelowDirectory(glob.root, root))};
    }
  }
  std::vector<RootedPath> found;
  steps_ = 0;
  Descend(start, glob.directories, 0, &found);
  const auto by_path = [](const RootedPath& a, const RootedPath& b) { return a.path < b.path; };
  std::sort(found.begin(), found.end(), by_path);
  found.erase(std::unique(found.begin(), found.end()), found.end());
  return found;
}

const DirectoryFinder::Names& DirectoryFinder::SubdirectoriesOf(const RootedPath& directory) {
  const auto [at, is_new] = listed_.try_emplace(directory.full());
  if (!is_new) return at->second;
  watched_.insert(at->first);
  Names names;
  const absl::Status s = List(directory, &names);
  const bool went = absl::IsNotFound(s) && !directory.path.empty();
  if (!s.ok() && !went && refused_.size() < kMaxRefused) {
    refused_.push_back({at->first, std::string(s.message())});
  }
  return at->second = std::move(names);
}

absl::Status DirectoryFinder::List(const RootedPath& directory, Names* names) {
  const absl::StatusOr<UniqueFd> fd = OpenDirectoryBeneath(directory);
  if (!fd.ok()) return fd.status();
  const absl::StatusOr<bool> all =
      ListDirectory(fd->get(), kMaxEntries, [names](std::string_view name, EntryKind kind) {
        if (kind == EntryKind::kDirectory) names->emplace_back(name);
      });
  if (!all.ok()) return all.status();
  if (*all) return absl::OkStatus();
  return absl::OutOfRangeError(absl::StrCat("more than ", kMaxEntries, " entries"));
}

bool DirectoryFinder::MayGoOn(const std::vector<RootedPath>& found) {
  if (found.size() < kMaxFound && ++steps_ <= kMaxSteps) return true;
  cut_ = true;
  return false;
}

void DirectoryFinder::Descend(const RootedPath& at, const std::vector<std::string>& patterns,
                              size_t index, std::vector<RootedPath>* found) {
  if (!MayGoOn(*found)) return;
  if (index == patterns.size()) {
    found->push_back(at);
    return;
  }
  const std::string& pattern = patterns[index];
  if (pattern == "**") return DescendAny(at, patterns, index, 0, found);
  if (IsLiteral(pattern)) {
    // A directory that will be made is seen when it is.
    watched_.insert(at.full());
    return Descend(at.Child(pattern), patterns, index + 1, found);
  }
  const Names& names = SubdirectoriesOf(at);
  for (const std::string& name : names) {
    if (MatchName(pattern, name)) Descend(at.Child(name), patterns, index + 1, found);
  }
}

void DirectoryFinder::DescendAny(const RootedPath& at, const std::vector<std::string>& patterns,
                                 size_t index, size_t depth, std::vector<RootedPath>* found) {
  if (!MayGoOn(*found)) return;
  Descend(at, patterns, index + 1, found);
  if (depth == kMaxDepth) return;
  const Names& names = SubdirectoriesOf(at);
  for (const std::string& name : names) {
    DescendAny(at.Child(name), patterns, index, depth + 1, found);
  }
}

}  // namespace ampari
