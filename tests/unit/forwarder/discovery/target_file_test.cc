#include "forwarder/discovery/target_file.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/support/status_matchers.h"

namespace ampari {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(TargetFile, JsonAndYamlSayTheSame) {
  for (const char* text :
       {R"([{"targets": ["a:1", "b:2"], "labels": {"env": "prod", "n": "1"}},
                               {"targets": ["c:3"]}])",
        "- targets: [a:1, 'b:2']\n  labels: {env: prod, n: 1}\n- targets:\n  - c:3\n"}) {
    const auto groups = ParseTargetFile(text, "f.json");
    ASSERT_THAT(groups, IsOk());
    ASSERT_EQ(groups->size(), 2);
    EXPECT_THAT((*groups)[0].targets, ElementsAre("a:1", "b:2"));
    EXPECT_EQ((*groups)[0].labels, (Labels{{"env", "prod"}, {"n", "1"}}));
    EXPECT_EQ((*groups)[0].source, "f.json:0");
    EXPECT_THAT((*groups)[1].targets, ElementsAre("c:3"));
    EXPECT_EQ((*groups)[1].source, "f.json:1");
  }
}

TEST(TargetFile, NothingIsNoGroups) {
  for (const char* text : {"", "[]", "null", "# only a comment\n"}) {
    const auto groups = ParseTargetFile(text, "f");
    ASSERT_THAT(groups, IsOk()) << text;
    EXPECT_TRUE(groups->empty());
  }
}

TEST(TargetFile, ErrorsNameTheLine) {
  struct Row {
    const char* text;
    const char* error;
  };
  for (const Row& row : std::vector<Row>{
           {"{\"targets\": []}", "list of target groups"},
           {"- 1", "must be a mapping"},
           {"- targets: a:1", "targets must be a list"},
           {"- targets: [{a: b}]", "a target must be a string"},
           {"- targets: [a:1]\n  lables: {}", "line 2: unknown key \"lables\""},
           {"- targets: [a:1]\n  labels: [x]", "line 2: labels must be a mapping"},
           {"- targets: [a:1]\n  labels:\n    1a: x", "line 3: \"1a\" is not a valid label name"},
           {"- targets: [a:1]\n  labels: {a: [x]}", "the value of label a"},
           {"[{\"targets\": [\"a:1\"", "line"},  // cut off while it was written
       }) {
    EXPECT_THAT(ParseTargetFile(row.text, "f"),
                StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(row.error)));
  }
}

}  // namespace
}  // namespace ampari
