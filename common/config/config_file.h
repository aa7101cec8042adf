// ConfigFile: one configuration file under reading: its name, and all that was found wrong with it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/config/yaml_document.h"

namespace ampari {

// Not thread-safe.
class ConfigFile {
 public:
  // Parses `yaml`; problems of its syntax are errors already.
  ConfigFile(const std::string& yaml, std::string name);

  const YamlNode& root() const { return root_; }
  // Relative paths are relative to the file's directory, as in Prometheus.
  std::string Resolve(const std::string& path) const;

  // Both become `file:line: what`. Unsupported: valid for Prometheus, but not built here.
  void AddError(int line, std::string what);
  void AddUnsupported(int line, std::string what);
  // `file:line: what` for people; the file loads.
  void AddWarning(int line, std::string what);

  // Everything unsupported since `mark` becomes one warning that `what` is left out, if nothing
  // else is wrong since then; false: nothing was changed.
  struct Mark {
    size_t errors = 0, unsupported = 0;
  };
  Mark mark() const { return {errors_.size(), unsupported_.size()}; }
  bool LeaveOut(const Mark& mark, int line, const std::string& what);

  // InvalidArgument with all errors, one per line, in the order of the file.
  absl::Status status() const;
  std::vector<std::string> warnings() const;

 private:
  struct Finding {
    int line;
    std::string what;
  };
  std::vector<std::string> Format(std::vector<Finding> findings) const;

  std::string name_;
  YamlNode root_;
  std::vector<Finding> errors_, unsupported_, warnings_;
};

// The text of a configuration file. NotFound and PermissionDenied name the file.
absl::StatusOr<std::string> ReadConfigText(const std::string& path);

}  // namespace ampari
