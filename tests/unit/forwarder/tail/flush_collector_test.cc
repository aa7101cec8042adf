// FlushCollector: lines of several streams come mixed and leave in order, stream by stream.
#include "forwarder/tail/flush_collector.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace ampari {
namespace {

LogFilePart Part(char key, uint64_t from, uint64_t upto) {
  LogFilePart part;
  part.key = std::string(kLogFileKeyBytes, key);
  part.from = {from, from};
  part.upto = {upto, upto};
  return part;
}

std::vector<LogStream> Decoded(LogFrameDecoder* decoder, const LogFlush& flush) {
  auto streams = decoder->Decode(flush.frame, size_t{64} << 20);
  EXPECT_TRUE(streams.ok()) << streams.status();
  return streams.ok() ? *std::move(streams) : std::vector<LogStream>();
}

// "labels: line@time line@time …" of each stream.
std::vector<std::string> Told(const LogFlush& flush) {
  LogFrameDecoder decoder;
  std::vector<std::string> told;
  for (const LogStream& stream : Decoded(&decoder, flush)) {
    std::string text = stream.labels.ToString() + ":";
    for (const LogEntry& entry : stream.entries) {
      text += " " + std::string(entry.line) + "@" + std::to_string(entry.time_ns);
      for (const auto& [name, value] : entry.metadata) text += "," + name + "=" + value;
    }
    told.push_back(text);
  }
  return told;
}

TEST(FlushCollector, MixedStreamsStandTogetherInTheirOrder) {
  const Labels access = {{"pod", "a"}, {"log_type", "access"}};
  const Labels agent = {{"pod", "a"}, {"log_type", "agent"}};
  FlushCollector collector;
  for (int i = 0; i < 3; ++i) {
    collector.AddLine(access, 100 + i, "x" + std::to_string(i), {});
    collector.AddLine(agent, 50 + i, "y" + std::to_string(i), {{"code", "200"}});
  }
  const LogFlush flush = collector.Finish(7);
  EXPECT_EQ(flush.round, 7);
  EXPECT_EQ(flush.lines, 6);
  EXPECT_EQ(Told(flush),
            (std::vector<std::string>{
                R"({log_type="access", pod="a"}: x0@100 x1@101 x2@102)",
                R"({log_type="agent", pod="a"}: y0@50,code=200 y1@51,code=200 y2@52,code=200)"}));
}

TEST(FlushCollector, EqualLabelSetsOfSeveralPlansAreOneStream) {
  const Labels one = {{"pod", "a"}}, other = {{"pod", "a"}};
  FlushCollector collector;
  collector.AddLine(one, 1, "x", {});
  collector.AddLine(other, 2, "y", {});
  EXPECT_EQ(Told(collector.Finish(1)), (std::vector<std::string>{R"({pod="a"}: x@1 y@2)"}));
}

TEST(FlushCollector, AnAddressThatIsUsedAgainForOtherLabels) {
  Labels labels = {{"pod", "a"}};
  FlushCollector collector;
  collector.AddLine(labels, 1, "x", {});
  labels = Labels{{"pod", "b"}};
  collector.AddLine(labels, 2, "y", {});
  EXPECT_EQ(Told(collector.Finish(1)),
            (std::vector<std::string>{R"({pod="a"}: x@1)", R"({pod="b"}: y@2)"}));
}

TEST(FlushCollector, IsEmptyAndStartsAnewAfterFinish) {
  const Labels labels = {{"pod", "a"}};
  FlushCollector collector;
  EXPECT_TRUE(collector.empty());
  for (int round = 1; round <= 3; ++round) {
    collector.AddLine(labels, round, "x", {});
    EXPECT_FALSE(collector.empty());
    EXPECT_EQ(collector.lines(), 1);
    const LogFlush flush = collector.Finish(1);
    EXPECT_EQ(Told(flush), (std::vector<std::string>{R"({pod="a"}: x@)" + std::to_string(round)}));
    EXPECT_TRUE(collector.empty());
    EXPECT_EQ(collector.raw_bytes(), 0);
    EXPECT_EQ(collector.lines(), 0);
  }
}

TEST(FlushCollector, FilesWithoutLines) {
  FlushCollector collector;
  collector.AddFile(Part('k', 10, 300));
  collector.AddFile(Part('l', 0, 20));
  EXPECT_FALSE(collector.empty());
  const LogFlush flush = collector.Finish(2);
  EXPECT_EQ(flush.lines, 0);
  ASSERT_EQ(flush.files.size(), 2);
  const auto header = ParseFrameHeader(flush.frame);
  ASSERT_TRUE(header.ok());
  const auto files = ParseLogPositions(
      *header, std::string_view(flush.frame).substr(kFrameHeaderBytes, header->positions_bytes));
  ASSERT_TRUE(files.ok()) << files.status();
  EXPECT_EQ(*files, flush.files);
  EXPECT_TRUE(collector.Finish(2).files.empty());
}

TEST(FlushCollector, ManyStreams) {
  FlushCollector collector;
  std::vector<Labels> streams;
  for (int i = 0; i < 3000; ++i) streams.push_back({{"pod", std::to_string(i)}});
  for (int round = 0; round < 2; ++round) {
    for (int turn = 0; turn < 2; ++turn) {
      for (const Labels& labels : streams) collector.AddLine(labels, turn, "line", {});
    }
    EXPECT_GT(collector.raw_bytes(), 3000u * 2 * 4);
    LogFrameDecoder decoder;
    const auto decoded = Decoded(&decoder, collector.Finish(1));
    ASSERT_EQ(decoded.size(), 3000);
    for (const LogStream& stream : decoded) EXPECT_EQ(stream.entries.size(), 2);
  }
}

}  // namespace
}  // namespace ampari
