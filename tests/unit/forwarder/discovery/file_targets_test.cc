#include "forwarder/discovery/file_targets.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <string>
#include <vector>

#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"

namespace ampari {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class Files : public ::testing::Test {
 protected:
  std::vector<std::string> Addresses() const {
    std::vector<std::string> all;
    for (const TargetGroup& group : source_.groups()) {
      all.insert(all.end(), group.targets.begin(), group.targets.end());
    }
    return all;
  }

  TempDir dir_;
  FileTargets source_{{{dir_.File("*.json"), dir_.File("one.yml")}, absl::Minutes(5)}};
};

TEST_F(Files, GlobsAreReadInTheOrderOfNamesWithTheirPath) {
  EXPECT_FALSE(source_.Refresh());
  dir_.Write("b.json", R"([{"targets": ["b:1"]}])");
  dir_.Write("a.json", R"([{"targets": ["a:1"], "labels": {"x": "y"}}])");
  dir_.Write("one.yml", "- targets: [c:1]");
  dir_.Write("two.yml", "- targets: [not:listed]");
  EXPECT_TRUE(source_.Refresh());
  EXPECT_THAT(Addresses(), ElementsAre("a:1", "b:1", "c:1"));
  EXPECT_EQ(source_.groups()[0].labels,
            (Labels{{"__meta_filepath", dir_.File("a.json")}, {"x", "y"}}));
  EXPECT_FALSE(source_.Refresh());
}

TEST_F(Files, BrokenContentLeavesTheLastGoodOneWithItsError) {
  dir_.Write("a.json", R"([{"targets": ["a:1"]}])");
  source_.Refresh();
  dir_.Write("a.json", R"([{"targets": ["a:1", "b:)");
  EXPECT_FALSE(source_.Refresh());
  EXPECT_THAT(Addresses(), ElementsAre("a:1"));
  ASSERT_EQ(source_.files().size(), 1);
  EXPECT_THAT(source_.files()[0].error, HasSubstr("line"));
  EXPECT_EQ(source_.files()[0].targets, 1);
  dir_.Write("a.json", R"([{"targets": ["a:1", "b:2"]}])");
  EXPECT_TRUE(source_.Refresh());
  EXPECT_THAT(Addresses(), ElementsAre("a:1", "b:2"));
  EXPECT_EQ(source_.files()[0].error, "");
}

TEST_F(Files, AFileThatIsGoneTakesItsTargetsAlong) {
  dir_.Write("a.json", R"([{"targets": ["a:1"]}])");
  source_.Refresh();
  std::filesystem::remove(dir_.File("a.json"));
  EXPECT_TRUE(source_.Refresh());
  EXPECT_THAT(Addresses(), IsEmpty());
  EXPECT_THAT(source_.files(), IsEmpty());
}

TEST_F(Files, ADirectoryIsNoFile) {
  std::filesystem::create_directory(dir_.File("d.json"));
  EXPECT_FALSE(source_.Refresh());
  ASSERT_EQ(source_.files().size(), 1);
  EXPECT_NE(source_.files()[0].error, "");
}

TEST_F(Files, SwappedSymlinksOfAConfigMapAreSeen) {
  std::filesystem::create_directory(dir_.File("v1"));
  std::filesystem::create_directory(dir_.File("v2"));
  dir_.Write("v1/t.json", R"([{"targets": ["a:1"]}])");
  dir_.Write("v2/t.json", R"([{"targets": ["b:1"]}])");
  std::filesystem::create_symlink("v1", dir_.File("..data"));
  std::filesystem::create_symlink("..data/t.json", dir_.File("t.json"));
  EXPECT_TRUE(source_.Refresh());
  EXPECT_THAT(Addresses(), ElementsAre("a:1"));
  std::filesystem::create_symlink("v2", dir_.File("..data_tmp"));
  std::filesystem::rename(dir_.File("..data_tmp"), dir_.File("..data"));
  EXPECT_TRUE(source_.Refresh());
  EXPECT_THAT(Addresses(), ElementsAre("b:1"));
}

TEST_F(Files, DirectoriesToWatch) {
  EXPECT_THAT(source_.directories(), ElementsAre(dir_.path()));
  EXPECT_THAT(FileTargets({{"t.json", "/x.yml", "a/b/*.yaml"}, absl::Minutes(1)}).directories(),
              ElementsAre(".", "/", "a/b"));
}

}  // namespace
}  // namespace ampari
