// Bytes become lines whatever the pieces they are read in: long ones, odd ones, ones without end.
#include "forwarder/tail/log_reader.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <malloc.h>

#include "absl/strings/str_cat.h"
#include "forwarder/tail/flush_collector.h"
#include "forwarder/tail/line_plan.h"
#include "tests/unit/forwarder/tail/tail_bed.h"

namespace ampari {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr char kTime[] = "2023-11-14T22:13:20.000000001Z";

class LogReaderTest : public testing::Test {
 protected:
  LogReaderTest() {
    auto job = std::make_shared<LogJob>();
    LogTarget target;
    target.job = job;
    plan_ = *LinePlan::Make(target);
  }
  std::unique_ptr<LogSource> Source() {
    return *LogSource::Make(UniqueFd(::open(path_.c_str(), O_RDONLY)), false);
  }
  // Reads what is there, in pieces.
  ReadEnd Read(LogReader& reader, LogSource& source, size_t piece, size_t budget = SIZE_MAX) {
    std::string buffer(piece, '\0');
    LineOutlet outlet(*plan_, collector_, full_);
    return reader.Read(source, buffer, outlet, &budget);
  }
  void Finish(LogReader& reader, LogSource* source, size_t piece) {
    std::string buffer(piece, '\0');
    LineOutlet outlet(*plan_, collector_, full_);
    reader.Finish(source, buffer, outlet);
  }
  std::vector<std::string> Lines() {
    std::vector<std::string> lines;
    if (collector_.empty()) return lines;
    LogFrameDecoder decoder;
    const LogFlush flush = collector_.Finish(1);
    const auto streams = decoder.Decode(flush.frame, size_t{64} << 20);
    for (const LogStream& stream : *streams) {
      for (const LogEntry& entry : stream.entries) lines.emplace_back(entry.line);
    }
    return lines;
  }
  static std::string Cri(std::string_view text) {
    return absl::StrCat(kTime, " stdout F ", std::string(text), "\n");
  }

  TempDir directory_;
  const std::string path_ = directory_.File("0.log");
  std::unique_ptr<LinePlan> plan_;
  FlushCollector collector_;
  size_t full_ = SIZE_MAX;
};

TEST_F(LogReaderTest, AnyPiecesGiveTheSameLines) {
  const std::string long_one(3000, 'l');
  AppendFile(path_, Cri("a") + Cri("") + Cri(long_one) + Cri("b") + Cri(long_one + "2") + Cri("c"));
  for (const size_t piece : {64, 100, 1000, 2900, 3041, 5000, 100'000}) {
    SCOPED_TRACE(piece);
    const auto source = Source();
    LogReader reader({}, {});
    EXPECT_EQ(Read(reader, *source, piece), ReadEnd::kEnd);
    EXPECT_THAT(Lines(), ElementsAre("a", "", long_one, "b", long_one + "2", "c"));
    const uint64_t size = source->size();
    EXPECT_EQ(reader.position(), (LogPosition{size, size}));
    EXPECT_EQ(reader.counts().read_bytes, size);
    EXPECT_EQ(reader.counts().lines, 6);
  }
}

TEST_F(LogReaderTest, LinesBeyondTheBoundAreCutOrRefused) {
  AppendFile(path_, Cri(std::string(200, 'x')) + Cri("after") + Cri(std::string(20'000, 'y')));
  for (const LongLines rule : {LongLines::kCut, LongLines::kRefuse}) {
    for (const size_t piece : {100, 100'000}) {
      const auto source = Source();
      LogReader reader({.max_line_bytes = 50, .long_lines = rule}, {});
      EXPECT_EQ(Read(reader, *source, piece), ReadEnd::kEnd);
      if (rule == LongLines::kCut) {
        EXPECT_THAT(Lines(), ElementsAre(std::string(50, 'x'), "after", std::string(50, 'y')));
        EXPECT_EQ(reader.counts().cut, 2);
      } else {
        EXPECT_THAT(Lines(), ElementsAre("after"));
        EXPECT_EQ(reader.counts().refused, 2);
      }
    }
  }
}

TEST_F(LogReaderTest, AMegabyteWithoutANewlineTakesNoMemory) {
  const std::string half(600'000, 'z');
  AppendFile(path_, absl::StrCat(kTime, " stdout F ", half));
  auto source = Source();
  LogReader reader({.max_line_bytes = 100}, {});
  EXPECT_EQ(Read(reader, *source, 4096), ReadEnd::kEnd);
  EXPECT_EQ(reader.position(), (LogPosition{0, 0})) << "it has not ended";
  EXPECT_THAT(Lines(), IsEmpty());
  AppendFile(path_, half + "\n" + Cri("next"));
  EXPECT_EQ(Read(reader, *source, 4096), ReadEnd::kEnd);
  EXPECT_THAT(Lines(), ElementsAre(std::string(100, 'z'), "next"));
}

TEST_F(LogReaderTest, OddBytesPassThrough) {
  const std::string odd("nul\0 \xFF\xFE \r tab\t", 15);
  AppendFile(path_, Cri(odd) + "no runtime's line\n" + Cri("x"));
  const auto source = Source();
  LogReader reader({}, {});
  EXPECT_EQ(Read(reader, *source, 4096), ReadEnd::kEnd);
  EXPECT_THAT(Lines(), ElementsAre(odd, "no runtime's line", "x"));
  EXPECT_EQ(reader.counts().unparsed, 1);
}

TEST_F(LogReaderTest, StopsWhenTheFlushIsFullAndGoesOn) {
  for (int i = 0; i < 100; ++i) AppendFile(path_, Cri(absl::StrCat("line ", i)));
  const auto source = Source();
  LogReader reader({}, {});
  full_ = 200;
  size_t lines = 0;
  for (int flush = 0; flush < 100; ++flush) {
    const ReadEnd end = Read(reader, *source, 4096);
    EXPECT_EQ(reader.position().out, reader.offset());
    lines += Lines().size();
    if (end == ReadEnd::kEnd) break;
    EXPECT_EQ(end, ReadEnd::kFull);
  }
  EXPECT_EQ(lines, 100);
}

TEST_F(LogReaderTest, TheBudgetEndsATurn) {
  for (int i = 0; i < 100; ++i) AppendFile(path_, Cri(absl::StrCat("line ", i)));
  const auto source = Source();
  LogReader reader({}, {});
  EXPECT_EQ(Read(reader, *source, 500, 1000), ReadEnd::kMore);
  EXPECT_LE(reader.offset(), 1000);
  EXPECT_EQ(Read(reader, *source, 500), ReadEnd::kEnd);
  EXPECT_EQ(Lines().size(), 100);
}

// There are as many readers as files.
TEST_F(LogReaderTest, ALongLineLeavesNoMemoryBehind) {
  constexpr size_t kReaders = 50;
  std::string joined;
  for (int i = 0; i < 10; ++i)
    joined += absl::StrCat(kTime, " stdout P ", std::string(16000, 'x'), "\n");
  AppendFile(path_, joined + Cri("end"));
  AppendFile(path_, absl::StrCat(R"({"log":"\")", std::string(200'000, 'y'),
                                 R"(\n","stream":"stderr","time":")", kTime, R"("})", "\n"));
  std::vector<std::unique_ptr<LogReader>> readers;
  const auto used = [] {
    const struct mallinfo2 info = ::mallinfo2();
    return info.uordblks + info.hblkhd;
  };
  size_t before = 0;
  for (size_t i = 0; i <= kReaders; ++i) {
    const auto source = Source();
    readers.push_back(std::make_unique<LogReader>(LineLimits(), LogPosition()));
    EXPECT_EQ(Read(*readers.back(), *source, size_t{256} << 10), ReadEnd::kEnd);
    EXPECT_EQ(Lines().size(), 2);
    if (i == 0) before = used();
  }
  EXPECT_LT(used(), before + kReaders * 64'000);
}

TEST_F(LogReaderTest, WhatHasNoNewlineIsTakenAtTheEnd) {
  const std::string line = Cri("unfinished");
  AppendFile(path_, Cri("a") + line.substr(0, line.size() - 1));
  const auto source = Source();
  LogReader reader({}, {});
  EXPECT_EQ(Read(reader, *source, 4096), ReadEnd::kEnd);
  EXPECT_THAT(Lines(), ElementsAre("a"));
  Finish(reader, source.get(), 4096);
  EXPECT_THAT(Lines(), ElementsAre("unfinished"));
  EXPECT_EQ(reader.position().out, source->size());
  EXPECT_EQ(reader.position().err, source->size());
}

TEST_F(LogReaderTest, WhatIsAppendedBeforeTheEndIsTakenIsReadAfterwards) {
  AppendFile(path_, Cri("a") + "torn");
  const auto source = Source();
  LogReader reader({}, {});
  EXPECT_EQ(Read(reader, *source, 4096), ReadEnd::kEnd);
  AppendFile(path_, "\n" + Cri("b") + Cri("c"));
  Finish(reader, source.get(), 4096);
  EXPECT_THAT(Lines(), ElementsAre("a", "torn"));
  EXPECT_EQ(Read(reader, *source, 4096), ReadEnd::kEnd);
  EXPECT_THAT(Lines(), ElementsAre("", "b", "c"));
}

TEST_F(LogReaderTest, AFileThatBeginsOtherwiseIsNotedBeforeItsLinesAreTaken) {
  AppendFile(path_, Cri("old"));
  const auto source = Source();
  source->RememberHead(*source->ReadHead(false));
  LogReader reader({}, {});
  EXPECT_EQ(Read(reader, *source, 4096), ReadEnd::kEnd);
  directory_.Write("0.log", Cri("new") + Cri("and longer"));
  EXPECT_EQ(Read(reader, *source, 4096), ReadEnd::kRewritten);
  EXPECT_THAT(Lines(), ElementsAre("old"));
}

}  // namespace
}  // namespace ampari
