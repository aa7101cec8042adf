// Whatever happens to a container's files, each line is shipped once, in order, or its bytes are
// counted.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "absl/strings/str_cat.h"
#include "tests/unit/forwarder/tail/tail_test.h"

namespace ampari {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

class TailRotation : public TailTest {
 protected:
  // As kubelet: the rename, and the runtime's new file.
  void Rotate(int n) { fs::rename(log_, Rotated(n)); }
  void Compress(const std::string& path) {
    WriteGz(path + ".tmp", ReadWhole(path));
    fs::rename(path + ".tmp", path + ".gz");
    fs::remove(path);
  }
  void Truncate() { fs::resize_file(log_, 0); }
};

TEST_F(TailRotation, TheRenamedFileIsReadToItsEndFirst) {
  Begin();
  Write("1");
  bed_.Run(kSecond);
  const std::string late = bed_.Cri("2");
  Rotate(1);
  AppendFile(Rotated(1), late);  // the runtime has not opened the new file yet
  Write("3");
  bed_.Run(absl::Milliseconds(100));
  AppendFile(Rotated(1), bed_.Cri("2 late"));
  bed_.Run(3 * kSecond);
  EXPECT_THAT(bed_.texts(), ElementsAre("1", "2", "2 late", "3"));
  EXPECT_EQ(bed_.status().rotations_total, 1);
}

TEST_F(TailRotation, SeveralRotationsBetweenLooksPlainAndCompressed) {
  Begin();
  Write("1");
  bed_.Run(kSecond);
  Rotate(1);
  Write("2");
  Compress(Rotated(1));
  Rotate(2);
  Write("3");
  Compress(Rotated(2));
  Rotate(3);
  Write("4");
  bed_.Run(3 * kSecond);
  EXPECT_THAT(bed_.texts(), ElementsAre("1", "2", "3", "4"));
}

TEST_F(TailRotation, WhatHappenedWhileNobodyLookedIsFoundAgain) {
  Begin();
  Write("1");
  bed_.Run(2 * kSecond);
  bed_.Kill();
  Write("2");
  Rotate(1);
  Write("3");
  Compress(Rotated(1));
  Rotate(2);
  Write("4");
  Begin();
  bed_.Run(3 * kSecond);
  EXPECT_THAT(bed_.texts(), ElementsAre("1", "2", "3", "4"));
  bed_.Kill();
  Begin();
  bed_.Run(3 * kSecond);
  EXPECT_THAT(bed_.texts(), SizeIs(4)) << "what is done stays done";
}

TEST_F(TailRotation, ADeletedFileIsReadToItsEnd) {
  Begin();
  Write("1");
  bed_.Run(kSecond);
  Write("2");
  fs::remove(log_);
  Write("3");
  bed_.Run(3 * kSecond);
  EXPECT_THAT(bed_.texts(), ElementsAre("1", "2", "3"));
  bed_.Run(15 * kSecond);
  EXPECT_THAT(bed_.gateway.retired, IsEmpty()) << "it may come back";
  bed_.clock.Advance(PositionBook::kKeepGone);
  bed_.Run(kSecond);
  EXPECT_THAT(bed_.gateway.retired, SizeIs(1));
  EXPECT_THAT(bed_.gateway.positions, SizeIs(1));
}

TEST_F(TailRotation, CopyTruncateGoesOnInTheCopy) {
  Begin();
  Write("1");
  bed_.Run(kSecond);
  bed_.gateway.room = false;
  Write("2");
  bed_.Run(kSecond);
  fs::copy_file(log_, log_ + ".1");
  Truncate();
  Write("3");
  bed_.gateway.room = true;
  bed_.Run(3 * kSecond);
  EXPECT_THAT(bed_.texts(), ElementsAre("1", "2", "3"));
  EXPECT_EQ(bed_.status().truncations_total, 1);
  EXPECT_EQ(bed_.status().rotated_unread_bytes_total, 0);
}

TEST_F(TailRotation, TruncatedBytesThatWereUnreadAreCounted) {
  Begin();
  Write("1");
  bed_.Run(2 * kSecond);
  bed_.gateway.room = false;
  const std::string lost = bed_.Cri("2") + bed_.Cri("3");
  AppendFile(log_, lost);
  bed_.Run(kSecond);
  Truncate();
  Write("4");
  bed_.gateway.room = true;
  bed_.Run(5 * kSecond);
  EXPECT_THAT(bed_.texts(), ElementsAre("1", "4"));
  EXPECT_EQ(bed_.status().rotated_unread_bytes_total, lost.size());
}

TEST_F(TailRotation, WhatTheCopyLacksIsCounted) {
  Begin();
  Write("1");
  bed_.Run(2 * kSecond);
  bed_.gateway.room = false;
  Write("2");
  fs::copy_file(log_, log_ + ".1");
  const std::string lost = bed_.Cri("written between copy and truncate");
  AppendFile(log_, lost);
  bed_.Run(kSecond);
  Truncate();
  Write("3");
  bed_.gateway.room = true;
  bed_.Run(5 * kSecond);
  EXPECT_THAT(bed_.texts(), ElementsAre("1", "2", "3"));
  EXPECT_EQ(bed_.status().rotated_unread_bytes_total, lost.size());
}

TEST_F(TailRotation, TruncatedAndGrownBeyondItsOldSizeBetweenLooks) {
  Begin();
  Write("1");
  bed_.Run(2 * kSecond);
  Truncate();
  Write("2");
  Write("a longer one than there was before");
  bed_.Run(5 * kSecond);
  EXPECT_THAT(bed_.texts(), ElementsAre("1", "2", "a longer one than there was before"));
}

TEST_F(TailRotation, AnInodeThatIsUsedAgainIsAnotherFile) {
  Begin();
  Write("1");
  bed_.Run(2 * kSecond);
  bed_.Kill();
  fs::remove(log_);
  Write("2");  // most file systems give the same inode
  Begin();
  bed_.Run(3 * kSecond);
  EXPECT_THAT(bed_.texts(), ElementsAre("1", "2"));
}

TEST_F(TailRotation, ALineThatTheRotationCutIsFlushed) {
  Begin();
  AppendFile(log_, bed_.Cri("part", "stdout", "P"));
  bed_.Run(2 * kSecond);
  EXPECT_THAT(bed_.texts(), IsEmpty());
  Rotate(1);
  Write("next");
  bed_.Run(3 * kSecond);
  EXPECT_THAT(bed_.texts(), ElementsAre("part", "next"));
  bed_.Kill();
  Begin();
  bed_.Run(3 * kSecond);
  EXPECT_THAT(bed_.texts(), SizeIs(2));
}

TEST_F(TailRotation, ARestartedContainersLogComesBehindTheOneBefore) {
  Begin();
  AppendFile(log_, bed_.Cri("crash", "stderr", "P"));
  bed_.Run(kSecond);
  AppendFile(directory_ + "/1.log", bed_.Cri("again"));
  bed_.Run(3 * kSecond);
  EXPECT_THAT(bed_.texts(), ElementsAre("crash", "again"));
  EXPECT_THAT(bed_.gateway.positions, SizeIs(2));
}

TEST_F(TailRotation, APodThatIsGoneIsReadToTheEndAndItsPositionsGo) {
  Begin();
  Write("1");
  bed_.Run(kSecond);
  Write("2");
  AppendFile(log_, "2024-05-01T00:00:00.5Z stdout F without a newline");
  fs::remove_all(absl::StrCat(bed_.root(), "/", kPod));
  bed_.Apply({});
  bed_.Run(5 * kSecond);
  EXPECT_THAT(bed_.texts(), ElementsAre("1", "2", "without a newline"));
  EXPECT_EQ(bed_.status().files_open, 0);
  EXPECT_THAT(bed_.status().files, IsEmpty());
  bed_.clock.Advance(PositionBook::kKeepGone);
  bed_.Run(kSecond);
  EXPECT_THAT(bed_.gateway.positions, IsEmpty());
  EXPECT_THAT(bed_.gateway.retired, SizeIs(1));
}

TEST_F(TailRotation, AFileIsFollowedWhenItsTargetIsGone) {
  Begin();
  Write("1");
  bed_.Run(kSecond);
  bed_.Apply({});
  bed_.Run(kSecond);
  Write("2");
  bed_.Run(3 * kSecond);
  EXPECT_THAT(bed_.texts(), ElementsAre("1", "2"));
  bed_.Run(absl::Minutes(11));
  EXPECT_EQ(bed_.status().files_open, 0);
  EXPECT_THAT(bed_.gateway.positions, SizeIs(1)) << "it may come back";
}

TEST_F(TailRotation, AFileIsLeftAtOnceWhenItsJobIsGone) {
  Begin();
  Write("1");
  bed_.Run(2 * kSecond);
  bed_.engine().Apply({{}, 0, {"another job"}});
  bed_.Run(absl::Milliseconds(200));
  Write("2");
  bed_.Run(3 * kSecond);
  EXPECT_THAT(bed_.texts(), ElementsAre("1"));
  EXPECT_EQ(bed_.status().files_open, 0);
  EXPECT_THAT(bed_.gateway.retired, IsEmpty()) << "it may come back";
  bed_.Apply({"*/app/*.log"});
  bed_.Run(3 * kSecond);
  EXPECT_THAT(bed_.texts(), ElementsAre("1", "2"));
}

TEST_F(TailRotation, FilesThatWereMetEmptyAreReadInOrder) {
  Begin();
  Write("0");
  bed_.Run(2 * kSecond);
  bed_.gateway.room = false;
  for (int i = 1; i <= 5; ++i) {
    Rotate(i);
    AppendFile(log_, "");
    bed_.Step();  // it is seen empty
    Write(absl::StrCat(i));
  }
  bed_.gateway.room = true;
  bed_.Run(5 * kSecond);
  EXPECT_THAT(bed_.texts(), ElementsAre("0", "1", "2", "3", "4", "5"));
}

TEST_F(TailRotation, SeveralFilesThatGetTheirFirstLinesAtOnceAreReadInOrder) {
  Begin();
  Write("0");
  bed_.Run(2 * kSecond);
  for (int i = 1; i <= 2; ++i) {
    Rotate(i);
    AppendFile(log_, "");
    bed_.Step();  // it is seen empty
  }
  AppendFile(Rotated(2), bed_.Cri("1"));
  Write("2");
  bed_.Run(5 * kSecond);
  EXPECT_THAT(bed_.texts(), ElementsAre("0", "1", "2"));
}

TEST_F(TailRotation, ManyCompressedFilesAreReadInTurns) {
  Begin();
  bed_.Kill();
  for (int pod = 0; pod < 60; ++pod) {
    const std::string log = bed_.Container(absl::StrCat("a_b_", pod), "app") + "/0.log";
    WriteGz(log + ".1.gz", bed_.Cri("old"));
    AppendFile(log, bed_.Cri("new"));
  }
  Begin();
  bed_.Run(5 * kSecond);
  EXPECT_THAT(bed_.texts(), SizeIs(120));
  EXPECT_EQ(bed_.status().compressed_files_total, 60);
}

TEST_F(TailRotation, AReopenThatFailedRenamesBack) {
  Begin();
  Write("1");
  bed_.Run(kSecond);
  Rotate(1);
  bed_.Run(kSecond);
  AppendFile(Rotated(1), bed_.Cri("2"));
  fs::rename(Rotated(1), log_);
  Write("3");
  bed_.Run(3 * kSecond);
  EXPECT_THAT(bed_.texts(), ElementsAre("1", "2", "3"));
}

TEST_F(TailRotation, ConmonsNewFileIsRenamedOverTheName) {
  Begin();
  Write("1");
  bed_.Run(kSecond);
  Rotate(1);
  AppendFile(log_ + ".tmp", bed_.Cri("2"));
  bed_.Run(kSecond);
  fs::rename(log_ + ".tmp", log_);
  bed_.Run(3 * kSecond);
  EXPECT_THAT(bed_.texts(), ElementsAre("1", "2"));
}

TEST_F(TailRotation, AFinishedFileThatGrowsIsReadOn) {
  Begin();
  Write("1");
  bed_.Run(kSecond);
  Rotate(1);
  Write("3");
  bed_.Run(3 * kSecond);
  AppendFile(Rotated(1), bed_.Cri("much too late"));
  bed_.Run(absl::Seconds(35));
  EXPECT_THAT(bed_.texts(), ElementsAre("1", "3", "much too late"));
}

TEST_F(TailRotation, WithoutRoomFilesAreTheOverflow) {
  Begin();
  Write("0");
  bed_.Run(kSecond);
  bed_.gateway.room = false;
  for (int i = 1; i <= 6; ++i) {
    Write(absl::StrCat(i));
    bed_.Run(kSecond);
    Rotate(i);
    Write(absl::StrCat(i, "b"));
    if (i > 1) Compress(Rotated(i - 1));
    if (i > 4) fs::remove(Rotated(i - 4) + ".gz");
    bed_.Run(kSecond);
  }
  bed_.gateway.room = true;
  bed_.Run(5 * kSecond);
  EXPECT_THAT(bed_.texts(),
              ElementsAre("0", "1", "1b", "2", "2b", "3", "3b", "4", "4b", "5", "5b", "6", "6b"))
      << "deleted ones were held open";
}

TEST_F(TailRotation, ARefusalReadsAgainWhatWasDone) {
  bed_.gateway.ring_frames = 100;
  Write("1");
  Begin();
  bed_.Run(2 * kSecond);
  Write("2");
  Rotate(1);
  Write("3");
  bed_.Run(3 * kSecond);
  ASSERT_THAT(bed_.texts(), ElementsAre("1", "2", "3"));
  bed_.gateway.Connect(bed_.producer_age);
  bed_.Run(2 * kSecond);
  EXPECT_THAT(bed_.texts(), SizeIs(3)) << "nothing changed, nothing is read again";
  const size_t first_line = bed_.Cri("1").size();
  // As if the gateway had only the first line of each file.
  for (auto& [key, position] : bed_.gateway.positions) position = {first_line, first_line};
  bed_.gateway.Connect(bed_.producer_age);
  bed_.Run(3 * kSecond);
  EXPECT_THAT(bed_.texts(), ElementsAre("1", "2", "3", "2"));
  EXPECT_GE(bed_.status().rereads_total, 1);
}

TEST_F(TailRotation, PlainLinesThatBeginAlikeAreFilesOfTheirOwn) {
  Begin();
  AppendFile(log_, "starting\none\n");
  bed_.Run(2 * kSecond);
  Rotate(1);
  AppendFile(log_, "starting\ntwo\n");
  bed_.Run(3 * kSecond);
  Truncate();
  AppendFile(log_, "starting\n3\n");
  bed_.Run(5 * kSecond);
  EXPECT_THAT(bed_.texts(), ElementsAre("starting", "one", "starting", "two", "starting", "3"));
  EXPECT_EQ(bed_.status().unparsed_lines_total, 6);
}

TEST_F(TailRotation, OldFilesBeginAtTheirEndAndYoungOnesAtTheirBeginning) {
  bed_.producer_age = absl::Hours(5);
  const std::string young = bed_.Container("shop_young_2", "app") + "/0.log";
  bed_.clock.Advance(-absl::Hours(7));
  Write("old");
  Rotate(1);
  Compress(Rotated(1));
  Write("old too");
  bed_.clock.Advance(absl::Hours(2));
  AppendFile(young, bed_.Cri("young"));
  bed_.clock.Advance(absl::Hours(5));
  const uint64_t skipped = fs::file_size(log_);
  Begin();
  bed_.Run(2 * kSecond);
  EXPECT_THAT(bed_.texts(), ElementsAre("young"));
  EXPECT_GT(bed_.status().skipped_bytes_total, skipped);
  bed_.Kill();
  Write("new");
  Begin();
  bed_.Run(2 * kSecond);
  EXPECT_THAT(bed_.texts(), ElementsAre("young", "new")) << "the end was told to the gateway";
}

TEST_F(TailRotation, PlainFilesOfLaterGenerationsAreKnownAgain) {
  Begin();
  AppendFile(log_, "starting\none\n");
  bed_.Run(2 * kSecond);
  Truncate();
  AppendFile(log_, "starting\n2\n");
  bed_.Run(20 * kSecond);
  EXPECT_THAT(bed_.gateway.positions, SizeIs(1)) << "the emptied one's position is retired";
  bed_.Kill();
  AppendFile(log_, "three\n");
  Begin();
  bed_.Run(2 * kSecond);
  EXPECT_THAT(bed_.texts(), ElementsAre("starting", "one", "starting", "2", "three"));
}

TEST_F(TailRotation, AClockThatWentBackOnTheNodeHoldsNothingUp) {
  Begin();
  Write("1");
  bed_.Run(2 * kSecond);
  Rotate(1);
  bed_.clock.SetNow(bed_.clock.Now() - absl::Hours(2));
  Write("2");
  bed_.Run(2 * kSecond);
  Write("3");
  bed_.Run(2 * kSecond);
  EXPECT_THAT(bed_.texts(), ElementsAre("1", "2", "3"));
  EXPECT_EQ(bed_.status().files_open, 1) << "the renamed one is done";
}

TEST_F(TailRotation, DockersLongFirstLinesAreInOrderToo) {
  Begin();
  for (int i = 1; i <= 3; ++i) {
    if (i > 1) fs::rename(log_, log_ + "." + std::to_string(3 - i + 1));
    AppendFile(log_, absl::StrCat("{\"log\":\"", i, std::string(2000, 'x'),
                                  "\\n\",\"stream\":\"stdout\",\"time\":\"2023-11-14T22:13:2", i,
                                  "Z\"}\n"));
  }
  bed_.Run(3 * kSecond);
  ASSERT_THAT(bed_.texts(), SizeIs(3));
  for (int i = 0; i < 3; ++i) EXPECT_EQ(bed_.texts()[i][0], '1' + i);
}

TEST_F(TailRotation, AShortFileWithoutANewlineIsReadWhenItIsRotatedAway) {
  Begin();
  AppendFile(log_, "2023-11-14T22:13:20Z stdout F short");
  bed_.Run(5 * kSecond);
  EXPECT_THAT(bed_.texts(), IsEmpty());
  EXPECT_EQ(bed_.status().files_waiting, 1);
  Rotate(1);
  Write("next");
  bed_.Run(5 * kSecond);
  EXPECT_THAT(bed_.texts(), testing::UnorderedElementsAre("short", "next"));
}

TEST_F(TailRotation, ADamagedGzipIsReadAsFarAsItGoes) {
  Begin();
  Write("1");
  bed_.Run(2 * kSecond);
  bed_.Kill();
  for (int i = 0; i < 2000; ++i) Write(absl::StrCat("line ", i * 7919));
  Rotate(1);
  Compress(Rotated(1));
  const std::string gz = Rotated(1) + ".gz";
  fs::resize_file(gz, fs::file_size(gz) / 2);
  Write("next");
  Begin();
  bed_.Run(3 * kSecond);
  const std::vector<std::string> texts = bed_.texts();
  EXPECT_EQ(texts.back(), "next");
  EXPECT_GT(texts.size(), 500);
  EXPECT_LT(texts.size(), 2002);
  EXPECT_EQ(bed_.status().rotated_unread_bytes_total, 0) << "nobody knows how many";
}

}  // namespace
}  // namespace ampari
