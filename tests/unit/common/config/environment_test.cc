#include "common/config/environment.h"

#include <stdlib.h>

#include <optional>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace ampari {
namespace {

TEST(EnvironmentTest, ExpandsNamesInBracesOnly) {
  setenv("AMPARI_TEST_A", "value", 1);
  setenv("_AMPARI_TEST_1", "", 1);
  unsetenv("AMPARI_TEST_UNSET");
  const struct {
    const char* text;
    std::optional<std::string> expanded;
  } rows[] = {
      {"", ""},
      {"plain", "plain"},
      {"${AMPARI_TEST_A}", "value"},
      {"a${AMPARI_TEST_A}b${AMPARI_TEST_A}", "avaluebvalue"},
      {"${_AMPARI_TEST_1}", ""},
      {"$$", "$"},
      {"$${AMPARI_TEST_A}", "${AMPARI_TEST_A}"},
      {"$$${AMPARI_TEST_A}", "$value"},
      {"$1", "$1"},
      {"${1}", "${1}"},
      {"$AMPARI_TEST_A", "$AMPARI_TEST_A"},
      {"cost: 5$", "cost: 5$"},
      {"${", "${"},
      {"${}", "${}"},
      {"${AMPARI_TEST_UNSET}", std::nullopt},
      {"${AMPARI_TEST_A", std::nullopt},
      {"${AMPARI_TEST_A:-x}", std::nullopt},
  };
  for (const auto& row : rows) {
    const auto expanded = ExpandEnvironment(row.text);
    ASSERT_EQ(expanded.ok(), row.expanded.has_value()) << row.text;
    if (!expanded.ok()) continue;
    EXPECT_EQ(*expanded, *row.expanded);
  }
}

TEST(EnvironmentTest, AnUnsetVariableIsNamed) {
  unsetenv("AMPARI_TEST_UNSET");
  const auto expanded = ExpandEnvironment("${AMPARI_TEST_UNSET}");
  EXPECT_THAT(std::string(expanded.status().message()),
              testing::HasSubstr("AMPARI_TEST_UNSET is not set"));
}

}  // namespace
}  // namespace ampari
