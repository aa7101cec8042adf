// Names of actions, and the rules that a written rule must obey.
#include <algorithm>
#include <iterator>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/labels/quote.h"
#include "common/relabel/regex.h"
#include "common/relabel/relabel.h"

namespace ampari {
namespace {

// In the order of RelabelAction.
constexpr const char* kActionNames[] = {"replace",   "keep",      "drop",     "keepequal",
                                        "dropequal", "hashmod",   "labelmap", "labeldrop",
                                        "labelkeep", "lowercase", "uppercase"};
constexpr std::string_view kDefaultSeparator = ";";
constexpr std::string_view kDefaultReplacement = "$1";

bool HasReference(std::string_view text) { return text.find('$') != std::string_view::npos; }

// A label name that may contain $1, ${1}, $name: what the legacy scheme allows as a target.
bool IsNameTemplate(std::string_view text) {
  static const re2::RE2 kTemplate(R"(^(?:(?:[a-zA-Z_]|\$(?:\{\w+\}|\w+))+\w*)+$)");
  return re2::RE2::FullMatch(re2::StringPiece(text.data(), text.size()), kTemplate);
}

absl::Status Wrong(const std::string& value, const std::string& field, RelabelAction action) {
  return absl::InvalidArgumentError(absl::StrCat(Quoted(value), " is invalid '", field, "' for ",
                                                 RelabelActionName(action), " action"));
}

bool NeedsTarget(RelabelAction action) {
  switch (action) {
    case RelabelAction::kReplace:
    case RelabelAction::kHashMod:
    case RelabelAction::kLowercase:
    case RelabelAction::kUppercase:
    case RelabelAction::kKeepEqual:
    case RelabelAction::kDropEqual:
      return true;
    default:
      return false;
  }
}

absl::Status ValidateTarget(const RelabelRule& rule) {
  if (!NeedsTarget(rule.action)) return absl::OkStatus();
  if (rule.target_label.empty()) {
    return absl::InvalidArgumentError(absl::StrCat("relabel configuration for ",
                                                   RelabelActionName(rule.action),
                                                   " action requires 'target_label' value"));
  }
  const bool as_template =
      rule.action == RelabelAction::kReplace && HasReference(rule.target_label);
  const bool valid =
      as_template ? IsNameTemplate(rule.target_label) : IsLegacyLabelName(rule.target_label);
  return valid ? absl::OkStatus() : Wrong(rule.target_label, "target_label", rule.action);
}

absl::Status ValidateReplacement(const RelabelRule& rule) {
  switch (rule.action) {
    case RelabelAction::kLowercase:
    case RelabelAction::kUppercase:
    case RelabelAction::kKeepEqual:
    case RelabelAction::kDropEqual:
      if (rule.replacement == kDefaultReplacement) return absl::OkStatus();
      return absl::InvalidArgumentError(absl::StrCat("'replacement' can not be set for ",
                                                     RelabelActionName(rule.action), " action"));
    case RelabelAction::kLabelMap:
      if (IsNameTemplate(rule.replacement)) return absl::OkStatus();
      return Wrong(rule.replacement, "replacement", rule.action);
    default:
      return absl::OkStatus();
  }
}

// Fields that an action has no use for and that Prometheus therefore refuses.
absl::Status ValidateUnused(const RelabelRule& rule) {
  const bool defaults = rule.modulus == 0 && rule.separator == kDefaultSeparator &&
                        rule.replacement == kDefaultReplacement;
  const bool equal =
      rule.action == RelabelAction::kKeepEqual || rule.action == RelabelAction::kDropEqual;
  if (equal && (!defaults || rule.has_regex)) {
    return absl::InvalidArgumentError(absl::StrCat(
        RelabelActionName(rule.action),
        " action requires only 'source_labels' and `target_label`, and no other fields"));
  }
  const bool names =
      rule.action == RelabelAction::kLabelDrop || rule.action == RelabelAction::kLabelKeep;
  if (names && (!defaults || !rule.source_labels.empty() || !rule.target_label.empty())) {
    return absl::InvalidArgumentError(absl::StrCat(
        RelabelActionName(rule.action), " action requires only 'regex', and no other fields"));
  }
  return absl::OkStatus();
}

absl::Status ValidateSources(const RelabelRule& rule) {
  for (const std::string& name : rule.source_labels) {
    if (name.empty())
      return absl::InvalidArgumentError("\"\" is not a valid label name in 'source_labels'");
  }
  return absl::OkStatus();
}

}  // namespace

bool IsLegacyLabelName(std::string_view name) {
  return !name.empty() && !absl::ascii_isdigit(static_cast<unsigned char>(name[0])) &&
         std::all_of(name.begin(), name.end(), [](char c) {
           return c == '_' || absl::ascii_isalnum(static_cast<unsigned char>(c));
         });
}

std::string RelabelActionName(RelabelAction action) {
  return std::string(kActionNames[static_cast<size_t>(action)]);
}

absl::StatusOr<RelabelAction> ParseRelabelAction(std::string_view text) {
  const auto* found = std::find(std::begin(kActionNames), std::end(kActionNames),
                                absl::AsciiStrToLower(std::string(text)));
  if (found == std::end(kActionNames)) {
    return absl::InvalidArgumentError(absl::StrCat("unknown relabel action ", Quoted(text),
                                                   "; use one of ",
                                                   absl::StrJoin(kActionNames, ", ")));
  }
  return static_cast<RelabelAction>(found - std::begin(kActionNames));
}

absl::Status ValidateRelabelRule(const RelabelRule& rule) {
  if (rule.action == RelabelAction::kHashMod && rule.modulus == 0) {
    return absl::InvalidArgumentError(
        "relabel configuration for hashmod requires non-zero modulus");
  }
  for (const auto check : {ValidateTarget, ValidateReplacement, ValidateUnused, ValidateSources}) {
    if (absl::Status status = check(rule); !status.ok()) return status;
  }
  return CompileRelabelRegex(rule.regex).status();
}

}  // namespace ampari
