#include "common/config/secret.h"

#include <filesystem>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"

namespace ampari {
namespace {

using testing::HasSubstr;

TEST(SecretSourceTest, AnInlineSecretIsItself) {
  EXPECT_EQ(*SecretSource({"text\n", ""}).Get(), "text\n");
  EXPECT_EQ(*SecretSource(Secret()).Get(), "");
}

TEST(SecretSourceTest, LineBreaksAtTheEndOfAFileGo) {
  const TempDir dir;
  const struct {
    const char* content;
    const char* secret;
  } rows[] = {{"a", "a"}, {"a\n", "a"}, {"a\r\n", "a"}, {"old\nnew\n", "old\nnew"},
              {"", ""},   {"\n", ""},   {" a ", " a "}};
  int number = 0;
  for (const auto& row : rows) {
    const std::string file = dir.Write("secret" + std::to_string(number++), row.content);
    EXPECT_EQ(*SecretSource({"", file}).Get(), row.secret);
  }
}

TEST(SecretSourceTest, AReplacedFileIsReadAgain) {
  const TempDir dir;
  const std::string file = dir.Write("secret", "one");
  SecretSource source({"", file});
  EXPECT_EQ(*source.Get(), "one");
  std::filesystem::rename(dir.Write("next", "two"), file);  // same size, another inode
  EXPECT_EQ(*source.Get(), "two");
  dir.Write("secret", "longer");
  EXPECT_EQ(*source.Get(), "longer");
}

TEST(SecretSourceTest, AnUnreadableFileIsNamed) {
  const TempDir dir;
  EXPECT_THAT(SecretSource({"", dir.File("none")}).Get(),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr(dir.File("none"))));
  EXPECT_FALSE(SecretSource({"", dir.path()}).Get().ok());
  const std::string huge = dir.Write("huge", std::string(kMaxSecretBytes + 1, 'x'));
  EXPECT_THAT(SecretSource({"", huge}).Get(),
              StatusIs(absl::StatusCode::kResourceExhausted, HasSubstr("huge")));
}

TEST(SecretSourceTest, AFileThatGoesIsAnErrorUntilItIsBack) {
  const TempDir dir;
  const std::string file = dir.Write("secret", "one");
  SecretSource source({"", file});
  EXPECT_EQ(*source.Get(), "one");
  std::filesystem::remove(file);
  EXPECT_FALSE(source.Get().ok());
  dir.Write("secret", "back");
  EXPECT_EQ(*source.Get(), "back");
}

TEST(SecretEqualsTest, ComparesWhole) {
  EXPECT_TRUE(SecretEquals("abc", "abc"));
  EXPECT_TRUE(SecretEquals("", ""));
  EXPECT_FALSE(SecretEquals("abc", "abd"));
  EXPECT_FALSE(SecretEquals("ab", "abc"));
}

}  // namespace
}  // namespace ampari
