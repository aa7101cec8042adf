// Relabelling with Prometheus 3's semantics (prometheus/prometheus model/relabel/relabel.go), RE2
// fully anchored with '.' matching newlines.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "common/labels/labels.h"

namespace ampari {

enum class RelabelAction {
  kReplace,
  kKeep,
  kDrop,
  kKeepEqual,
  kDropEqual,
  kHashMod,
  kLabelMap,
  kLabelDrop,
  kLabelKeep,
  kLowercase,
  kUppercase,
};

// As written by the user; defaults are Prometheus'.
struct RelabelRule {
  RelabelAction action = RelabelAction::kReplace;
  std::vector<std::string> source_labels;
  std::string separator = ";";
  std::string regex = "(.*)";
  uint64_t modulus = 0;
  std::string target_label;
  std::string replacement = "$1";
  // Which of the optional fields were written: some actions refuse them.
  bool has_regex = false, has_separator = false, has_replacement = false;
};

// Case-insensitive. InvalidArgument names the text and the valid actions.
absl::StatusOr<RelabelAction> ParseRelabelAction(std::string_view text);
std::string RelabelActionName(RelabelAction action);

// InvalidArgument says what is wrong, in Prometheus' words where it has some; label names follow
// the legacy scheme.
absl::Status ValidateRelabelRule(const RelabelRule& rule);
// [a-zA-Z_][a-zA-Z0-9_]*
bool IsLegacyLabelName(std::string_view name);

// A compiled list of rules. Immutable, thread-safe, cheap to copy.
class Relabeler {
 public:
  Relabeler() = default;
  // InvalidArgument says which rule (its index from 0) and what ValidateRelabelRule() says.
  static absl::StatusOr<Relabeler> Compile(std::span<const RelabelRule> rules);

  // Applies the rules in order; false as soon as one drops the set (labels are then unspecified).
  bool Apply(LabelsBuilder& labels) const;
  bool empty() const;

 private:
  struct Compiled;
  std::shared_ptr<const std::vector<Compiled>> rules_;
};

}  // namespace ampari
