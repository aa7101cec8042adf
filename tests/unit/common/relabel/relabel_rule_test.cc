// What a rule may not say.
#include <string>
#include <vector>

#include "common/relabel/relabel.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace ampari {
namespace {

using Action = RelabelAction;

RelabelRule Make(Action action, std::string target = "", std::string replacement = "$1",
                 std::string regex = "(.*)") {
  RelabelRule rule;
  rule.action = action;
  rule.target_label = std::move(target);
  rule.replacement = std::move(replacement);
  rule.has_regex = regex != "(.*)";
  rule.regex = std::move(regex);
  return rule;
}

RelabelRule WithModulus(RelabelRule rule, uint64_t modulus) {
  rule.modulus = modulus;
  return rule;
}

RelabelRule WithSources(RelabelRule rule, std::vector<std::string> sources) {
  rule.source_labels = std::move(sources);
  return rule;
}

TEST(RelabelRuleTest, RefusesWhatPrometheusRefuses) {
  const struct {
    RelabelRule rule;
    const char* message;
  } rows[] = {
      {Make(Action::kReplace), "replace action requires 'target_label'"},
      {Make(Action::kReplace, "a-b"), "\"a-b\" is invalid 'target_label' for replace"},
      {Make(Action::kReplace, "1a"), "\"1a\" is invalid 'target_label' for replace"},
      {Make(Action::kReplace, "${1}-x"), "invalid 'target_label' for replace"},
      {Make(Action::kReplace, "a", "$1", "(a"), "invalid regex \"(a\""},
      {Make(Action::kReplace, "a", "$1", "((a{100}){100}){100}"), "invalid regex"},
      {Make(Action::kHashMod, "a"), "hashmod requires non-zero modulus"},
      {WithModulus(Make(Action::kHashMod), 3), "hashmod action requires 'target_label'"},
      {WithModulus(Make(Action::kHashMod, "$1"), 3), "invalid 'target_label' for hashmod"},
      {Make(Action::kLowercase), "lowercase action requires 'target_label'"},
      {Make(Action::kLowercase, "${1}"), "invalid 'target_label' for lowercase"},
      {Make(Action::kUppercase, "a", "x"), "'replacement' can not be set for uppercase"},
      {Make(Action::kKeepEqual), "keepequal action requires 'target_label'"},
      {Make(Action::kKeepEqual, "a", "$1", "x"),
       "requires only 'source_labels' and `target_label`"},
      {WithModulus(Make(Action::kDropEqual, "a"), 2),
       "requires only 'source_labels' and `target_label`"},
      {Make(Action::kLabelMap, "", "a-$1"), "invalid 'replacement' for labelmap"},
      {Make(Action::kLabelMap, "", ""), "invalid 'replacement' for labelmap"},
      {WithSources(Make(Action::kLabelDrop), {"a"}), "labeldrop action requires only 'regex'"},
      {Make(Action::kLabelKeep, "a"), "labelkeep action requires only 'regex'"},
      {WithSources(Make(Action::kKeep), {""}), "not a valid label name"},
  };
  for (const auto& row : rows) {
    const absl::Status status = ValidateRelabelRule(row.rule);
    EXPECT_TRUE(absl::IsInvalidArgument(status)) << row.message;
    EXPECT_THAT(std::string(status.message()), testing::HasSubstr(row.message));
  }
}

TEST(RelabelRuleTest, AcceptsTemplatesAsTargets) {
  for (const char* target :
       {"a", "_", "a1", "${1}", "$1", "a_${1}_b", "${name}x", "$a$b", "x$1_y"}) {
    EXPECT_TRUE(ValidateRelabelRule(Make(Action::kReplace, target)).ok()) << target;
  }
}

TEST(RelabelRuleTest, CompileNamesTheRule) {
  const std::vector<RelabelRule> rules = {Make(Action::kReplace, "a"), Make(Action::kHashMod, "a")};
  const auto compiled = Relabeler::Compile(rules);
  ASSERT_FALSE(compiled.ok());
  EXPECT_THAT(std::string(compiled.status().message()), testing::StartsWith("rule 1: "));
}

TEST(RelabelRuleTest, ActionNamesInAnyCase) {
  const struct {
    const char* text;
    Action action;
  } rows[] = {
      {"replace", Action::kReplace},     {"Keep", Action::kKeep},
      {"DROP", Action::kDrop},           {"keepequal", Action::kKeepEqual},
      {"DropEqual", Action::kDropEqual}, {"hashmod", Action::kHashMod},
      {"labelmap", Action::kLabelMap},   {"labeldrop", Action::kLabelDrop},
      {"labelkeep", Action::kLabelKeep}, {"lowercase", Action::kLowercase},
      {"UPPERCASE", Action::kUppercase},
  };
  for (const auto& row : rows) {
    const auto action = ParseRelabelAction(row.text);
    ASSERT_TRUE(action.ok());
    EXPECT_EQ(*action, row.action) << row.text;
  }
  const auto unknown = ParseRelabelAction("keeep");
  EXPECT_THAT(std::string(unknown.status().message()),
              testing::HasSubstr("unknown relabel action \"keeep\""));
}

}  // namespace
}  // namespace ampari
