// Expansion as Go's Regexp.Expand documents it.
#include "common/relabel/template.h"

#include <string>
#include <vector>

#include "gtest/gtest.h"

namespace ampari {
namespace {

TEST(ExpansionTemplateTest, ExpandsAsGo) {
  const re2::RE2 regex("(a)(b)?(?P<name>c)(?P<na_2>d)(5)(6)(7)(8)(9)(10)");
  const re2::StringPiece text("acd5678910");
  std::vector<re2::StringPiece> groups(11);
  ASSERT_TRUE(regex.Match(text, 0, text.size(), re2::RE2::UNANCHORED, groups.data(), 11));
  const struct {
    const char* text;
    const char* expanded;
  } rows[] = {
      {"", ""},
      {"plain", "plain"},
      {"$1", "a"},
      {"${1}", "a"},
      {"$0", "acd5678910"},
      {"$2", ""},  // did not take part
      {"$10", "10"},
      {"$11", ""},  // does not exist
      {"$01", ""},  // a leading zero makes a name of it
      {"$1x", ""},
      {"${1}x", "ax"},
      {"$1-$3", "a-c"},
      {"$name", "c"},
      {"${name}s", "cs"},
      {"$names", ""},
      {"$na_2", "d"},
      {"$nosuch.", "."},
      {"$$", "$"},
      {"$$1", "$1"},
      {"$$$1", "$a"},
      {"$", "$"},
      {"x$", "x$"},
      {"$-", "$-"},
      {"${", "${"},
      {"${}", "${}"},
      {"${1", "${1"},
      {"${1 }", "${1 }"},
      {"${na-me}", "${na-me}"},
      {"$é", ""},  // letters are Unicode's
      {"$1é", ""},
      {"$99999999999", ""},
  };
  for (const auto& row : rows)
    EXPECT_EQ(ExpansionTemplate(row.text, regex).Expand(groups), row.expanded) << row.text;
}

TEST(ExpansionTemplateTest, KnowsWhetherItRefersToGroups) {
  const re2::RE2 regex("(a)");
  EXPECT_TRUE(ExpansionTemplate("a$$b", regex).IsLiteral());
  EXPECT_TRUE(ExpansionTemplate("$", regex).IsLiteral());
  EXPECT_FALSE(ExpansionTemplate("$1", regex).IsLiteral());
  EXPECT_FALSE(ExpansionTemplate("$nosuch", regex).IsLiteral());
}

}  // namespace
}  // namespace ampari
