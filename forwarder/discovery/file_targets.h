// FileTargets: the target groups of one entry of file_sd_configs, read from its files and kept
// while they are broken.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "forwarder/config.h"

namespace ampari {

// What is shown of a file.
struct FileStatus {
  std::string file;
  std::string error;  // why its newest content is not used; empty: it is
  size_t targets = 0;
};

// Thread-compatible. Content that cannot be read or parsed leaves the last good one in force, with
// the error shown; a file that is gone takes its targets along.
class FileTargets {
 public:
  static constexpr size_t kMaxFileBytes = size_t{16} << 20;
  static constexpr size_t kMaxFiles =
      1'000;  // of one entry; further matches of its patterns are an error

  explicit FileTargets(FileDiscoveryConfig config) : config_(std::move(config)) {}

  // Looks at all files again. True when any group changed.
  bool Refresh();
  // The groups in the order of the files' names, each with the label __meta_filepath.
  std::vector<TargetGroup> groups() const;
  std::vector<FileStatus> files() const;
  const FileDiscoveryConfig& config() const { return config_; }
  // Where the files are, so that changes can be watched.
  std::vector<std::string> directories() const;

 private:
  struct File {
    std::string content;  // what was parsed last, good or not
    std::vector<TargetGroup> groups;
    std::string error;
  };
  // True when the file's groups changed.
  static bool Reread(const std::string& name, File& file);

  FileDiscoveryConfig config_;
  std::map<std::string, File> files_;  // by name
};

}  // namespace ampari
