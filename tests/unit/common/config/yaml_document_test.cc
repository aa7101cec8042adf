#include "common/config/yaml_document.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace ampari {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

YamlNode ParseGood(const std::string& text) {
  std::vector<YamlProblem> problems;
  YamlNode node = ParseYaml(text, &problems);
  EXPECT_THAT(problems, IsEmpty()) << problems[0].what;
  return node;
}

TEST(YamlDocumentTest, KeepsScalarsAsWritten) {
  const YamlNode node =
      ParseGood("{a: true, b: 080, c: 1.0, d: \"null\", e: null, f: ~, g: '', h: }");
  const struct {
    const char* key;
    YamlNode::Kind kind;
    const char* text;
  } rows[] = {
      {"a", YamlNode::Kind::kScalar, "true"}, {"b", YamlNode::Kind::kScalar, "080"},
      {"c", YamlNode::Kind::kScalar, "1.0"},  {"d", YamlNode::Kind::kScalar, "null"},
      {"e", YamlNode::Kind::kNull, ""},       {"f", YamlNode::Kind::kNull, ""},
      {"g", YamlNode::Kind::kScalar, ""},     {"h", YamlNode::Kind::kNull, ""},
  };
  for (const auto& row : rows) {
    const YamlNode* value = node.Find(row.key);
    ASSERT_NE(value, nullptr) << row.key;
    EXPECT_EQ(value->kind, row.kind) << row.key;
    EXPECT_EQ(value->text, row.text) << row.key;
  }
}

TEST(YamlDocumentTest, LinesCountFromOne) {
  const YamlNode node = ParseGood("a: 1\n\nb:\n  - x\n  - y: 2\n");
  EXPECT_EQ(node.entries[0].line, 1);
  EXPECT_EQ(node.entries[1].line, 3);
  EXPECT_EQ(node.Find("b")->items[0].line, 4);
  EXPECT_EQ(node.Find("b")->items[1].entries[0].line, 5);
}

TEST(YamlDocumentTest, ResolvesAliasesAndMergeKeys) {
  const YamlNode node =
      ParseGood("base: &b {x: 1, y: 2}\none: {<<: *b, y: 3}\ntwo: {<<: [{z: 4}, *b]}\nsame: *b\n");
  EXPECT_EQ(node.Find("one")->Find("x")->text, "1");
  EXPECT_EQ(node.Find("one")->Find("y")->text, "3");
  EXPECT_EQ(node.Find("two")->Find("z")->text, "4");
  EXPECT_EQ(node.Find("two")->Find("x")->text, "1");
  EXPECT_EQ(node.Find("same")->Find("y")->text, "2");
}

TEST(YamlDocumentTest, JsonIsYaml) {
  const YamlNode node = ParseGood(R"([{"targets": ["a:1"], "labels": {"x": "y"}}])");
  EXPECT_EQ(node.items[0].Find("targets")->items[0].text, "a:1");
}

TEST(YamlDocumentTest, AnEmptyTextIsNull) {
  EXPECT_EQ(ParseGood("").kind, YamlNode::Kind::kNull);
  EXPECT_EQ(ParseGood("# only a comment\n").kind, YamlNode::Kind::kNull);
}

TEST(YamlDocumentTest, SaysWhatIsWrongAndWhere) {
  const struct {
    const char* text;
    int line;
    const char* what;
  } rows[] = {
      {"a: 1\nb: [1, 2\n", 3, "not YAML"},
      {"a: {b: c", 1, "not YAML"},
      {"a: 1\na: 2\n", 2, "\"a\" is given twice"},
      {"a: *nobody\n", 1, "not YAML"},
      {"a: 1\n---\nb: 2\n", 3, "second document"},
      {"{a: 1},{b: 2}", 1, "second document"},
      {"[a]\n, b", 2, "second document"},
      {",", 1, "second document"},
      {"? [x, y]\n: 1\n", 1, "a key must be plain text"},
      {"<<: 1\n", 1, "<< needs a mapping"},
      {"\ta: 1\n", 1, "not YAML"},
  };
  for (const auto& row : rows) {
    std::vector<YamlProblem> problems;
    ParseYaml(row.text, &problems);
    ASSERT_THAT(problems, SizeIs(1)) << row.text;
    EXPECT_THAT(problems[0].what, HasSubstr(row.what)) << row.text;
    EXPECT_EQ(problems[0].line, row.line) << row.text;
  }
}

TEST(YamlDocumentTest, AliasesCannotMultiply) {
  std::string bomb = "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n";
  for (int i = 1; i < 10; ++i) {
    const std::string before = "*a" + std::to_string(i - 1);
    bomb += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [";
    for (int j = 0; j < 10; ++j) bomb += (j > 0 ? "," : "") + before;
    bomb += "]\n";
  }
  std::vector<YamlProblem> problems;
  ParseYaml(bomb, &problems);
  ASSERT_THAT(problems, SizeIs(1));
  EXPECT_THAT(problems[0].what, HasSubstr("aliases"));
}

TEST(YamlDocumentTest, DeepNestingIsRefused) {
  for (const int depth : {100, 5000, 200000}) {
    std::vector<YamlProblem> problems;
    ParseYaml(std::string(static_cast<size_t>(depth), '['), &problems);
    EXPECT_FALSE(problems.empty());
    problems.clear();
    ParseYaml(
        std::string(static_cast<size_t>(depth), '[') + std::string(static_cast<size_t>(depth), ']'),
        &problems);
    EXPECT_FALSE(problems.empty());
  }
}

}  // namespace
}  // namespace ampari
