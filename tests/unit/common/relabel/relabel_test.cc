// Prometheus' relabelling semantics, action by action.
#include "common/relabel/relabel.h"

#include <optional>
#include <string>
#include <vector>

#include "gtest/gtest.h"

namespace ampari {
namespace {

using Action = RelabelAction;

struct Row {
  const char* what;
  std::vector<RelabelRule> rules;
  Labels before;
  std::optional<Labels> after;  // nullopt: dropped
};

void Check(const std::vector<Row>& rows) {
  for (const Row& row : rows) {
    SCOPED_TRACE(row.what);
    const auto relabeler = Relabeler::Compile(row.rules);
    ASSERT_TRUE(relabeler.ok()) << relabeler.status();
    LabelsBuilder labels(row.before);
    const bool kept = relabeler->Apply(labels);
    ASSERT_EQ(kept, row.after.has_value());
    if (!kept) continue;
    EXPECT_EQ(labels.Build().ToString(), row.after->ToString());
  }
}

RelabelRule Rule(Action action, std::vector<std::string> sources, std::string regex = "(.*)") {
  RelabelRule rule;
  rule.action = action;
  rule.source_labels = std::move(sources);
  rule.has_regex = regex != "(.*)";
  rule.regex = std::move(regex);
  return rule;
}

RelabelRule Replace(std::vector<std::string> sources, std::string regex, std::string target,
                    std::string replacement, std::string separator = ";") {
  RelabelRule rule = Rule(Action::kReplace, std::move(sources), std::move(regex));
  rule.target_label = std::move(target);
  rule.replacement = std::move(replacement);
  rule.separator = std::move(separator);
  return rule;
}

RelabelRule To(Action action, std::vector<std::string> sources, std::string target,
               uint64_t modulus = 0) {
  RelabelRule rule = Rule(action, std::move(sources));
  rule.target_label = std::move(target);
  rule.modulus = modulus;
  return rule;
}

TEST(RelabelTest, Replace) {
  const Labels abc = {{"a", "foo"}, {"b", "bar"}, {"c", "baz"}};
  Check({
      {"group into a new label",
       {Replace({"a"}, "f(.*)", "d", "ch${1}-ch${1}")},
       abc,
       Labels{{"a", "foo"}, {"b", "bar"}, {"c", "baz"}, {"d", "choo-choo"}}},
      {"sources are joined by the separator",
       {Replace({"a", "b"}, "foo;bar", "d", "yes")},
       abc,
       Labels{{"a", "foo"}, {"b", "bar"}, {"c", "baz"}, {"d", "yes"}}},
      {"another separator",
       {Replace({"a", "b"}, "(.*)", "a", "$1", "/")},
       abc,
       Labels{{"a", "foo/bar"}, {"b", "bar"}, {"c", "baz"}}},
      {"an empty separator",
       {Replace({"a", "b"}, "(.*)", "a", "$1", "")},
       abc,
       Labels{{"a", "foobar"}, {"b", "bar"}, {"c", "baz"}}},
      {"a missing source is empty",
       {Replace({"a", "x", "b"}, "(.*)", "a", "$1")},
       abc,
       Labels{{"a", "foo;;bar"}, {"b", "bar"}, {"c", "baz"}}},
      {"no match changes nothing", {Replace({"a"}, "bar", "a", "x")}, abc, abc},
      {"the whole value must match", {Replace({"a"}, "o", "a", "x")}, abc, abc},
      {"an empty result deletes",
       {Replace({"a"}, "(f).*", "b", "$2")},
       abc,
       Labels{{"a", "foo"}, {"c", "baz"}}},
      {"a constant without sources",
       {Replace({}, "(.*)", "d", "static")},
       Labels{{"a", "1"}},
       Labels{{"a", "1"}, {"d", "static"}}},
      {"a constant although the source is empty",
       {Replace({"x"}, "(.*)", "d", "static")},
       Labels{{"a", "1"}},
       Labels{{"a", "1"}, {"d", "static"}}},
      {"an empty constant deletes",
       {Replace({}, "(.*)", "a", "")},
       abc,
       Labels{{"b", "bar"}, {"c", "baz"}}},
      {"an empty source does not match .+", {Replace({"x"}, "(.+)", "a", "$1")}, abc, abc},
      {"a computed target",
       {Replace({"a"}, "f(.*)", "n_$1", "v")},
       abc,
       Labels{{"a", "foo"}, {"b", "bar"}, {"c", "baz"}, {"n_oo", "v"}}},
      {"an invalid computed target changes nothing",
       {Replace({"v"}, "(.*)", "${1}", "x")},
       Labels{{"v", "9-"}},
       Labels{{"v", "9-"}}},
      {"an empty computed target changes nothing",
       {Replace({"v"}, "a(x?)", "${1}", "x")},
       Labels{{"v", "a"}},
       Labels{{"v", "a"}}},
      {"the dot matches a newline",
       {Replace({"v"}, "a(.)b", "v", "[$1]")},
       Labels{{"v", "a\nb"}},
       Labels{{"v", "[\n]"}}},
      {"$1x is a group that does not exist",
       {Replace({"v"}, "(.*)", "v", "<$1x>")},
       Labels{{"v", "q"}},
       Labels{{"v", "<>"}}},
      {"a named group in Go's newer form",
       {Replace({"v"}, "(?<first>[a-z])(?P<rest>.*)", "v", "$rest-${first}")},
       Labels{{"v", "abc"}},
       Labels{{"v", "bc-a"}}},
      {"leftmost alternative first",
       {Replace({"v"}, "(a|ab)(c|bcd)?(d*)", "v", "$1,$2,$3")},
       Labels{{"v", "abcd"}},
       Labels{{"v", "a,bcd,"}}},
      {"a YAML bool was read as text",
       {Rule(Action::kKeep, {"s"}, "true")},
       Labels{{"s", "true"}},
       Labels{{"s", "true"}}},
  });
}

TEST(RelabelTest, KeepAndDrop) {
  const Labels a = {{"a", "foo"}};
  Check({
      {"keep what matches", {Rule(Action::kKeep, {"a"}, "f.*")}, a, a},
      {"keep drops the rest", {Rule(Action::kKeep, {"a"}, "f")}, a, std::nullopt},
      {"keep of a missing label", {Rule(Action::kKeep, {"x"}, ".+")}, a, std::nullopt},
      {"drop what matches", {Rule(Action::kDrop, {"a"}, ".*o")}, a, std::nullopt},
      {"drop keeps the rest", {Rule(Action::kDrop, {"a"}, "x|y")}, a, a},
      {"drop everything by default", {Rule(Action::kDrop, {"a"})}, a, std::nullopt},
      {"the first drop stops",
       {Rule(Action::kDrop, {"a"}, "foo"), Replace({}, "(.*)", "b", "x")},
       a,
       std::nullopt},
      {"alternatives are anchored together",
       {Rule(Action::kKeep, {"a"}, "fo|oo")},
       a,
       std::nullopt},
  });
}

TEST(RelabelTest, KeepEqualAndDropEqual) {
  const Labels same = {{"port", "80"}, {"declared", "80"}};
  const Labels other = {{"port", "80"}, {"declared", "81"}};
  Check({
      {"keepequal keeps", {To(Action::kKeepEqual, {"port"}, "declared")}, same, same},
      {"keepequal drops", {To(Action::kKeepEqual, {"port"}, "declared")}, other, std::nullopt},
      {"dropequal drops", {To(Action::kDropEqual, {"port"}, "declared")}, same, std::nullopt},
      {"dropequal keeps", {To(Action::kDropEqual, {"port"}, "declared")}, other, other},
      {"two missing labels are equal", {To(Action::kDropEqual, {"x"}, "y")}, same, std::nullopt},
  });
}

TEST(RelabelTest, HashMod) {
  Check({
      {"vector one",
       {To(Action::kHashMod, {"c"}, "d", 1000)},
       Labels{{"c", "baz"}},
       Labels{{"c", "baz"}, {"d", "976"}}},
      {"vector two",
       {To(Action::kHashMod, {"a"}, "b", 1000)},
       Labels{{"a", "foo\nbar"}},
       Labels{{"a", "foo\nbar"}, {"b", "734"}}},
      {"modulus one",
       {To(Action::kHashMod, {"a"}, "b", 1)},
       Labels{{"a", "x"}},
       Labels{{"a", "x"}, {"b", "0"}}},
  });
}

TEST(RelabelTest, LabelMap) {
  RelabelRule mapped = Rule(Action::kLabelMap, {}, "meta_(.+)");
  RelabelRule renamed = mapped;
  renamed.replacement = "bar_${1}";
  Check({
      {"copies and keeps the original",
       {mapped},
       Labels{{"meta_a", "1"}, {"b", "2"}},
       Labels{{"a", "1"}, {"b", "2"}, {"meta_a", "1"}}},
      {"with a replacement",
       {renamed},
       Labels{{"meta_a", "1"}},
       Labels{{"bar_a", "1"}, {"meta_a", "1"}}},
      {"names match whole", {mapped}, Labels{{"x_meta_a", "1"}}, Labels{{"x_meta_a", "1"}}},
      {"onto an existing label",
       {mapped},
       Labels{{"a", "old"}, {"meta_a", "new"}},
       Labels{{"a", "new"}, {"meta_a", "new"}}},
  });
}

TEST(RelabelTest, LabelDropAndLabelKeep) {
  const Labels labels = {{"__address__", "x"}, {"a", "1"}, {"ab", "2"}, {"b", "3"}};
  Check({
      {"labeldrop",
       {Rule(Action::kLabelDrop, {}, "a.*")},
       labels,
       Labels{{"__address__", "x"}, {"b", "3"}}},
      {"labelkeep removes internal labels too",
       {Rule(Action::kLabelKeep, {}, "a")},
       labels,
       Labels{{"a", "1"}}},
      {"labeldrop of all", {Rule(Action::kLabelDrop, {})}, labels, Labels{}},
  });
}

TEST(RelabelTest, CaseMapping) {
  Check({
      {"lowercase",
       {To(Action::kLowercase, {"a"}, "b")},
       Labels{{"a", "bAr123Foo"}},
       Labels{{"a", "bAr123Foo"}, {"b", "bar123foo"}}},
      {"uppercase",
       {To(Action::kUppercase, {"a"}, "a")},
       Labels{{"a", "bAr123Foo"}},
       Labels{{"a", "BAR123FOO"}}},
      {"joined",
       {To(Action::kUppercase, {"a", "b"}, "c")},
       Labels{{"a", "x"}, {"b", "y"}},
       Labels{{"a", "x"}, {"b", "y"}, {"c", "X;Y"}}},
      {"of nothing deletes", {To(Action::kLowercase, {"x"}, "a")}, Labels{{"a", "1"}}, Labels{}},
  });
}

TEST(RelabelTest, RulesSeeWhatEarlierOnesDid) {
  Check({{"chain",
          {Replace({"a"}, "(.)(.*)", "b", "$2"), Replace({"b"}, "(.*)", "a", "x$1"),
           Rule(Action::kKeep, {"a"}, "xoo")},
          Labels{{"a", "foo"}},
          Labels{{"a", "xoo"}, {"b", "oo"}}}});
}

TEST(RelabelTest, AddressRulesOfIstiosPrometheus) {
  const std::vector<std::string> sources = {"port", "ip"};
  const std::vector<RelabelRule> rules = {
      Replace(sources, R"((\d+);(([A-Fa-f0-9]{1,4}::?){1,7}[A-Fa-f0-9]{1,4}))", "__address__",
              "[$2]:$1"),
      Replace(sources, R"((\d+);((([0-9]+?)(\.|$)){4}))", "__address__", "$2:$1")};
  Check({
      {"IPv4", rules, Labels{{"ip", "10.1.2.3"}, {"port", "15020"}},
       Labels{{"__address__", "10.1.2.3:15020"}, {"ip", "10.1.2.3"}, {"port", "15020"}}},
      {"IPv6", rules, Labels{{"ip", "2001:db8::1"}, {"port", "15020"}},
       Labels{{"__address__", "[2001:db8::1]:15020"}, {"ip", "2001:db8::1"}, {"port", "15020"}}},
      {"no port", rules, Labels{{"__address__", "10.1.2.3:80"}, {"ip", "10.1.2.3"}},
       Labels{{"__address__", "10.1.2.3:80"}, {"ip", "10.1.2.3"}}},
  });
}

TEST(RelabelTest, ADefaultRelabelerKeepsEverything) {
  const Relabeler none;
  const Labels base = {{"a", "1"}};
  LabelsBuilder labels(base);
  EXPECT_TRUE(none.empty());
  EXPECT_TRUE(none.Apply(labels));
}

}  // namespace
}  // namespace ampari
