#include "common/runtime/small_file.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"

namespace ampari {
namespace {

using ::testing::HasSubstr;

TEST(SmallFile, ReadsWholeFilesUpToTheBound) {
  const TempDir dir;
  for (const size_t size : {size_t{0}, size_t{1}, size_t{16384}, size_t{40000}}) {
    const std::string bytes(size, 'x');
    const auto file = ReadSmallFile(dir.Write("file", bytes), 40000);
    ASSERT_TRUE(file.ok()) << file.status();
    EXPECT_EQ(file->bytes, bytes);
  }
  EXPECT_THAT(ReadSmallFile(dir.Write("huge", std::string(40001, 'x')), 40000),
              StatusIs(absl::StatusCode::kResourceExhausted, HasSubstr("huge")));
  EXPECT_THAT(ReadSmallFile(dir.File("none")),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("none")));
  EXPECT_THAT(ReadSmallFile(dir.path()),
              StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("not a regular file")));
}

TEST(SmallFile, IsReadAgainOnlyWhenItChanged) {
  const TempDir dir;
  const std::string path = dir.Write("file", "one");
  SmallFile file;
  const auto refresh = [&] { return RefreshSmallFile(path, &file); };
  EXPECT_EQ(*refresh(), true);
  EXPECT_EQ(file.bytes, "one");
  EXPECT_EQ(*refresh(), false);
  std::filesystem::rename(dir.Write("next", "two"), path);  // same size, another inode
  EXPECT_EQ(*refresh(), true);
  EXPECT_EQ(file.bytes, "two");
  std::filesystem::remove(path);
  EXPECT_FALSE(refresh().ok());
  EXPECT_EQ(file.bytes, "two") << "an error changes nothing";
}

}  // namespace
}  // namespace ampari
