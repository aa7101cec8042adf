// Files that begin alike, and files that became shorter than the gateway's position: which of them
// is which, and where it begins.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "absl/strings/str_cat.h"
#include "forwarder/tail/directory_follower.h"
#include "tests/unit/forwarder/tail/tail_test.h"

namespace ampari {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

class TailGenerations : public TailTest {
 protected:
  void Compress(const std::string& path) {
    WriteGz(path + ".gz", ReadWhole(path));
    fs::remove(path);
  }
  // The forwarder is away while the file becomes as long as that.
  void CutWhileAway(uintmax_t size) {
    bed_.Kill();
    fs::resize_file(log_, size);
  }
  std::string KeyOf(std::string_view head, uint32_t generation) const {
    return std::string(MakeFileKey(kPod, "app", head, generation).view());
  }
};

TEST_F(TailGenerations, ALaterOneIsKnownByItsCompressedNameToo) {
  Begin();
  AppendFile(log_, "starting\none\n");
  bed_.Run(2 * kSecond);
  fs::resize_file(log_, 0);
  AppendFile(log_, "starting\n2\n");
  bed_.Run(20 * kSecond);
  bed_.Kill();
  Begin();
  bed_.Run(2 * kSecond);
  fs::rename(log_, Rotated(1));
  AppendFile(log_, "other\n");
  bed_.Run(3 * kSecond);
  Compress(Rotated(1));
  bed_.Run(3 * kSecond);
  EXPECT_THAT(bed_.texts(), ElementsAre("starting", "one", "starting", "2", "other"));
}

TEST_F(TailGenerations, ANewOneTakesNoPositionThatIsLeftFromAnother) {
  Begin();
  AppendFile(log_, "starting\none\n");
  bed_.Run(2 * kSecond);
  bed_.Kill();
  bed_.gateway.Move(KeyOf("starting", 1), {9, 9});  // of a file that went while nobody looked
  Begin();
  bed_.Run(2 * kSecond);
  fs::rename(log_, Rotated(1));
  AppendFile(log_, "starting\ntwo\n");
  bed_.Run(5 * kSecond);
  EXPECT_THAT(bed_.texts(), ElementsAre("starting", "one", "starting", "two"));
}

TEST_F(TailGenerations, AnInodeThatIsUsedAgainIsAnotherOne) {
  Begin();
  AppendFile(log_, "starting\none\n");
  bed_.Run(2 * kSecond);
  fs::rename(log_, Rotated(1));
  AppendFile(log_, "next\n");
  bed_.Run(5 * kSecond);  // the first is done and closed
  fs::rename(log_, Rotated(2));
  fs::rename(Rotated(1), log_);
  fs::resize_file(log_, 0);  // stands for: removed, and its inode given to a new file
  AppendFile(log_, "starting\n2\n");
  bed_.Run(5 * kSecond);
  EXPECT_THAT(bed_.texts(), ElementsAre("starting", "one", "next", "starting", "2"));
}

TEST_F(TailGenerations, WithoutTimesAShorterFileIsAnotherOne) {
  Begin();
  AppendFile(log_, "starting\nthe first one\n");
  bed_.Run(2 * kSecond);
  CutWhileAway(0);
  AppendFile(log_, "starting\n2\n");
  Begin();
  bed_.Run(20 * kSecond);
  EXPECT_THAT(bed_.texts(), ElementsAre("starting", "the first one", "starting", "2"));
  EXPECT_EQ(bed_.status().truncations_total, 1);
  EXPECT_THAT(bed_.gateway.positions, SizeIs(1)) << "the position of what is gone is retired";
  bed_.Kill();
  AppendFile(log_, "and grows beyond what the first one was\n");
  Begin();
  bed_.Run(2 * kSecond);
  EXPECT_THAT(bed_.texts(), SizeIs(5));
}

TEST_F(TailGenerations, AForwarderThatDiesMeanwhileKnowsTheShorterOneAgain) {
  Begin();
  AppendFile(log_, "starting\nthe first one\n");
  bed_.Run(2 * kSecond);
  CutWhileAway(0);
  AppendFile(log_, "starting\n2\n");
  Begin();
  bed_.Run(4 * kSecond);
  ASSERT_THAT(bed_.gateway.positions, SizeIs(2)) << "not retired yet";
  bed_.Kill();
  AppendFile(log_, "3\n");
  Begin();
  bed_.Run(2 * kSecond);
  EXPECT_THAT(bed_.texts(), ElementsAre("starting", "the first one", "starting", "2", "3"));
  EXPECT_THAT(bed_.gateway.positions, SizeIs(1));
}

// What its lines begin with was read; what was written since the cut cannot be told from it.
TEST_F(TailGenerations, WithTimesAShorterFileWasCutAndIsReadOnFromItsEnd) {
  Begin();
  Write("1");
  const uintmax_t one = fs::file_size(log_);
  Write("2");
  Write("3");
  bed_.Run(2 * kSecond);
  CutWhileAway(one + 10);
  Begin();
  bed_.Run(20 * kSecond);
  EXPECT_THAT(bed_.texts(), ElementsAre("1", "2", "3"));
  EXPECT_EQ(bed_.status().truncations_total, 1);
  ASSERT_THAT(bed_.status().files, SizeIs(1));
  EXPECT_THAT(bed_.status().files[0].error, testing::HasSubstr("shorter"));
  fs::resize_file(log_, one);
  Write("4");
  bed_.Run(2 * kSecond);
  bed_.Kill();
  Write("5");
  Begin();
  bed_.Run(2 * kSecond);
  EXPECT_THAT(bed_.texts(), ElementsAre("1", "2", "3", "4", "5"));
  EXPECT_THAT(bed_.gateway.positions, SizeIs(1));
}

TEST_F(TailGenerations, WithTimesAFileThatIsCutUnderOurHandsIsNotReadTwice) {
  Begin();
  Write("1");
  const uintmax_t one = fs::file_size(log_);
  Write("2");
  bed_.Run(2 * kSecond);
  fs::resize_file(log_, one);
  bed_.Run(5 * kSecond);
  Write("3");
  bed_.Run(5 * kSecond);
  EXPECT_THAT(bed_.texts(), ElementsAre("1", "2", "3"));
}

// As copytruncate leaves it when lines come between the copy and the emptying.
TEST_F(TailGenerations, ACopyThatLacksWhatWasReadIsDone) {
  Begin();
  Write("1");
  bed_.Run(2 * kSecond);
  fs::copy_file(log_, log_ + ".1");
  Write("2");
  bed_.Run(2 * kSecond);
  CutWhileAway(0);
  Write("3");
  Begin();
  bed_.Run(5 * kSecond);
  EXPECT_THAT(bed_.texts(), ElementsAre("1", "2", "3"));
  EXPECT_EQ(bed_.status().truncations_total, 0);
  EXPECT_EQ(bed_.status().rotated_unread_bytes_total, 0);
}

TEST_F(TailGenerations, TheFileThatIsWrittenIsReadAndNotItsCopy) {
  Write("1");
  fs::copy_file(log_, log_ + ".1");
  Begin();
  bed_.Run(2 * kSecond);
  Write("2");
  bed_.Run(2 * kSecond);
  EXPECT_THAT(bed_.texts(), ElementsAre("1", "2"));
  EXPECT_EQ(bed_.status().files_open, 1);
}

// The gateway was not told of the gzip, as it is skipped again by the same rule.
TEST_F(TailGenerations, ASkippedGzipThatIsUnpackedAndGrowsIsReadOn) {
  bed_.producer_age = absl::ZeroDuration();
  const std::string old = bed_.Cri("old");
  WriteGz(Rotated(1) + ".gz", old);
  bed_.clock.Advance(absl::Hours(3));
  Begin();
  bed_.Run(2 * kSecond);
  EXPECT_EQ(bed_.status().skipped_bytes_total, old.size());
  AppendFile(Rotated(1), old + bed_.Cri("that it had all the time"));
  fs::remove(Rotated(1) + ".gz");
  bed_.Run(2 * kSecond);
  EXPECT_EQ(bed_.status().skipped_bytes_total, fs::file_size(Rotated(1)));
  AppendFile(Rotated(1), bed_.Cri("new"));
  bed_.Run(40 * kSecond);
  EXPECT_THAT(bed_.texts(), ElementsAre("new"));
}

class OutOfFiles : public TailGenerations {
 protected:
  OutOfFiles() {
    scope_.now = bed_.clock.Monotonic();
    scope_.wall = bed_.clock.Now();
    scope_.flush_bytes = size_t{1} << 20;
    scope_.book.TakeOver({1, true, {}, absl::ZeroDuration()}, scope_.wall);
    LogTarget target;
    target.job = std::make_shared<LogJob>();
    target.path = directory_ + "/*.log";
    follower_.SetClaims({{*TailTarget::Make(std::move(target), &past_), "*.log"}});
  }
  ~OutOfFiles() override { scope_.flush.Drop(); }
  void LookAndRead() {
    follower_.Look(true);
    while (follower_.Turn() == TurnEnd::kMore) {
    }
    scope_.now += 2 * kSecond;
  }
  // How many more files may be opened.
  void Leave(size_t files) { scope_.open_files = TailScope::kMaxOpenFiles - files; }

  TailScope scope_;
  PlanCounts past_;
  DirectoryFollower follower_{{bed_.root(), absl::StrCat(kPod, "/app")}, bed_.links, &scope_};
};

TEST_F(OutOfFiles, WhatWasThereAtTheStartIsOldAlsoWhenItIsOpenedLater) {
  AppendFile(Rotated(1), bed_.Cri("1"));
  AppendFile(Rotated(2), bed_.Cri("2"));
  scope_.wall += absl::Hours(5);
  scope_.book.TakeOver({2, true, {}, absl::ZeroDuration()}, scope_.wall);
  Leave(1);
  LookAndRead();
  Leave(2);
  LookAndRead();
  LookAndRead();
  EXPECT_EQ(scope_.totals.skipped_bytes, fs::file_size(Rotated(1)) + fs::file_size(Rotated(2)));
  EXPECT_EQ(scope_.flush.collector().lines(), 0);
}

// A file that is closed meanwhile leaves room for a later one, which must not go first.
TEST_F(OutOfFiles, NothingIsOpenedInFrontOfWhatCouldNotBe) {
  AppendFile(Rotated(3), bed_.Cri("3"));
  Leave(1);
  LookAndRead();
  AppendFile(Rotated(2), bed_.Cri("2"));
  fs::resize_file(Rotated(3), 0);
  AppendFile(Rotated(3), bed_.Cri("4"));
  LookAndRead();
  std::vector<std::string> open;
  for (const auto& file : follower_.sequences().begin()->second.files->files()) {
    if (file->source) open.push_back(file->where.full());
  }
  EXPECT_THAT(open, ElementsAre(Rotated(2))) << "in the place of the other, which was closed";
}

}  // namespace
}  // namespace ampari
