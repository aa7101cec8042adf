// From stored frames to lines: whose buffers are kept, and for how long.
#include "gateway/delivery/log_lines.h"

#include <gtest/gtest.h>

#include <utility>

namespace ampari {
namespace {

Record RecordOf(const std::string& line) {
  LogFrameBuilder builder;
  builder.BeginStream({{"a", "b"}});
  builder.AddLine(1, line);
  Record record;
  record.header.items = 1;
  record.frame = builder.Finish(1);
  return record;
}

// A kept buffer that once held a large frame would hold its memory for good.
TEST(LogFrameReader, ALargeFrameTakesNoBufferThatIsKept) {
  LogFrameReader reader;
  StreamRenderer renderer({});
  const auto buffer_of = [&](size_t line_bytes) {
    return reader.Read(RecordOf(std::string(line_bytes, 'x')), {}, renderer)->text.get();
  };
  const LogFrameDecoder* kept = buffer_of(100);
  EXPECT_EQ(buffer_of(1000), kept);
  EXPECT_NE(buffer_of(5 << 20), kept);
  EXPECT_EQ(buffer_of(1000), kept);
}

// A line that is not UTF-8 is mended before it is measured: the text belongs to the frame's lines,
// wherever those are moved to.
TEST(LogFrameReader, MendedLinesStayWhenTheirFrameIsMoved) {
  const std::string rest(99, 'x');
  LogFrameReader reader;
  StreamRenderer renderer({{}, {.max_line_bytes = 200}});
  std::vector<FrameLines> frames;
  for (int i = 0; i < 5; ++i) {
    absl::StatusOr<FrameLines> read = reader.Read(RecordOf("\xff" + rest), {}, renderer);
    ASSERT_TRUE(read.ok());
    frames.push_back(*std::move(read));
  }
  for (const FrameLines& frame : frames) {
    ASSERT_EQ(frame.lines, 1u);
    EXPECT_EQ(frame.streams[0].entries[0].line, "\xEF\xBF\xBD" + rest);
  }
}

// A frame of a megabyte may name half a million streams; each would be a request.
TEST(LogFrameReader, AFrameOfTooManyStreamsIsNotTaken) {
  LogFrameReader reader;
  StreamRenderer renderer({});
  for (const size_t count : {kMaxStreamsAtOnce, kMaxStreamsAtOnce + 1}) {
    LogFrameBuilder builder;
    for (size_t i = 0; i < count; ++i) {
      builder.BeginStream({{"a", std::to_string(i)}});
      builder.AddLine(1, "");
    }
    Record record;
    record.header.items = count;
    record.frame = builder.Finish(1);
    const absl::StatusCode code = reader.Read(record, {}, renderer).status().code();
    EXPECT_EQ(code, count > kMaxStreamsAtOnce ? absl::StatusCode::kDataLoss : absl::StatusCode::kOk)
        << count;
  }
}

}  // namespace
}  // namespace ampari
