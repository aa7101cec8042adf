#include "common/config/relabel_block.h"

#include "common/runtime/absl_view.h"

namespace ampari {
namespace {

RelabelRule ReadRule(MappingReader& block) {
  RelabelRule rule;
  std::string action = "replace";
  block.RawText("action", &action);
  block.RawTexts("source_labels", &rule.source_labels);
  block.RawText("separator", &rule.separator);
  block.RawText("regex", &rule.regex);
  block.Unsigned("modulus", &rule.modulus);
  block.RawText("target_label", &rule.target_label);
  block.RawText("replacement", &rule.replacement);
  rule.has_separator = block.Has("separator");
  rule.has_regex = block.Has("regex");
  rule.has_replacement = block.Has("replacement");
  block.Finish();
  const absl::StatusOr<RelabelAction> parsed = ParseRelabelAction(action);
  if (!parsed.ok()) {
    block.Error("action", FromAbsl(parsed.status().message()));
    return rule;
  }
  rule.action = *parsed;
  if (const absl::Status status = ValidateRelabelRule(rule); !status.ok()) {
    block.Error("", FromAbsl(status.message()));
  }
  return rule;
}

}  // namespace

std::vector<RelabelRule> ReadRelabelRules(MappingReader& block, std::string_view key) {
  std::vector<RelabelRule> rules;
  for (MappingReader& rule : block.Children(key)) {
    if (rule.present()) rules.push_back(ReadRule(rule));
  }
  return rules;
}

}  // namespace ampari
