#include "common/relabel/regex.h"

#include "gtest/gtest.h"

namespace ampari {
namespace {

TEST(RelabelRegexTest, RewritesOnlyNamedGroups) {
  const struct {
    const char* from;
    const char* to;
  } rows[] = {
      {"", ""},
      {"(?<a>x)", "(?P<a>x)"},
      {"(?P<a>x)(?<b>y)", "(?P<a>x)(?P<b>y)"},
      {"((?<a>x))", "((?P<a>x))"},
      {R"(\(?<a>)", R"(\(?<a>)"},
      {R"(\\(?<a>x))", R"(\\(?P<a>x))"},
      {"[(?<a>]", "[(?<a>]"},
      {"[](?<a>](?<b>y)", "[](?<a>](?P<b>y)"},
      {"[^](?<a>](?<b>y)", "[^](?<a>](?P<b>y)"},
      {"[[:alpha:](?<a>](?<b>y)", "[[:alpha:](?<a>](?P<b>y)"},
      {R"([\](?<a>](?<b>y))", R"([\](?<a>](?P<b>y))"},
      {R"(\Q(?<a>\E(?<b>y))", R"(\Q(?<a>\E(?P<b>y))"},
      {R"(\Q(?<a>)", R"(\Q(?<a>)"},
      {"(?<=a)", "(?<=a)"},
      {"(?<!a)", "(?<!a)"},
      {"[", "["},
      {"\\", "\\"},
  };
  for (const auto& row : rows) EXPECT_EQ(RewriteNamedGroups(row.from), row.to);
}

TEST(RelabelRegexTest, AnExpressionTooLargeIsRefused) {
  EXPECT_FALSE(CompileRelabelRegex("((a{100}){100}){100}").ok());
  EXPECT_TRUE(CompileRelabelRegex("a{100}").ok());
}

}  // namespace
}  // namespace ampari
