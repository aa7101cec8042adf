// Batches of lines: where they end, what a unit holds, how it is halved.
#include "gateway/delivery/log_batch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace ampari {
namespace {

using testing::ElementsAre;

// Frames from rows of streams: the selector, and lines that are named by their first letters.
FrameLines Frame(const std::vector<std::pair<std::string, std::vector<std::string_view>>>& rows) {
  FrameLines frame;
  for (const auto& [selector, lines] : rows) {
    FrameLines::Stream& stream = frame.streams.emplace_back();
    stream.rendered = std::make_shared<RenderedStream>(RenderedStream{selector, ""});
    for (const std::string_view line : lines) stream.entries.push_back({0, line, {}});
    frame.lines += lines.size();
  }
  return frame;
}

// "A:a1,a2 B:b1"
std::string Text(const std::vector<FrameLines>& frames, const LineUnit& unit) {
  std::string text;
  for (const PushStream& stream : StreamsOf(frames, unit)) {
    text += (text.empty() ? "" : " ") + std::string(stream.selector) + ":";
    std::string lines;
    for (const auto piece : stream.pieces) {
      for (const LogEntry& entry : piece)
        lines += (lines.empty() ? "" : ",") + std::string(entry.line);
    }
    text += lines;
  }
  return text;
}

std::vector<std::string> Batches(const std::vector<FrameLines>& frames, uint64_t max_bytes) {
  std::vector<uint64_t> sequences(frames.size());
  std::vector<std::string> texts;
  for (const LineUnit& unit : CutBatches(frames, sequences, max_bytes))
    texts.push_back(Text(frames, unit));
  return texts;
}

TEST(LogBatch, EndsAtItsBytesAndALargerLineIsAlone) {
  const std::vector<FrameLines> frames = {Frame({{"A", {"a1", "a2"}}, {"B", {"b1"}}}),
                                          Frame({{"A", {"a3", "a4 is long", "a5"}}})};
  EXPECT_THAT(Batches(frames, 100), ElementsAre("A:a1,a2,a3,a4 is long,a5 B:b1"));
  EXPECT_THAT(Batches(frames, 6), ElementsAre("A:a1,a2 B:b1", "A:a3", "A:a4 is long", "A:a5"));
  EXPECT_THAT(Batches(frames, 1),
              ElementsAre("A:a1", "A:a2", "B:b1", "A:a3", "A:a4 is long", "A:a5"));
  EXPECT_THAT(Batches({}, 1), ElementsAre());
  EXPECT_THAT(Batches({Frame({})}, 1), ElementsAre());
}

TEST(LogBatch, MetadataCounts) {
  const LogEntry entry{0, "1234", {{"name", "value"}}};
  EXPECT_EQ(BatchBytes(entry), 13u);
}

TEST(LogBatch, KnowsItsFrames) {
  const std::vector<FrameLines> frames = {Frame({{"A", {"a1"}}}), Frame({}),
                                          Frame({{"A", {"a2", "a3"}}})};
  const std::vector<uint64_t> sequences = {7, 9, 12};
  const auto batches = CutBatches(frames, sequences, 4);
  ASSERT_EQ(batches.size(), 2u);
  EXPECT_EQ(batches[0].first_frame, 7u);
  EXPECT_EQ(batches[0].last_frame, 12u);
  EXPECT_EQ(batches[1].first_frame, 12u);
}

TEST(LogBatch, HalvesAreCutBetweenStreamsAndLoseNothing) {
  const std::vector<FrameLines> frames = {
      Frame({{"A", {"a1", "a2", "a3", "a4", "a5"}}, {"B", {"b1"}}, {"C", {"c1"}}})};
  const LineUnit all = CutBatches(frames, std::vector<uint64_t>{1}, 100)[0];
  const LineHalves halves = Halve(frames, all);
  EXPECT_FALSE(halves.one_stream());
  EXPECT_EQ(halves.first_stream, "A");
  EXPECT_EQ(halves.second_stream, "");
  EXPECT_EQ(Text(frames, halves.first), "A:a1,a2,a3,a4,a5");
  EXPECT_EQ(Text(frames, halves.second), "B:b1 C:c1");
  const LineHalves quarters = Halve(frames, halves.first);
  EXPECT_TRUE(quarters.one_stream());
  EXPECT_EQ(quarters.second_stream, "A");
  EXPECT_EQ(Text(frames, quarters.first), "A:a1,a2");
  EXPECT_EQ(Text(frames, quarters.second), "A:a3,a4,a5");
}

// Taken apart to single lines, every unit is every line once, in the batch's order.
TEST(LogBatch, TakenApartIsWhole) {
  const std::vector<FrameLines> frames = {
      Frame({{"A", {"a1", "a2"}}, {"B", {"b1", "b2", "b3"}}}),
      Frame({{"C", {"c1"}}, {"A", {"a3", "a4"}}, {"B", {"b4"}}})};
  std::vector<LineUnit> waiting = {CutBatches(frames, std::vector<uint64_t>{1, 2}, 100)[0]};
  std::string order;
  while (!waiting.empty()) {
    const LineUnit unit = waiting.back();
    waiting.pop_back();
    if (unit.lines() == 1) {
      order += Text(frames, unit) + " ";
      continue;
    }
    const LineHalves halves = Halve(frames, unit);
    ASSERT_GT(halves.first.lines(), 0u);
    ASSERT_GT(halves.second.lines(), 0u);
    ASSERT_EQ(halves.first.lines() + halves.second.lines(), unit.lines());
    waiting.push_back(halves.second);
    waiting.push_back(halves.first);
  }
  EXPECT_EQ(order, "A:a1 A:a2 A:a3 A:a4 B:b1 B:b2 B:b3 B:b4 C:c1 ");
}

TEST(LogBatch, ADeadLetterIsReadable) {
  std::vector<FrameLines> frames = {Frame({{"{app=\"web\"}", {"GET \"/\""}}})};
  frames[0].streams[0].entries[0].time_ns = 1'700'000'000'123'456'789;
  const LineUnit all = CutBatches(frames, std::vector<uint64_t>{1}, 100)[0];
  EXPECT_EQ(FirstLineText(frames, all),
            "{app=\"web\"} 2023-11-14T22:13:20.123456789+00:00 \"GET \\\"/\\\"\"");
}

}  // namespace
}  // namespace ampari
