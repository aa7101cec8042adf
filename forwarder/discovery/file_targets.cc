#include "forwarder/discovery/file_targets.h"

#include <glob.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <set>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "forwarder/discovery/target_file.h"

namespace ampari {
namespace {

// Matches are sorted by name and cut at the bound.
std::set<std::string> MatchingFiles(const std::vector<std::string>& patterns) {
  std::set<std::string> names;
  for (const std::string& pattern : patterns) {
    glob_t found{};
    if (::glob(pattern.c_str(), 0, nullptr, &found) == 0) {
      for (size_t i = 0; i < found.gl_pathc && names.size() < FileTargets::kMaxFiles; ++i) {
        names.insert(found.gl_pathv[i]);
      }
    }
    ::globfree(&found);
  }
  return names;
}

absl::StatusOr<std::string> ReadFile(const std::string& name) {
  std::ifstream in(name, std::ios::binary);
  if (!in) return absl::UnavailableError(absl::StrCat("cannot open: ", std::strerror(errno)));
  std::string content;
  std::array<char, 16384> chunk;
  while (content.size() <= FileTargets::kMaxFileBytes) {
    in.read(chunk.data(), chunk.size());
    content.append(chunk.data(), static_cast<size_t>(in.gcount()));
    if (!in) break;
  }
  if (in.bad()) return absl::UnavailableError("cannot read");
  if (content.size() > FileTargets::kMaxFileBytes) {
    return absl::ResourceExhaustedError(
        absl::StrCat("larger than ", FileTargets::kMaxFileBytes, " bytes"));
  }
  return content;
}

bool SameGroups(const std::vector<TargetGroup>& a, const std::vector<TargetGroup>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](const TargetGroup& x, const TargetGroup& y) {
                      return x.targets == y.targets && x.labels == y.labels;
                    });
}

}  // namespace

bool FileTargets::Reread(const std::string& name, File& file) {
  absl::StatusOr<std::string> content = ReadFile(name);
  if (!content.ok()) {
    file.error = std::string(content.status().message());
    file.content.clear();
    return false;
  }
  if (*content == file.content && !content->empty()) return false;
  file.content = *std::move(content);
  absl::StatusOr<std::vector<TargetGroup>> groups = ParseTargetFile(file.content, name);
  if (!groups.ok()) {
    file.error = std::string(groups.status().message());
    return false;
  }
  file.error.clear();
  for (TargetGroup& group : *groups) {
    LabelsBuilder labels(group.labels);
    labels.Set("__meta_filepath", name);
    group.labels = labels.Build();
  }
  const bool changed = !SameGroups(file.groups, *groups);
  file.groups = *std::move(groups);
  return changed;
}

bool FileTargets::Refresh() {
  const std::set<std::string> names = MatchingFiles(config_.files);
  bool changed = false;
  for (auto it = files_.begin(); it != files_.end();) {
    if (names.contains(it->first)) {
      ++it;
      continue;
    }
    changed |= !it->second.groups.empty();
    it = files_.erase(it);
  }
  for (const std::string& name : names) changed |= Reread(name, files_[name]);
  return changed;
}

std::vector<TargetGroup> FileTargets::groups() const {
  std::vector<TargetGroup> all;
  for (const auto& [name, file] : files_) {
    all.insert(all.end(), file.groups.begin(), file.groups.end());
  }
  return all;
}

std::vector<FileStatus> FileTargets::files() const {
  std::vector<FileStatus> all;
  for (const auto& [name, file] : files_) {
    FileStatus& status = all.emplace_back();
    status.file = name;
    status.error = file.error;
    for (const TargetGroup& group : file.groups) status.targets += group.targets.size();
  }
  return all;
}

std::vector<std::string> FileTargets::directories() const {
  std::set<std::string> directories;
  for (const std::string& pattern : config_.files) {
    const size_t slash = pattern.rfind('/');
    if (slash == std::string::npos) {
      directories.insert(".");
    } else {
      directories.insert(slash == 0 ? "/" : pattern.substr(0, slash));
    }
  }
  return {directories.begin(), directories.end()};
}

}  // namespace ampari
