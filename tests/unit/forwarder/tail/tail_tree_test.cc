// What the tree may look like: runtimes' links, and hostile things that are refused, by name and
// counted.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "forwarder/tail/directory_finder.h"
#include "forwarder/tail/open_beneath.h"
#include "tests/unit/forwarder/tail/tail_test.h"

namespace ampari {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;
using testing::UnorderedElementsAre;

class TailTree : public TailTest {
 protected:
  std::string Docker(const std::string& id) {
    const std::string directory = absl::StrCat(bed_.links.files.front(), "/", id);
    fs::create_directories(directory);
    return absl::StrCat(directory, "/", id, "-json.log");
  }
  std::string Json(std::string_view text) {
    return absl::StrCat("{\"log\":\"", std::string(text),
                        "\\n\",\"stream\":\"stdout\",\"time\":\"2023-11-14T22:13:20.0000000",
                        10 + ++lines_, "Z\"}\n");
  }
  // path -> why, of what is not read.
  std::map<std::string, std::string> Errors() const {
    std::map<std::string, std::string> errors;
    for (const LogFileStatus& file : bed_.status().files) {
      if (!file.error.empty()) errors[fs::path(file.path).filename().string()] = file.error;
    }
    return errors;
  }

  int lines_ = 0;
};

TEST_F(TailTree, DockersLinksAreFollowedWithWhatRotationLeft) {
  const std::string file = Docker("c0ffee");
  AppendFile(file, Json("1"));
  fs::create_symlink(file, directory_ + "/0.log");
  bed_.Start("*/app/*.log");
  bed_.Run(2 * kSecond);
  EXPECT_THAT(bed_.texts(), ElementsAre("1"));
  bed_.Kill();
  AppendFile(file, Json("2"));
  fs::rename(file, file + ".1");
  AppendFile(file, Json("3"));
  bed_.Start("*/app/*.log");
  bed_.Run(kSecond);
  fs::rename(file, file + ".2");
  AppendFile(file, Json("4"));
  const std::string next = Docker("decaf");
  AppendFile(next, Json("5"));
  fs::create_symlink(next, directory_ + "/1.log");
  bed_.Run(4 * kSecond);
  EXPECT_THAT(bed_.texts(), ElementsAre("1", "2", "3", "4", "5"));
  EXPECT_THAT(Errors(), IsEmpty());
}

// What a listing lacks counts as gone, so it must not lack what could not be looked for.
TEST_F(TailTree, WithoutFreeDescriptorsNothingIsListedByHalves) {
  const std::string file = Docker("c0ffee");
  AppendFile(file, Json("1"));
  fs::create_symlink(file, directory_ + "/0.log");
  const RootedPath directory{bed_.root(), absl::StrCat(kPod, "/app")};
  const auto any = [](std::string_view) { return true; };
  rlimit before = {};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  const int next = ::dup(STDIN_FILENO);
  ::close(next);
  for (int free = 0; free < 8; ++free) {
    rlimit few = before;
    few.rlim_cur = static_cast<rlim_t>(next + free);
    ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &few), 0);
    const auto listing = ListLogs(directory, any, bed_.links);
    ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
    EXPECT_TRUE(listing.ok() ? listing->logs.size() == 1
                             : absl::IsResourceExhausted(listing.status()))
        << free << " descriptors: " << listing.status();
  }
}

TEST_F(TailTree, LinksToPodsLogsMeanThoseLogs) {
  const std::string links = fs::path(bed_.root()).parent_path() / "containers";
  fs::create_directories(links);
  AppendFile(directory_ + "/0.log", bed_.Cri("1"));
  fs::create_symlink(directory_ + "/0.log", links + "/cart-1_shop_app-c0ffee.log");
  bed_.Start(links + "/*_shop_app-*.log");
  bed_.Run(2 * kSecond);
  fs::rename(directory_ + "/0.log", directory_ + "/0.log.20240501-000000");
  AppendFile(directory_ + "/0.log", bed_.Cri("2"));
  bed_.Run(3 * kSecond);
  EXPECT_THAT(bed_.texts(), ElementsAre("1", "2"));
  // The same files by the other glob are the same files.
  bed_.Kill();
  bed_.Start("*/app/*.log");
  AppendFile(directory_ + "/0.log", bed_.Cri("3"));
  bed_.Run(3 * kSecond);
  EXPECT_THAT(bed_.texts(), ElementsAre("1", "2", "3"));
}

TEST_F(TailTree, OtherLinksAndSpecialFilesAreRefused) {
  const std::string secret = fs::path(bed_.root()).parent_path() / "secret.log";
  AppendFile(secret, bed_.Cri("secret"));
  fs::create_symlink(secret, directory_ + "/outside.log");
  fs::create_symlink("../../../secret.log", directory_ + "/dots.log");
  fs::create_symlink("loop.log", directory_ + "/loop.log");
  fs::create_symlink("a.log", directory_ + "/b.log");
  fs::create_symlink("b.log", directory_ + "/a.log");
  fs::create_symlink(bed_.root(), directory_ + "/root.log");
  fs::create_directory(directory_ + "/0.log");
  ASSERT_EQ(::mkfifo((directory_ + "/fifo.log").c_str(), 0600), 0);
  const bool device =
      ::mknod((directory_ + "/null.log").c_str(), S_IFCHR | 0600, ::makedev(1, 3)) == 0;
  AppendFile(directory_ + "/good.log", bed_.Cri("good"));
  bed_.Start("*/app/*.log");
  bed_.Run(5 * kSecond);
  EXPECT_THAT(bed_.texts(), ElementsAre("good"));
  const auto errors = Errors();
  for (const char* link : {"outside.log", "dots.log", "root.log"}) {
    EXPECT_TRUE(errors.contains(link)) << link;
  }
  for (const char* special : {"0.log", "fifo.log"}) {
    EXPECT_EQ(errors.at(special), "not a regular file") << special;
  }
  EXPECT_EQ(bed_.status().refused_files_total, device ? 6 : 5);
  EXPECT_LE(bed_.status().files_open, 1);
}

TEST_F(TailTree, LinkedDirectoriesAreNotEntered) {
  const std::string elsewhere = fs::path(bed_.root()).parent_path() / "elsewhere";
  fs::create_directories(elsewhere + "/app");
  AppendFile(elsewhere + "/app/0.log", bed_.Cri("secret"));
  fs::create_directory_symlink(elsewhere, bed_.root() + "/shop_evil_2");
  fs::create_directory_symlink(elsewhere + "/app", absl::StrCat(bed_.root(), "/", kPod, "/evil"));
  bed_.Start("*/*/*.log");
  bed_.Apply({"*/*/*.log", absl::StrCat(kPod, "/evil/*.log"), "**/*.log", "shop_evil_2/app/0.log"});
  bed_.Run(3 * kSecond);
  EXPECT_THAT(bed_.texts(), IsEmpty());
}

TEST_F(TailTree, GlobsFindWhatAppearsLater) {
  bed_.Start("*1111/{app,side[0-9]}/*.log");
  bed_.Run(kSecond);
  AppendFile(directory_ + "/0.log", bed_.Cri("app"));
  bed_.Run(absl::Milliseconds(300));
  AppendFile(bed_.Container(kPod, "side1") + "/0.log", bed_.Cri("side"));
  AppendFile(bed_.Container(kPod, "other") + "/0.log", bed_.Cri("other"));
  bed_.Run(absl::Milliseconds(300));
  AppendFile(bed_.Container("shop_new_21111", "app") + "/0.log", bed_.Cri("new"));
  bed_.Run(2 * kSecond);
  EXPECT_THAT(bed_.texts(), ElementsAre("app", "side", "new"));
}

TEST_F(TailTree, TooManyDirectoriesOfAGlobAreNoted) {
  std::string deep = bed_.root();
  for (int i = 0; i < 15; ++i) deep += "/d";
  fs::create_directories(deep);
  DirectoryFinder finder(bed_.links.pods);
  EXPECT_THAT(finder.Find((*PathGlob::Parse(bed_.root() + "/**/*.log"))[0]), testing::SizeIs(18));
  EXPECT_FALSE(finder.cut());
  finder.Find((*PathGlob::Parse(bed_.root() + "/**/**/**/**/**/**/*.log"))[0]);
  EXPECT_TRUE(finder.cut());
}

TEST_F(TailTree, StarsThatMeetNothingEnd) {
  std::string deep = bed_.root();
  for (int i = 0; i < 40; ++i) deep += "/d";
  fs::create_directories(deep);
  std::string pattern = bed_.root();
  for (int i = 0; i < 15; ++i) pattern += "/**/*";
  DirectoryFinder finder(bed_.links.pods);
  EXPECT_THAT(finder.Find((*PathGlob::Parse(pattern + "/e*/*.log"))[0]), IsEmpty());
  EXPECT_TRUE(finder.cut());
}

TEST_F(TailTree, ARootThatIsNotThereIsNamed) {
  const std::string away = fs::path(bed_.root()).parent_path() / "away";
  bed_.Start(away + "/*/app/*.log");
  bed_.Run(kSecond);
  EXPECT_TRUE(Errors().contains("away"));
  fs::create_directories(away + "/x/app");
  AppendFile(away + "/x/app/0.log", bed_.Cri("1"));
  bed_.Run(absl::Minutes(1));
  EXPECT_THAT(bed_.texts(), ElementsAre("1"));
  EXPECT_THAT(Errors(), IsEmpty());
}

TEST_F(TailTree, AWriteLeaseHoldsNobodyUp) {
  ::signal(SIGIO, SIG_IGN);  // the kernel tells the holder so
  const std::string log = directory_ + "/0.log";
  const UniqueFd holder(::open(log.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (::fcntl(holder.get(), F_SETLEASE, F_WRLCK) != 0)
    GTEST_SKIP() << "a write lease is what is tested, and this file system grants none";
  const auto opened = OpenFileBeneath({bed_.root(), absl::StrCat(kPod, "/app/0.log")});
  EXPECT_TRUE(absl::IsUnavailable(opened.status())) << opened.status();
}

TEST_F(TailTree, ARuntimesDirectoryThatCannotBeOpenedIsNamed) {
  const std::string elsewhere = fs::path(bed_.root()).parent_path() / "elsewhere";
  fs::create_directories(elsewhere + "/c0ffee");
  fs::create_directories(bed_.links.files.front());
  const std::string linked = bed_.links.files.front() + "/linked";
  fs::create_directory_symlink(elsewhere, linked);
  fs::create_symlink(linked + "/c0ffee/c0ffee-json.log", directory_ + "/0.log");
  bed_.Start("*/app/*.log");
  bed_.Run(kSecond);
  EXPECT_TRUE(Errors().contains("c0ffee"));
}

TEST_F(TailTree, ABrokenGzipIsNamed) {
  AppendFile(directory_ + "/0.log.20240501-000001.gz", "this has never been a gzip file");
  bed_.Start("*/app/*.log");
  bed_.Run(kSecond);
  EXPECT_TRUE(Errors().contains("0.log.20240501-000001.gz"));
}

TEST_F(TailTree, StarsOverDirectories) {
  AppendFile(directory_ + "/0.log", bed_.Cri("deep"));
  AppendFile(bed_.root() + "/top.log", bed_.Cri("top"));
  bed_.Start("**/*.log");
  bed_.Run(2 * kSecond);
  EXPECT_THAT(bed_.texts(), UnorderedElementsAre("deep", "top"));
}

TEST_F(TailTree, AFileBelongsToTheFirstOfItsTargets) {
  AppendFile(directory_ + "/0.log", bed_.Cri("1"));
  bed_.Start("*/app/*.log");
  bed_.Apply({"*/app/*.log", "*/*/0.log"});
  bed_.Run(2 * kSecond);
  EXPECT_THAT(bed_.texts(), SizeIs(1));
}

TEST_F(TailTree, CopiesOfOneFileInLikeNamedDirectoriesAreOneFile) {
  const std::string line = bed_.Cri("1");
  AppendFile(directory_ + "/0.log", line);
  const std::string copy = absl::StrCat(bed_.root(), "/x/", kPod, "/app");
  fs::create_directories(copy);
  AppendFile(copy + "/0.log", line);
  bed_.Start("**/app/*.log");
  bed_.Run(2 * kSecond);
  EXPECT_THAT(bed_.texts(), SizeIs(1));
  EXPECT_EQ(bed_.status().refused_files_total, 1);
}

TEST_F(TailTree, ARootThatIsAwayForgetsNothing) {
  AppendFile(directory_ + "/0.log", bed_.Cri("1"));
  bed_.Start("*/app/*.log");
  bed_.Run(2 * kSecond);
  fs::rename(bed_.root(), bed_.root() + "-away");
  bed_.Run(40 * kSecond);
  fs::rename(bed_.root() + "-away", bed_.root());
  bed_.Run(40 * kSecond);
  AppendFile(directory_ + "/0.log", bed_.Cri("2"));
  bed_.Run(2 * kSecond);
  EXPECT_THAT(bed_.texts(), ElementsAre("1", "2"));
  EXPECT_THAT(bed_.gateway.retired, IsEmpty());
}

TEST_F(TailTree, ABadTargetIsNamed) {
  bed_.Start("*/app/*.log");
  bed_.Apply({"/no/../dots.log"});
  bed_.Run(kSecond);
  ASSERT_THAT(bed_.status().files, SizeIs(1));
  EXPECT_TRUE(absl::StrContains(bed_.status().files[0].error, ".."));
  bed_.Apply({"/no/../dots.log", "*/app/*.log"});
  EXPECT_EQ(bed_.status().refused_files_total, 1) << "once, however often targets change";
}

}  // namespace
}  // namespace ampari
