// Files that are gone for a while and come back are read on; others that take their places are read
// from their beginnings.
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

class TailReturn : public TailTest {
 protected:
  TailReturn() { fs::create_directories(away_); }
  void Pass(absl::Duration time) {
    bed_.Run(20 * kSecond);
    bed_.clock.Advance(time);
    bed_.Run(15 * kSecond);
  }

  const std::string away_ = bed_.root() + "-away";
};

TEST_F(TailReturn, ADirectoryThatWasAwayIsReadOn) {
  const std::string pod = absl::StrCat(bed_.root(), "/", kPod);
  struct Row {
    const char* what;
    std::string moved;  // to away_ and back
    absl::Duration time;
  };
  const Row rows[] = {{"pod, for a look", pod, absl::ZeroDuration()},
                      {"pod, for long", pod, absl::Minutes(50)},
                      {"container", directory_, absl::Minutes(50)},
                      {"file", log_, absl::Minutes(50)}};
  Begin();
  Write("before");
  std::vector<std::string> expected = {"before"};
  for (const Row& row : rows) {
    bed_.Run(2 * kSecond);
    fs::rename(row.moved, away_ + "/it");
    Pass(row.time);
    fs::rename(away_ + "/it", row.moved);
    Write(row.what);
    bed_.Run(40 * kSecond);
    expected.emplace_back(row.what);
    EXPECT_EQ(bed_.texts(), expected) << row.what;
    EXPECT_THAT(bed_.gateway.retired, IsEmpty()) << row.what;
  }
  EXPECT_EQ(bed_.gateway.refusals, 0u);
}

TEST_F(TailReturn, AFileThatComesBackUnderARotatedNameIsKnown) {
  Begin();
  Write("1");
  bed_.Run(2 * kSecond);
  fs::rename(log_, away_ + "/it");
  Write("2");
  Pass(absl::Minutes(30));
  AppendFile(away_ + "/it", bed_.Cri("1 too"));
  fs::rename(away_ + "/it", log_ + ".20240501-000001");
  bed_.Run(5 * kSecond);
  EXPECT_THAT(bed_.texts(), ElementsAre("1", "2", "1 too"));
}

TEST_F(TailReturn, ANewProcessKnowsWhatIsAway) {
  Begin();
  Write("1");
  bed_.Run(2 * kSecond);
  fs::rename(directory_, away_ + "/it");
  Pass(absl::ZeroDuration());
  bed_.Kill();
  Begin();
  Pass(absl::Hours(2));
  fs::rename(away_ + "/it", directory_);
  Write("2");
  bed_.Run(40 * kSecond);
  EXPECT_THAT(bed_.texts(), ElementsAre("1", "2"));
}

TEST_F(TailReturn, WhatIsGoneIsRetiredAfterAnHour) {
  Begin();
  Write("1");
  bed_.Run(2 * kSecond);
  fs::remove_all(directory_);
  Pass(absl::Minutes(50));
  EXPECT_THAT(bed_.gateway.positions, SizeIs(1));
  Pass(absl::Minutes(10));
  EXPECT_THAT(bed_.gateway.positions, IsEmpty());
  EXPECT_THAT(bed_.gateway.retired, SizeIs(1));
}

// Where lines have no time, two files may begin alike.
TEST_F(TailReturn, APlainFileInThePlaceOfAnotherIsNew) {
  Begin();
  AppendFile(log_, "starting\n1\n");
  bed_.Run(2 * kSecond);
  fs::remove(log_);
  Pass(absl::Minutes(1));
  EXPECT_THAT(bed_.gateway.retired, SizeIs(1));
  AppendFile(log_, "starting\n2\n");
  bed_.Run(2 * kSecond);
  EXPECT_THAT(bed_.texts(), ElementsAre("starting", "1", "starting", "2"));
}

FileKey KeyOf(uint64_t number) { return MakeFileKey("pod", "app", absl::StrCat(number), 0); }

TEST(PositionBook, GoneOnesAreTakenAfterAnHourUnlessTheyCameBack) {
  PositionBook book;
  for (uint64_t i = 0; i < 3; ++i) {
    book.Begin(KeyOf(i), {i, i});
    book.Lose(KeyOf(i), absl::Minutes(i));
  }
  book.Use(KeyOf(1));
  EXPECT_THAT(book.TakeGone(absl::Minutes(59)), IsEmpty());
  EXPECT_THAT(book.TakeGone(absl::Minutes(61)), ElementsAre(KeyOf(0)));
  book.Lose(KeyOf(1), absl::Minutes(61));
  EXPECT_THAT(book.TakeGone(absl::Minutes(62)), ElementsAre(KeyOf(2)));
  EXPECT_THAT(book.TakeGone(absl::Minutes(121)), ElementsAre(KeyOf(1)));
  EXPECT_EQ(book.size(), 0u);
}

TEST(PositionBook, GoneOnesGoAtOnceWhereThereAreMany) {
  PositionBook book;
  for (uint64_t i = 0; i <= PositionBook::kCrowded; ++i) book.Begin(KeyOf(i), {});
  book.Lose(KeyOf(7), absl::ZeroDuration());
  book.Lose(KeyOf(8), absl::ZeroDuration());
  EXPECT_THAT(book.TakeGone(absl::ZeroDuration()), ElementsAre(KeyOf(7)));
  EXPECT_EQ(book.size(), PositionBook::kCrowded);
}

}  // namespace
}  // namespace ampari
