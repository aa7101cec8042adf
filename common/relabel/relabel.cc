#include "common/relabel/relabel.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "common/relabel/hash_mod.h"
#include "common/relabel/regex.h"
#include "common/relabel/template.h"
#include "common/relabel/unicode_case.h"

namespace ampari {
namespace {

constexpr std::string_view kDefaultRegex = "(.*)";

re2::StringPiece Piece(std::string_view text) { return {text.data(), text.size()}; }

}  // namespace

// One rule, ready to run.
struct Relabeler::Compiled {
  RelabelAction action;
  std::vector<std::string> source_labels;
  std::string separator;
  std::shared_ptr<const re2::RE2> regex;
  uint64_t modulus;
  std::string target_label;
  ExpansionTemplate target;
  ExpansionTemplate replacement;
  std::string replacement_text;
  bool sets_constant;  // an empty value needs no match: how static labels are added

  bool Apply(LabelsBuilder& labels) const;
  std::string_view Join(const LabelsBuilder& labels, std::string* buffer) const;
  bool Matches(std::string_view text) const { return re2::RE2::PartialMatch(Piece(text), *regex); }
  bool Captures(std::string_view text, std::vector<re2::StringPiece>* groups) const;
  void Replace(std::string_view value, LabelsBuilder& labels) const;
  void MapNames(LabelsBuilder& labels) const;
  void RemoveNames(LabelsBuilder& labels, bool matching) const;
};

std::string_view Relabeler::Compiled::Join(const LabelsBuilder& labels, std::string* buffer) const {
  if (source_labels.empty()) return {};
  if (source_labels.size() == 1) return labels.Get(source_labels[0]);
  for (size_t i = 0; i < source_labels.size(); ++i) {
    if (i > 0) *buffer += separator;
    *buffer += labels.Get(source_labels[i]);
  }
  return *buffer;
}

bool Relabeler::Compiled::Captures(std::string_view text,
                                   std::vector<re2::StringPiece>* groups) const {
  groups->resize(static_cast<size_t>(regex->NumberOfCapturingGroups()) + 1);
  return regex->Match(Piece(text), 0, text.size(), re2::RE2::UNANCHORED, groups->data(),
                      static_cast<int>(groups->size()));
}

void Relabeler::Compiled::Replace(std::string_view value, LabelsBuilder& labels) const {
  if (value.empty() && sets_constant) return labels.Set(target_label, replacement_text);
  if (target.IsLiteral() && replacement.IsLiteral()) {
    if (Matches(value)) labels.Set(target_label, replacement.Expand({}));
    return;
  }
  std::vector<re2::StringPiece> groups;
  if (!Captures(value, &groups)) return;
  const std::string name = target.Expand(groups);
  if (!IsLegacyLabelName(name)) return;
  labels.Set(name, replacement.Expand(groups));
}

// Names in their sorted order: when two map to one name the later wins.
void Relabeler::Compiled::MapNames(LabelsBuilder& labels) const {
  std::vector<Label> sorted = labels.labels();
  std::sort(sorted.begin(), sorted.end(),
            [](const Label& a, const Label& b) { return a.name < b.name; });
  std::vector<re2::StringPiece> groups;
  for (const Label& label : sorted) {
    if (label.value.empty() || !Captures(label.name, &groups)) continue;
    const std::string name = replacement.Expand(groups);
    if (!name.empty()) labels.Set(name, label.value);
  }
}

void Relabeler::Compiled::RemoveNames(LabelsBuilder& labels, bool matching) const {
  std::vector<std::string_view> gone;
  for (const Label& label : labels.labels()) {
    if (Matches(label.name) == matching) gone.push_back(label.name);
  }
  for (const std::string_view name : gone) labels.Del(name);
}

bool Relabeler::Compiled::Apply(LabelsBuilder& labels) const {
  std::string buffer;
  const std::string_view value = Join(labels, &buffer);
  switch (action) {
    case RelabelAction::kKeep:
      return Matches(value);
    case RelabelAction::kDrop:
      return !Matches(value);
    case RelabelAction::kKeepEqual:
      return labels.Get(target_label) == value;
    case RelabelAction::kDropEqual:
      return labels.Get(target_label) != value;
    case RelabelAction::kReplace:
      Replace(value, labels);
      return true;
    case RelabelAction::kHashMod:
      labels.Set(target_label, absl::StrCat(HashMod(value, modulus)));
      return true;
    case RelabelAction::kLowercase:
      labels.Set(target_label, ToLowerText(value));
      return true;
    case RelabelAction::kUppercase:
      labels.Set(target_label, ToUpperText(value));
      return true;
    case RelabelAction::kLabelMap:
      MapNames(labels);
      return true;
    case RelabelAction::kLabelDrop:
      RemoveNames(labels, true);
      return true;
    case RelabelAction::kLabelKeep:
      RemoveNames(labels, false);
      return true;
  }
  return true;
}

absl::StatusOr<Relabeler> Relabeler::Compile(std::span<const RelabelRule> rules) {
  auto compiled = std::make_shared<std::vector<Compiled>>();
  for (size_t i = 0; i < rules.size(); ++i) {
    const RelabelRule& rule = rules[i];
    if (absl::Status status = ValidateRelabelRule(rule); !status.ok()) {
      return absl::InvalidArgumentError(absl::StrCat("rule ", i, ": ", status.message()));
    }
    const std::shared_ptr<const re2::RE2> regex = *CompileRelabelRegex(rule.regex);
    const ExpansionTemplate target(rule.target_label, *regex);
    const ExpansionTemplate replacement(rule.replacement, *regex);
    const bool constant = rule.regex == kDefaultRegex &&
                          rule.target_label.find('$') == std::string::npos &&
                          rule.replacement.find('$') == std::string::npos;
    compiled->push_back({rule.action, rule.source_labels, rule.separator, regex, rule.modulus,
                         rule.target_label, target, replacement, rule.replacement, constant});
  }
  Relabeler result;
  if (!compiled->empty()) result.rules_ = std::move(compiled);
  return result;
}

bool Relabeler::Apply(LabelsBuilder& labels) const {
  if (rules_ == nullptr) return true;
  return std::all_of(rules_->begin(), rules_->end(),
                     [&](const Compiled& rule) { return rule.Apply(labels); });
}

bool Relabeler::empty() const { return rules_ == nullptr; }

}  // namespace ampari
