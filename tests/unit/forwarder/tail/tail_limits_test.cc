// Files that stand still, fail, flood or go while nothing can be read: nothing waits for ever, and
// nobody waits for them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "absl/strings/str_cat.h"
#include "tests/unit/forwarder/tail/tail_test.h"

namespace ampari {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

class TailLimits : public TailTest {
 protected:
  void RemovePod() {
    fs::remove_all(absl::StrCat(bed_.root(), "/", kPod));
    bed_.Apply({});
  }
  // Time in which nothing is written.
  void Pass(absl::Duration time) {
    bed_.Run(kSecond);
    bed_.clock.Advance(time);
    bed_.Run(2 * kSecond);
  }
};

TEST_F(TailLimits, APodThatWentWhileThereWasNoRoomIsHeldUntilThereIs) {
  Begin();
  Write("1");
  bed_.Run(2 * kSecond);
  bed_.gateway.room = false;
  Write("2");
  bed_.Run(2 * kSecond);
  RemovePod();
  Pass(absl::Hours(3));
  bed_.gateway.room = true;
  bed_.Run(3 * kSecond);
  EXPECT_THAT(bed_.texts(), ElementsAre("1", "2"));
}

TEST_F(TailLimits, APodThatWentBeforeTheGatewayToldAnythingIsHeld) {
  Begin();
  (void)bed_.gateway.TakeDirections();
  Write("1");
  bed_.Run(2 * kSecond);
  RemovePod();
  Pass(absl::Hours(3));
  bed_.gateway.Connect(bed_.producer_age + absl::Hours(3));
  bed_.Run(3 * kSecond);
  EXPECT_THAT(bed_.texts(), ElementsAre("1"));
}

TEST_F(TailLimits, ABusyFileLetsTheOthersOfItsDirectoryBeRead) {
  fs::create_directories(bed_.root() + "/plain");
  std::string lines;
  while (lines.size() < size_t{2} << 20) lines += bed_.Cri(std::string(1000, 'x'));
  AppendFile(bed_.root() + "/plain/busy.log", lines);
  AppendFile(bed_.root() + "/plain/other.log", bed_.Cri("other"));
  bed_.Start("plain/*.log");
  bed_.Run(10 * kSecond);
  const std::vector<std::string> texts = bed_.texts();
  const auto other = std::find(texts.begin(), texts.end(), "other");
  ASSERT_NE(other, texts.end());
  EXPECT_LT(other - texts.begin(), 500) << "of " << texts.size();
}

TEST_F(TailLimits, DeletedFilesWithoutASuccessorAreLetGoOnceTheirWriterIsQuiet) {
  fs::create_directories(bed_.root() + "/plain");
  const std::string full = bed_.root() + "/plain/2024-05-01.log";
  const std::string empty = bed_.root() + "/plain/2024-05-02.log";
  bed_.Start("plain/*.log");
  std::ofstream writer(full, std::ios::binary);
  writer << bed_.Cri("1") << std::flush;
  AppendFile(empty, "");
  bed_.Run(2 * kSecond);
  EXPECT_EQ(bed_.status().files_open, 2);
  fs::remove(full);
  fs::remove(empty);
  for (const char* text : {"2", "3", "4"}) {
    Pass(absl::Seconds(40));
    writer << bed_.Cri(text) << std::flush;
  }
  Pass(absl::Seconds(90));
  bed_.Run(15 * kSecond);
  EXPECT_THAT(bed_.texts(), ElementsAre("1", "2", "3", "4"));
  EXPECT_EQ(bed_.status().files_open, 0);
  EXPECT_THAT(bed_.status().files, IsEmpty());
  Pass(PositionBook::kKeepGone);
  EXPECT_THAT(bed_.gateway.retired, SizeIs(1));
}

TEST_F(TailLimits, APartWhoseEndDoesNotComeIsShippedAfterAMinute) {
  Begin();
  Write("begins", "P");
  Pass(absl::Seconds(50));
  EXPECT_THAT(bed_.texts(), IsEmpty());
  Pass(absl::Seconds(20));
  EXPECT_THAT(bed_.texts(), ElementsAre("begins"));
  EXPECT_EQ(bed_.status().lag_bytes, 0);
  Write("ends");
  bed_.Run(2 * kSecond);
  EXPECT_THAT(bed_.texts(), ElementsAre("begins", "ends"));
}

TEST_F(TailLimits, PartsThatKeepComingAreOneLine) {
  Begin();
  for (const char* text : {"a", "b", "c"}) {
    Write(text, "P");
    Pass(absl::Seconds(40));
  }
  Write("d");
  bed_.Run(2 * kSecond);
  EXPECT_THAT(bed_.texts(), ElementsAre("abcd"));
}

TEST_F(TailLimits, AFrameHoldsSoManyFilesAtMost) {
  constexpr size_t kFiles = TailFlush::kMaxFiles + 500;
  fs::create_directories(bed_.root() + "/plain");
  for (size_t i = 0; i < kFiles; ++i) {
    AppendFile(absl::StrCat(bed_.root(), "/plain/", i, ".log"), bed_.Cri("x"));
  }
  bed_.flush_bytes = size_t{16} << 20;
  bed_.Start("plain/*.log");
  bed_.Run(4 * kSecond);
  EXPECT_THAT(bed_.gateway.lines, SizeIs(kFiles));
  EXPECT_EQ(bed_.gateway.most_files, TailFlush::kMaxFiles);
}

// An offset that pread refuses stands for a disk that does.
TEST_F(TailLimits, AFileThatCannotBeReadHoldsUpThoseThatFollowForAMinute) {
  Begin();
  Write("1");
  bed_.Run(2 * kSecond);
  bed_.Kill();
  const std::string key = bed_.gateway.positions.begin()->first;
  bed_.gateway.Move(key, {uint64_t{1} << 63, uint64_t{1} << 63});
  fs::rename(log_, log_ + ".20240501-000001");
  Write("2");
  Begin();
  bed_.Run(10 * kSecond);
  EXPECT_THAT(bed_.texts(), ElementsAre("1"));
  Pass(absl::Minutes(1));
  EXPECT_THAT(bed_.texts(), ElementsAre("1", "2"));
  Write("3");
  bed_.Run(2 * kSecond);
  EXPECT_THAT(bed_.texts(), ElementsAre("1", "2", "3"));
}

TEST_F(TailLimits, MoreFilesThanAGatewayKeepsWaitForOthersToGo) {
  for (size_t i = 0; i < PositionBook::kMaxPositions; ++i) {
    bed_.gateway.Move(absl::StrCat(absl::Hex(i, absl::kZeroPad16)), {1, 1});
  }
  Begin();
  Write("1");
  bed_.Run(3 * kSecond);
  EXPECT_THAT(bed_.texts(), IsEmpty());
  ASSERT_THAT(bed_.status().files, SizeIs(1));
  EXPECT_THAT(bed_.status().files[0].error, testing::HasSubstr("100000"));
  Pass(absl::Hours(24));
  bed_.Run(3 * kSecond);
  EXPECT_THAT(bed_.texts(), ElementsAre("1"));
}

TEST_F(TailLimits, PositionsOfFilesThatNobodyWantsAnyMoreAreRetired) {
  Begin();
  Write("1");
  bed_.Run(2 * kSecond);
  bed_.Apply({});
  Pass(absl::Minutes(11));
  Pass(absl::Hours(24));
  EXPECT_THAT(bed_.gateway.positions, SizeIs(1)) << "it had a file within the day";
  Pass(absl::Hours(24));
  EXPECT_THAT(bed_.gateway.positions, IsEmpty());
}

TEST_F(TailLimits, ALargeDirectoryIsLookedAtLessOften) {
  for (const size_t entries : {size_t{10}, size_t{5000}}) {
    const std::string path = absl::StrCat(bed_.root(), "/", entries);
    fs::create_directories(path);
    for (size_t i = 0; i < entries; ++i) AppendFile(absl::StrCat(path, "/", i, ".core"), "");
    TailScope scope;
    DirectoryFollower follower({bed_.root(), absl::StrCat(entries)}, bed_.links, &scope);
    follower.Look(true);
    follower.LookSoon();
    EXPECT_EQ(follower.look_due(), entries < 1000) << "a change right behind a look";
    scope.now += absl::Milliseconds(200);
    EXPECT_TRUE(follower.look_due());
  }
}

TEST_F(TailLimits, EveryListingOfALookCounts) {
  for (size_t i = 0; i < 5000; ++i) AppendFile(absl::StrCat(directory_, "/", i, ".core"), "");
  Write("1");
  TailScope scope;
  DirectoryFollower follower({bed_.root(), absl::StrCat(kPod, "/app")}, bed_.links, &scope);
  LogTarget target;
  target.job = std::make_shared<LogJob>();
  target.path = log_;
  PlanCounts past;
  follower.SetClaims({{*TailTarget::Make(std::move(target), &past), "*.log"}});
  follower.Look(true);  // three listings: names are new, and then the file that is written
  follower.LookSoon();
  scope.now += absl::Milliseconds(200);
  EXPECT_FALSE(follower.look_due());
  scope.now += absl::Milliseconds(100);
  EXPECT_TRUE(follower.look_due());
}

TEST_F(TailLimits, ADirectoryThatCannotBeListedIsTriedAgainSoon) {
  fs::create_directory_symlink(absl::StrCat(bed_.root(), "/", kPod), bed_.root() + "/linked");
  TailScope scope;
  DirectoryFollower follower({bed_.root(), "linked/app"}, bed_.links, &scope);
  follower.Look(true);
  ASSERT_EQ(follower.refused().size(), 1);
  EXPECT_FALSE(follower.look_due());
  scope.now += kSecond;
  EXPECT_TRUE(follower.look_due());
}

TEST_F(TailLimits, OffsetsBeyondFourGibibytes) {
  constexpr uint64_t kHole = uint64_t{5} << 30;
  Write("1");
  fs::resize_file(log_, kHole);
  AppendFile(log_, "\n");
  bed_.producer_age = absl::ZeroDuration();
  bed_.clock.Advance(absl::Hours(2));
  bed_.Start("*/app/*.log");
  bed_.Run(2 * kSecond);
  EXPECT_EQ(bed_.status().skipped_bytes_total, kHole + 1);
  Write("2");
  bed_.Run(2 * kSecond);
  bed_.Kill();
  Write("3");
  Begin();
  bed_.Run(2 * kSecond);
  EXPECT_THAT(bed_.texts(), ElementsAre("2", "3"));
  EXPECT_EQ(bed_.gateway.positions.begin()->second.out, fs::file_size(log_));
}

TEST_F(TailLimits, WhatIsGoneUnreadIsCountedOnceHoweverOftenTheGatewayGoesBack) {
  Begin();
  const std::string first = bed_.Cri("1"), second = bed_.Cri("2"), lost = bed_.Cri("3");
  AppendFile(log_, first);
  bed_.Run(2 * kSecond);
  const LogPosition after_first = bed_.gateway.positions.begin()->second;
  const std::string key = bed_.gateway.positions.begin()->first;
  AppendFile(log_, second);
  bed_.Run(2 * kSecond);
  bed_.gateway.room = false;
  AppendFile(log_, lost);
  bed_.Run(kSecond);
  fs::resize_file(log_, 0);
  Write("4");
  bed_.gateway.room = true;
  bed_.Run(5 * kSecond);
  EXPECT_EQ(bed_.status().rotated_unread_bytes_total, lost.size());
  bed_.gateway.Move(key, after_first);
  bed_.gateway.Connect(bed_.producer_age);
  bed_.Run(5 * kSecond);
  EXPECT_EQ(bed_.status().rotated_unread_bytes_total, second.size() + lost.size());
}

}  // namespace
}  // namespace ampari
