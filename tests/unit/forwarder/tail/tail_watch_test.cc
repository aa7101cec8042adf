// What the kernel tells of directories, and what it does not.
#include "forwarder/tail/tail_watch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "tests/support/temp_dir.h"

namespace ampari {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::IsEmpty;

void Make(const std::string& path) { std::ofstream{path}; }

class TailWatchTest : public testing::Test {
 protected:
  std::string Directory(const std::string& name) {
    const std::string path = directory_.File(name);
    fs::create_directories(path);
    return path;
  }
  // Watches that this process has.
  static size_t KernelWatches() {
    size_t watches = 0;
    for (const auto& entry : fs::directory_iterator("/proc/self/fdinfo")) {
      std::ifstream info(entry.path());
      for (std::string line; std::getline(info, line);) watches += line.starts_with("inotify ");
    }
    return watches;
  }
  // More events than the kernel keeps for one watcher.
  static void Overflow(const std::string& directory) {
    std::ifstream limit("/proc/sys/fs/inotify/max_queued_events");
    size_t most = 16384;
    limit >> most;
    const std::string file = directory + "/flood";
    for (size_t i = 0; i <= most / 2; ++i) {
      Make(file);
      fs::remove(file);
    }
  }

  TempDir directory_;
  TailWatch watch_;
  bool all_ = false;
};

TEST_F(TailWatchTest, TellsInWhichDirectoryANameChanged) {
  const std::string a = Directory("a"), b = Directory("b");
  watch_.Watch({a, b});
  EXPECT_THAT(watch_.TakeChanged(&all_), IsEmpty());
  Make(b + "/0.log");
  EXPECT_THAT(watch_.TakeChanged(&all_), ElementsAre(b));
  watch_.Watch({a});
  Make(b + "/1.log");
  Make(a + "/1.log");
  EXPECT_THAT(watch_.TakeChanged(&all_), ElementsAre(a));
  EXPECT_FALSE(all_);
}

TEST_F(TailWatchTest, ADirectoryThatIsMadeAnewIsWatchedAnew) {
  const std::string a = Directory("a");
  watch_.Watch({a});
  fs::remove(a);
  EXPECT_THAT(watch_.TakeChanged(&all_), ElementsAre(a));
  EXPECT_FALSE(watch_.watches(a));
  watch_.Watch({a});
  EXPECT_EQ(watch_.unwatched(), 1);
  Directory("a");
  watch_.Watch({a});
  EXPECT_TRUE(watch_.watches(a));
  Make(a + "/0.log");
  EXPECT_THAT(watch_.TakeChanged(&all_), ElementsAre(a));
}

TEST_F(TailWatchTest, WhatHappenedWhileEventsWereLostIsMadeGood) {
  const std::string a = Directory("a"), b = Directory("b");
  watch_.Watch({a, b});
  Overflow(a);
  fs::remove(b);
  Directory("b");
  watch_.TakeChanged(&all_);
  EXPECT_TRUE(all_);
  watch_.Watch({a, b});
  Make(b + "/0.log");
  EXPECT_THAT(watch_.TakeChanged(&all_), ElementsAre(b));
  EXPECT_FALSE(all_);
}

TEST_F(TailWatchTest, ADirectoryThatIsRenamedIsWatchedNoLonger) {
  const std::string a = Directory("a");
  watch_.Watch({a});
  fs::rename(a, directory_.File("b"));
  EXPECT_THAT(watch_.TakeChanged(&all_), ElementsAre(a));
  EXPECT_FALSE(watch_.watches(a));
  EXPECT_EQ(KernelWatches(), 0);
}

// As when a file system is mounted over it: nothing is told.
TEST_F(TailWatchTest, APathThatLeadsToAnotherDirectoryIsWatchedThere) {
  const std::string a = Directory("real/a"), other = Directory("other/a");
  const std::string path = directory_.File("link/a");
  fs::create_directory_symlink(directory_.File("real"), directory_.File("link"));
  watch_.Watch({path});
  fs::remove(directory_.File("link"));
  fs::create_directory_symlink(directory_.File("other"), directory_.File("link"));
  watch_.Watch({path});
  Make(other + "/0.log");
  EXPECT_THAT(watch_.TakeChanged(&all_), ElementsAre(path));
  Make(a + "/0.log");
  EXPECT_THAT(watch_.TakeChanged(&all_), IsEmpty());
}

}  // namespace
}  // namespace ampari
