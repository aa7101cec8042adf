// From stored frames to lines: whose buffers are kept.
#include "gateway/delivery/log_lines.h"

#include <gtest/gtest.h>

namespace ampari {
namespace {

Record RecordOf(size_t line_bytes) {
  LogFrameBuilder builder;
  builder.BeginStream({{"a", "b"}});
  builder.AddLine(1, std::string(line_bytes, 'x'));
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
    return reader.Read(RecordOf(line_bytes), {}, renderer)->text.get();
  };
  const LogFrameDecoder* kept = buffer_of(100);
  EXPECT_EQ(buffer_of(1000), kept);
  EXPECT_NE(buffer_of(5 << 20), kept);
  EXPECT_EQ(buffer_of(1000), kept);
}

}  // namespace
}  // namespace ampari
