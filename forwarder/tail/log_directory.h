// What stands in a directory of logs: the files of wanted names, their rotated siblings, and the
// links that the container runtime makes.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "forwarder/tail/link_roots.h"
#include "forwarder/tail/open_beneath.h"
#include "forwarder/tail/tailed_file.h"

namespace ampari {

// A name that stands for a log in another directory.
struct LogLink {
  RootedPath directory;
  std::string base;
  std::string seen_as;  // the base that was wanted here
  friend bool operator==(const LogLink&, const LogLink&) = default;
};

struct RefusedLog {
  std::string path;
  std::string why;
};

struct LogListing {
  std::vector<ListedLog> logs;  // rotated ones first, from old to new
  std::vector<LogLink> links;
  std::vector<RefusedLog> refused;
  std::vector<std::string> elsewhere;  // directories of files that links lead to
  size_t entries = 0;                  // of the directory, wanted or not
};

inline constexpr size_t kMaxDirectoryEntries = 65536;  // of one directory; the rest is not seen
// To files of LinkRoots::files, of one directory: another directory is listed for each.
inline constexpr size_t kMaxRuntimeLinks = 1024;

// `wanted` is asked with the name a log is written under. NotFound: there is no such directory
// although its root is there. ResourceExhausted: too many open files; half a listing would tell of
// files that they are gone.
absl::StatusOr<LogListing> ListLogs(const RootedPath& directory,
                                    const std::function<bool(std::string_view)>& wanted,
                                    const LinkRoots& roots);

// Where a link in `directory` leads, beneath one of `roots`. FailedPrecondition: elsewhere. By the
// text alone: on the way to it no link is followed.
absl::StatusOr<RootedPath> ResolveLink(const RootedPath& directory, std::string_view target,
                                       const std::vector<std::string>& roots);
// The directory of `file` and the file's name.
RootedPath DirectoryOf(const RootedPath& file, std::string* name);

}  // namespace ampari
