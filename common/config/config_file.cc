#include "common/config/config_file.h"

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <sstream>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace ampari {

ConfigFile::ConfigFile(const std::string& yaml, std::string name) : name_(std::move(name)) {
  std::vector<YamlProblem> problems;
  root_ = ParseYaml(yaml, &problems);
  for (YamlProblem& problem : problems) AddError(problem.line, std::move(problem.what));
}

std::string ConfigFile::Resolve(const std::string& path) const {
  const size_t slash = name_.rfind('/');
  if (path.empty() || path[0] == '/' || slash == std::string::npos) return path;
  return name_.substr(0, slash + 1) + path;
}

void ConfigFile::AddError(int line, std::string what) {
  errors_.push_back({line, std::move(what)});
}

void ConfigFile::AddUnsupported(int line, std::string what) {
  unsupported_.push_back({line, std::move(what)});
}

void ConfigFile::AddWarning(int line, std::string what) {
  warnings_.push_back({line, std::move(what)});
}

bool ConfigFile::LeaveOut(const Mark& mark, int line, const std::string& what) {
  if (errors_.size() > mark.errors || unsupported_.size() == mark.unsupported) return false;
  std::vector<std::string> reasons;
  for (size_t i = mark.unsupported; i < unsupported_.size(); ++i)
    reasons.push_back(unsupported_[i].what);
  unsupported_.resize(mark.unsupported);
  AddWarning(line, absl::StrCat(what, " is left out: ", absl::StrJoin(reasons, "; ")));
  return true;
}

std::vector<std::string> ConfigFile::Format(std::vector<Finding> findings) const {
  std::stable_sort(findings.begin(), findings.end(),
                   [](const Finding& a, const Finding& b) { return a.line < b.line; });
  std::vector<std::string> lines;
  for (const Finding& finding : findings)
    lines.push_back(absl::StrCat(name_, ":", finding.line, ": ", finding.what));
  return lines;
}

absl::Status ConfigFile::status() const {
  std::vector<Finding> all = errors_;
  all.insert(all.end(), unsupported_.begin(), unsupported_.end());
  if (all.empty()) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrJoin(Format(std::move(all)), "\n"));
}

std::vector<std::string> ConfigFile::warnings() const { return Format(warnings_); }

absl::StatusOr<std::string> ReadConfigText(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream text;
  if (in) text << in.rdbuf();
  if (!in || in.bad()) {
    return absl::ErrnoToStatus(errno, absl::StrCat("cannot read the configuration file ", path));
  }
  return text.str();
}

}  // namespace ampari
