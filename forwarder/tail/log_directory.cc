#include "forwarder/tail/log_directory.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "common/runtime/absl_view.h"
#include "forwarder/tail/log_name.h"
#include "forwarder/tail/path_glob.h"

namespace ampari {
namespace {

// Takes what one directory shows into a listing.
class Lister {
 public:
  Lister(const LinkRoots& roots, LogListing* listing) : roots_(roots), listing_(*listing) {}

  absl::Status List(const RootedPath& directory,
                    const std::function<bool(std::string_view)>& wanted);

 private:
  void TakeEntry(int fd, const RootedPath& directory, std::string_view name, EntryKind kind,
                 const std::function<bool(std::string_view)>& wanted);
  void TakeFile(int fd, const RootedPath& directory, const std::string& name, std::string_view base,
                bool compressed, uint64_t rank);
  void TakeLink(int fd, const RootedPath& directory, const std::string& name,
                std::string_view base);
  void TakeRuntimeFile(const RootedPath& file, std::string_view base);
  void Refuse(const RootedPath& path, std::string_view why) {
    listing_.refused.push_back({path.full(), std::string(why)});
  }

  const LinkRoots& roots_;
  LogListing& listing_;
  absl::Status failed_;  // of something that may be there all the same
};

absl::Status Lister::List(const RootedPath& directory,
                          const std::function<bool(std::string_view)>& wanted) {
  const absl::StatusOr<UniqueFd> fd = OpenDirectoryBeneath(directory);
  if (!fd.ok()) return fd.status();
  const absl::StatusOr<bool> all =
      ListDirectory(fd->get(), kMaxDirectoryEntries, [&](std::string_view name, EntryKind kind) {
        TakeEntry(fd->get(), directory, name, kind, wanted);
      });
  if (!all.ok()) return all.status();
  if (!failed_.ok()) return failed_;
  if (!*all) Refuse(directory, absl::StrCat("more than ", kMaxDirectoryEntries, " entries"));
  return absl::OkStatus();
}

void Lister::TakeEntry(int fd, const RootedPath& directory, std::string_view name, EntryKind kind,
                       const std::function<bool(std::string_view)>& wanted) {
  ++listing_.entries;
  const auto parsed = ParseLogName(name);
  if (!parsed) return;
  std::string_view base = parsed->base;
  uint64_t rank = parsed->rank;
  if (!wanted(base)) {
    if (parsed->compressed || !wanted(name)) return;
    base = name;
    rank = UINT64_MAX;
  }
  switch (kind) {
    case EntryKind::kFile:
      return TakeFile(fd, directory, std::string(name), base, parsed->compressed, rank);
    case EntryKind::kLink:
      return TakeLink(fd, directory, std::string(name), base);
    case EntryKind::kDirectory:
    case EntryKind::kOther:
      break;
  }
  Refuse(directory.Child(name), "not a regular file");
}

void Lister::TakeFile(int fd, const RootedPath& directory, const std::string& name,
                      std::string_view base, bool compressed, uint64_t rank) {
  const absl::StatusOr<LogStamp> stamp = StampOfEntry(fd, name);
  if (!stamp.ok()) return;  // renamed since; that is told
  listing_.logs.push_back({std::string(base), directory.Child(name), compressed, rank, *stamp});
}

void Lister::TakeLink(int fd, const RootedPath& directory, const std::string& name,
                      std::string_view base) {
  const absl::StatusOr<std::string> target = ReadLink(fd, name);
  if (!target.ok()) return;
  if (const auto file = ResolveLink(directory, *target, roots_.files); file.ok()) {
    if (listing_.elsewhere.size() < kMaxRuntimeLinks) return TakeRuntimeFile(*file, base);
    return Refuse(directory.Child(name), "too many links to a runtime's files");
  }
  std::vector<std::string> roots = roots_.pods;
  roots.push_back(directory.root);
  const absl::StatusOr<RootedPath> log = ResolveLink(directory, *target, roots);
  if (!log.ok()) return Refuse(directory.Child(name), FromAbsl(log.status().message()));
  LogLink link;
  link.directory = DirectoryOf(*log, &link.base);
  link.seen_as = std::string(base);
  const auto parsed = ParseLogName(link.base);
  if (!parsed || parsed->rotated) return Refuse(directory.Child(name), "a link to a rotated file");
  listing_.links.push_back(std::move(link));
}

// The file and what its rotation left, under the name of the link.
void Lister::TakeRuntimeFile(const RootedPath& file, std::string_view base) {
  std::string name;
  const RootedPath directory = DirectoryOf(file, &name);
  LogListing beside;
  Lister lister(LinkRoots{{}, {}}, &beside);
  listing_.elsewhere.push_back(directory.full());
  const absl::Status s =
      lister.List(directory, [&name](std::string_view other) { return other == name; });
  if (absl::IsResourceExhausted(s)) failed_ = s;
  if (absl::IsNotFound(s)) return;  // the runtime removed it; the link goes too
  if (!s.ok()) return Refuse(directory, FromAbsl(s.message()));
  for (ListedLog& log : beside.logs) {
    log.base = std::string(base);
    listing_.logs.push_back(std::move(log));
  }
  for (RefusedLog& refused : beside.refused) listing_.refused.push_back(std::move(refused));
}

}  // namespace

RootedPath DirectoryOf(const RootedPath& file, std::string* name) {
  const size_t slash = file.path.rfind('/');
  *name = slash == std::string::npos ? file.path : file.path.substr(slash + 1);
  return {file.root, slash == std::string::npos ? std::string() : file.path.substr(0, slash)};
}

absl::StatusOr<RootedPath> ResolveLink(const RootedPath& directory, std::string_view target,
                                       const std::vector<std::string>& roots) {
  std::vector<std::string> parts;
  if (!target.starts_with('/')) parts = absl::StrSplit(directory.full(), '/', absl::SkipEmpty());
  for (const absl::string_view part : absl::StrSplit(ToAbsl(target), '/', absl::SkipEmpty())) {
    if (part == ".") continue;
    if (part != "..") {
      parts.emplace_back(part);
    } else if (!parts.empty()) {
      parts.pop_back();
    }
  }
  const std::string path = absl::StrCat("/", absl::StrJoin(parts, "/"));
  for (const std::string& root : roots) {
    if (!IsBeneath(path, root) || path == root) continue;
    return RootedPath{root, std::string(BelowDirectory(path, root))};
  }
  return absl::FailedPreconditionError("a link that leads elsewhere than to a container's log");
}

absl::StatusOr<LogListing> ListLogs(const RootedPath& directory,
                                    const std::function<bool(std::string_view)>& wanted,
                                    const LinkRoots& roots) {
  LogListing listing;
  Lister lister(roots, &listing);
  if (absl::Status s = lister.List(directory, wanted); !s.ok()) {
    if (!absl::IsNotFound(s) || directory.path.empty()) return s;
    // Only a root that is there tells that something beneath it is gone.
    const absl::Status root = OpenDirectoryBeneath({directory.root, ""}).status();
    return root.ok() ? s : absl::UnavailableError(absl::StrCat(directory.root, " is not there"));
  }
  std::stable_sort(listing.logs.begin(), listing.logs.end(),
                   [](const ListedLog& a, const ListedLog& b) {
                     return std::tie(a.rank, a.where.path) < std::tie(b.rank, b.where.path);
                   });
  return listing;
}

}  // namespace ampari
