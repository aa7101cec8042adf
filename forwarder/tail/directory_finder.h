// DirectoryFinder: the directories that globs of log files lead to.
#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "absl/container/node_hash_map.h"
#include "absl/status/status.h"
#include "forwarder/tail/log_directory.h"
#include "forwarder/tail/open_beneath.h"
#include "forwarder/tail/path_glob.h"

namespace ampari {

// One pass over the tree: what it listed once it remembers. Not thread-safe.
class DirectoryFinder {
 public:
  static constexpr size_t kMaxDepth = 16;         // of what ** goes through
  static constexpr size_t kMaxFound = 20'000;     // directories of one glob
  static constexpr size_t kMaxSteps = 200'000;    // to directories, in vain or not, of one glob
  static constexpr size_t kMaxRefused = 64;       // that are named
  static constexpr size_t kMaxEntries = 200'000;  // of one directory

  // Globs that begin beneath one of `trusted_roots` are opened from there, others from their own
  // root.
  explicit DirectoryFinder(const std::vector<std::string>& trusted_roots);

  // The directories in which the glob's names are to be looked for; they need not be there when no
  // wildcard names them. Links to directories are not followed.
  std::vector<RootedPath> Find(const PathGlob& glob);
  // Whether one led to more than kMaxFound directories, or through more than it may: further ones
  // are left out.
  bool cut() const { return cut_; }
  // Directories that could not be listed, so that what is in them is not found: not permitted, too
  // large, or a root that is not there. Others that are not there are none of these.
  const std::vector<RefusedLog>& refused() const { return refused_; }
  // Where a directory may appear that leads to more.
  const std::set<std::string>& watched() const { return watched_; }

 private:
  using Names = std::vector<std::string>;

  void Descend(const RootedPath& at, const std::vector<std::string>& patterns, size_t index,
               std::vector<RootedPath>* found);
  void DescendAny(const RootedPath& at, const std::vector<std::string>& patterns, size_t index,
                  size_t depth, std::vector<RootedPath>* found);
  const Names& SubdirectoriesOf(const RootedPath& directory);
  absl::Status List(const RootedPath& directory, Names* names);
  bool MayGoOn(const std::vector<RootedPath>& found);

  const std::vector<std::string>& trusted_roots_;
  bool cut_ = false;
  size_t steps_ = 0;  // of this glob
  std::vector<RefusedLog> refused_;
  std::set<std::string> watched_;
  absl::node_hash_map<std::string, Names> listed_;
};

}  // namespace ampari
