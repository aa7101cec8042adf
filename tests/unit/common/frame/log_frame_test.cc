// Log frames: what is encoded decodes to the same, and nothing else decodes at all.
#include "common/frame/log_frame.h"

#include <gtest/gtest.h>
#include <malloc.h>

#include <cstring>
#include <random>

#include "common/frame/checksum.h"
#include "common/frame/compression.h"
#include "common/frame/varint.h"

namespace ampari {
namespace {

constexpr size_t kMaxRaw = size_t{16} << 20;

struct OwnedLine {
  int64_t time_ns;
  std::string line;
  LogMetadata metadata;
};
struct OwnedStream {
  Labels labels;
  std::vector<OwnedLine> lines;
};

std::string Key(char c) { return std::string(kLogFileKeyBytes, c); }

std::string Build(const std::vector<OwnedStream>& streams, const std::vector<LogFilePart>& files) {
  LogFrameBuilder builder;
  for (const OwnedStream& stream : streams) {
    builder.BeginStream(stream.labels);
    for (const OwnedLine& line : stream.lines)
      builder.AddLine(line.time_ns, line.line, line.metadata);
  }
  for (const LogFilePart& file : files) builder.AddFile(file);
  return builder.Finish(7);
}

void ExpectStreams(const std::string& frame, const std::vector<OwnedStream>& expected) {
  LogFrameDecoder decoder;
  const auto streams = decoder.Decode(frame, kMaxRaw);
  ASSERT_TRUE(streams.ok()) << streams.status();
  ASSERT_EQ(streams->size(), expected.size());
  for (size_t i = 0; i < expected.size(); ++i) {
    EXPECT_EQ((*streams)[i].labels, expected[i].labels);
    ASSERT_EQ((*streams)[i].entries.size(), expected[i].lines.size());
    for (size_t k = 0; k < expected[i].lines.size(); ++k) {
      EXPECT_EQ((*streams)[i].entries[k].time_ns, expected[i].lines[k].time_ns);
      EXPECT_EQ((*streams)[i].entries[k].line, expected[i].lines[k].line);
      EXPECT_EQ((*streams)[i].entries[k].metadata, expected[i].lines[k].metadata);
    }
  }
}

std::vector<LogFilePart> PositionsOf(const std::string& frame) {
  const auto header = ParseFrameHeader(frame);
  EXPECT_TRUE(header.ok()) << header.status();
  const auto files = ParseLogPositions(
      *header, std::string_view(frame).substr(kFrameHeaderBytes, header->positions_bytes));
  EXPECT_TRUE(files.ok()) << files.status();
  return *files;
}

const std::vector<LogFilePart> kFiles = {
    {Key('a'), true, {0, 0}, {310, 80}, "shop_web-0_4f1c/istio-proxy"},
    {Key('b'), false, {uint64_t{1} << 40, 7}, {(uint64_t{1} << 40) + 1, 7}, ""}};

std::vector<OwnedStream> TwoStreams() {
  return {{{{"namespace", "shop"}, {"pod", "web-0"}},
           {{1'700'000'000'000'000'001, "GET /", {}},
            {1'700'000'000'000'000'001, "", {{"response_code", "200"}}},
            {1'700'000'000'000'000'000, std::string("\0\xff\n", 3), {}}}},
          {{{"namespace", "shop"}}, {{-1, "before 1970", {}}}}};
}

TEST(LogFrame, ComesBackByteForByte) {
  const std::string frame = Build(TwoStreams(), kFiles);
  const auto header = ParseFrameHeader(frame);
  ASSERT_TRUE(header.ok()) << header.status();
  EXPECT_EQ(header->kind, FrameKind::kLogs);
  EXPECT_EQ(header->sequence, 7u);
  EXPECT_EQ(header->items, 4u);
  EXPECT_EQ(header->scrapes, 2u);
  ExpectStreams(frame, TwoStreams());
  EXPECT_EQ(PositionsOf(frame), kFiles);
  EXPECT_EQ(ParseFrameHeader(WithSequence(frame, 8))->sequence, 8u);
}

TEST(LogFrame, FilesWithoutLinesAndLinesWithoutFiles) {
  EXPECT_EQ(PositionsOf(Build({}, kFiles)), kFiles);
  ExpectStreams(Build({}, kFiles), {});
  EXPECT_TRUE(PositionsOf(Build(TwoStreams(), {})).empty());
  ExpectStreams(Build({{{{"a", "b"}}, {}}}, {}), {});
}

TEST(LogFrame, TheBuilderIsEmptyAfterwards) {
  LogFrameBuilder builder;
  builder.BeginStream({{"a", "b"}});
  builder.AddLine(5, "x");
  builder.AddFile(kFiles[0]);
  EXPECT_GT(builder.raw_bytes(), 0u);
  builder.Finish(1);
  EXPECT_TRUE(builder.empty());
  EXPECT_EQ(builder.raw_bytes(), 0u);
  builder.BeginStream({{"a", "b"}});
  builder.AddLine(5, "x");
  ExpectStreams(builder.Finish(2), {{{{"a", "b"}}, {{5, "x", {}}}}});
}

// A ring counts the bytes of its frames.
TEST(LogFrame, AFrameTakesNoMoreMemoryThanItsBytes) {
  std::vector<LogFilePart> files;
  for (int i = 0; i < 1000; ++i) {
    files.push_back({std::to_string(1'000'000'000'000'000 + i), false, {1, 1}, {2, 2}, ""});
  }
  const std::string frame = Build(TwoStreams(), files);
  EXPECT_EQ(frame.capacity(), frame.size());
}

TEST(LogFrame, ALongLineLeavesLittleMemoryBehind) {
  LogFrameBuilder builder;
  const auto used_after = [&](size_t line_bytes) {
    builder.BeginStream({{"a", "b"}});
    builder.AddLine(5, std::string(line_bytes, 'x'));
    builder.Finish(1);
    const struct mallinfo2 info = ::mallinfo2();
    return info.uordblks + info.hblkhd;
  };
  const size_t before = used_after(1000);
  EXPECT_LT(used_after(size_t{16} << 20), before + (size_t{8} << 20));
}

TEST(LogFrame, RandomTimesComeBack) {
  std::mt19937_64 random(20260601);
  for (int round = 0; round < 100; ++round) {
    std::vector<OwnedStream> streams(1 + random() % 4);
    for (OwnedStream& stream : streams) {
      stream.labels = {{"n", std::to_string(random() % 10)}};
      stream.lines.resize(1 + random() % 50);
      for (OwnedLine& line : stream.lines) {
        line.time_ns = static_cast<int64_t>(random());  // every sign, and differences that wrap
        line.line.assign(random() % 300, static_cast<char>(random()));
      }
    }
    ExpectStreams(Build(streams, {}), streams);
  }
}

TEST(LogFrame, EveryTruncationAndEveryFlippedByteIsRefused) {
  const std::string frame = Build(TwoStreams(), kFiles);
  LogFrameDecoder decoder;
  for (size_t size = 0; size < frame.size(); ++size) {
    EXPECT_FALSE(decoder.Decode(std::string_view(frame).substr(0, size), kMaxRaw).ok()) << size;
  }
  for (size_t at = 0; at < frame.size(); ++at) {
    std::string flipped = frame;
    flipped[at] = static_cast<char>(flipped[at] ^ 0x20);
    EXPECT_FALSE(decoder.Decode(flipped, kMaxRaw).ok()) << at;
  }
}

// A frame whose checksum is right and whose body is not.
std::string WithBody(std::string_view body, uint64_t items) {
  FrameHeader header;
  header.kind = FrameKind::kLogs;
  header.sequence = 1;
  header.items = items;
  header.raw_bytes = static_cast<uint32_t>(body.size());
  std::string frame(kFrameHeaderBytes, '\0');
  void* zstd = NewCompressState();
  CompressAppend(zstd, body, &frame);
  FreeCompressState(zstd);
  header.body_bytes = static_cast<uint32_t>(frame.size() - kFrameHeaderBytes);
  SealFrame(header, &frame);
  return frame;
}

TEST(LogFrame, MalformedBodies) {
  struct Row {
    const char* what;
    std::string body;
    uint64_t items;
    bool ok;
  };
  const std::string labels(
      "\x04\x01"
      "a\x01"
      "b",
      5);
  const std::string line("\x02\x01x\x00", 4);
  const Row rows[] = {
      {"one line", labels + "\x01" + line, 1, true},
      {"more lines than told", labels + "\x01" + line, 0, false},
      {"fewer lines than told", labels + "\x01" + line, 2, false},
      {"a stream without lines", labels + std::string(1, '\0'), 0, false},
      {"labels out of order",
       std::string("\x08\x01", 2) + "b\x01" + "1\x01" + "a\x01" + "1\x01" + line, 1, false},
      {"a count that the bytes cannot hold", labels + "\xff\xff\x03" + line, 65535, false},
      {"a line longer than the body", labels + "\x01" + std::string("\x02\x7fx\x00", 4), 1, false},
      {"too much metadata", labels + "\x01" + "\x02\x01x\x81\x01", 1, false},
      {"bytes behind", labels + "\x01" + line + std::string(1, '\0'), 1, false},
  };
  LogFrameDecoder decoder;
  for (const Row& row : rows) {
    EXPECT_EQ(decoder.Decode(WithBody(row.body, row.items), kMaxRaw).ok(), row.ok) << row.what;
  }
  EXPECT_FALSE(decoder.Decode(WithBody(rows[0].body, 1), 3).ok()) << "the reader's limit";
}

// A small frame may inflate to lines and pairs that take far more memory than its bytes.
TEST(LogFrame, LinesAndPairsOfAFrameAreBounded) {
  const std::string labels(1, '\0');
  const std::string line(3, '\0');
  const std::string pairs = std::string("\0\0\x80\x01", 4) + std::string(256, '\0');
  const auto lines_of = [&](const std::string& text, size_t count) {
    std::string body = labels;
    AppendVarint(count, &body);
    for (size_t i = 0; i < count; ++i) body.append(text);
    return WithBody(body, count);
  };
  const size_t full = kMaxLogMetadataPerFrame / kMaxLogMetadataPairs;
  LogFrameDecoder decoder;
  EXPECT_TRUE(decoder.Decode(lines_of(line, kMaxLogLinesPerFrame), kMaxRaw).ok());
  EXPECT_FALSE(decoder.Decode(lines_of(line, kMaxLogLinesPerFrame + 1), kMaxRaw).ok());
  EXPECT_TRUE(decoder.Decode(lines_of(pairs, full), kMaxRaw).ok());
  EXPECT_FALSE(decoder.Decode(lines_of(pairs, full + 1), kMaxRaw).ok());
}

TEST(LogFrame, MalformedPositions) {
  struct Row {
    const char* what;
    std::string bytes;
    uint32_t files;
    bool ok;
  };
  const std::string tail("\x00\x01\x02\x03\x04", 5);
  const Row rows[] = {
      {"one file", Key('k') + tail, 1, true},
      {"none", "", 0, true},
      {"more files than told", Key('k') + tail, 0, false},
      {"fewer files than told", Key('k') + tail, 2, false},
      {"the same file twice", Key('k') + tail + Key('k') + tail, 2, false},
      {"an unknown flag", Key('k') + "\x02" + tail.substr(1), 1, false},
      {"a name that is cut", Key('k') + "\x01" + tail.substr(1) + "\x05" + "abc", 1, false},
      {"an offset beyond 64 bits",
       Key('k') + std::string("\x00\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01\x01\x00\x00", 14), 1,
       false},
  };
  for (const Row& row : rows) {
    FrameHeader header;
    header.kind = FrameKind::kLogs;
    header.scrapes = row.files;
    EXPECT_EQ(ParseLogPositions(header, row.bytes).ok(), row.ok) << row.what;
  }
}

TEST(LogFrame, ALongNameIsCut) {
  LogFilePart file = kFiles[0];
  file.name.assign(2 * kMaxLogFileNameBytes, 'n');
  EXPECT_EQ(PositionsOf(Build({}, {file}))[0].name.size(), kMaxLogFileNameBytes);
}

TEST(LogFrame, AFrameOfMetricsIsNone) {
  LogFrameDecoder decoder;
  EXPECT_FALSE(decoder.Decode(FrameBuilder().Finish(1), kMaxRaw).ok());
  FrameHeader header;
  header.sequence = 1;
  header.positions_bytes = 1;
  std::string frame(kFrameHeaderBytes + 1, '\0');
  SealFrame(header, &frame);
  EXPECT_FALSE(ParseFrameHeader(frame).ok()) << "positions in a frame of metrics";
}

}  // namespace
}  // namespace ampari
