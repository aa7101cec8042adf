#include "forwarder/discovery/target_file.h"

#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "common/config/yaml_document.h"
#include "common/labels/quote.h"
#include "common/runtime/absl_view.h"

namespace ampari {
namespace {

absl::Status Wrong(int line, std::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat("line ", line, ": ", ToAbsl(what)));
}

bool IsLabelName(std::string_view name) {
  if (name.empty() || absl::ascii_isdigit(static_cast<unsigned char>(name.front()))) return false;
  for (const char c : name) {
    if (!absl::ascii_isalnum(static_cast<unsigned char>(c)) && c != '_') return false;
  }
  return true;
}

absl::Status ReadTargets(const YamlNode& node, TargetGroup& group) {
  if (node.kind == YamlNode::Kind::kNull) return absl::OkStatus();
  if (node.kind != YamlNode::Kind::kSequence) {
    return Wrong(node.line, "targets must be a list of host:port");
  }
  for (const YamlNode& item : node.items) {
    if (item.kind != YamlNode::Kind::kScalar) return Wrong(item.line, "a target must be a string");
    group.targets.push_back(item.text);
  }
  return absl::OkStatus();
}

absl::Status ReadLabels(const YamlNode& node, TargetGroup& group) {
  if (node.kind == YamlNode::Kind::kNull) return absl::OkStatus();
  if (node.kind != YamlNode::Kind::kMapping) {
    return Wrong(node.line, "labels must be a mapping of names to values");
  }
  LabelsBuilder labels;
  for (const YamlEntry& entry : node.entries) {
    if (!IsLabelName(entry.key)) {
      return Wrong(entry.line, Quoted(entry.key) + " is not a valid label name");
    }
    if (entry.value.kind == YamlNode::Kind::kNull) continue;
    if (entry.value.kind != YamlNode::Kind::kScalar) {
      return Wrong(entry.line, "the value of label " + entry.key + " must be a string");
    }
    labels.Set(entry.key, entry.value.text);
  }
  group.labels = labels.Build();
  return absl::OkStatus();
}

absl::StatusOr<TargetGroup> ReadGroup(const YamlNode& node) {
  if (node.kind != YamlNode::Kind::kMapping) {
    return Wrong(node.line, "a target group must be a mapping with targets and labels");
  }
  TargetGroup group;
  for (const YamlEntry& entry : node.entries) {
    absl::Status status;
    if (entry.key == "targets") {
      status = ReadTargets(entry.value, group);
    } else if (entry.key == "labels") {
      status = ReadLabels(entry.value, group);
    } else {
      status = Wrong(entry.line, "unknown key " + Quoted(entry.key) + " in a target group");
    }
    if (!status.ok()) return status;
  }
  return group;
}

}  // namespace

absl::StatusOr<std::vector<TargetGroup>> ParseTargetFile(const std::string& text,
                                                         const std::string& file_name) {
  std::vector<YamlProblem> problems;
  const YamlNode root = ParseYaml(text, &problems);
  if (!problems.empty()) return Wrong(problems.front().line, problems.front().what);
  std::vector<TargetGroup> groups;
  if (root.kind == YamlNode::Kind::kNull) return groups;
  if (root.kind != YamlNode::Kind::kSequence) {
    return Wrong(root.line, "a target file must be a list of target groups");
  }
  for (const YamlNode& item : root.items) {
    absl::StatusOr<TargetGroup> group = ReadGroup(item);
    if (!group.ok()) return group.status();
    group->source = absl::StrCat(file_name, ":", groups.size());
    groups.push_back(*std::move(group));
  }
  return groups;
}

}  // namespace ampari
