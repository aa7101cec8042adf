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
std::string Text(const LineGroups& groups, const LineUnit& unit) {
  std::string text;
  for (const PushStream& stream : StreamsOf(groups, unit)) {
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

LineGroups Groups(std::span<const FrameLines> frames, const std::set<std::string>& last = {}) {
  std::vector<uint64_t> sequences;
  for (size_t i = 0; i < frames.size(); ++i) sequences.push_back(7 + i);
  return GroupLines(frames, sequences, last);
}

std::vector<std::string> Units(std::span<const FrameLines> frames, uint64_t max_bytes,
                               uint64_t max_streams = 0) {
  const LineGroups groups = Groups(frames);
  std::vector<std::string> texts;
  for (const LineUnit& unit : CutUnits(groups, 0, max_bytes, max_streams))
    texts.push_back(Text(groups, unit));
  return texts;
}

TEST(LogBatch, EndsAtItsBytesAndALargerLineIsAlone) {
  const FrameLines frames[] = {Frame({{"A", {"a1", "a2"}}, {"B", {"b1"}}}),
                               Frame({{"A", {"a3", "a4 is long", "a5"}}})};
  EXPECT_THAT(Units(frames, 100), ElementsAre("A:a1,a2,a3,a4 is long,a5 B:b1"));
  EXPECT_THAT(Units(frames, 6), ElementsAre("A:a1,a2,a3", "A:a4 is long", "A:a5 B:b1"));
  EXPECT_THAT(Units(frames, 1),
              ElementsAre("A:a1", "A:a2", "A:a3", "A:a4 is long", "A:a5", "B:b1"));
  EXPECT_THAT(Units({}, 1), ElementsAre());
  const FrameLines none[] = {Frame({})};
  EXPECT_THAT(Units(none, 1), ElementsAre());
}

TEST(LogBatch, EndsAtItsStreams) {
  const FrameLines frames[] = {Frame({{"A", {"a1", "a2"}}, {"B", {"b1"}}, {"C", {"c1"}}})};
  EXPECT_THAT(Units(frames, 100, 2), ElementsAre("A:a1,a2 B:b1", "C:c1"));
  EXPECT_THAT(Units(frames, 100, 1), ElementsAre("A:a1,a2", "B:b1", "C:c1"));
  EXPECT_THAT(Units(frames, 2, 2), ElementsAre("A:a1", "A:a2", "B:b1", "C:c1"));
}

TEST(LogBatch, GroupsKnowTheirLines) {
  const FrameLines frames[] = {Frame({{"A", {"a1"}}, {"B", {"b1"}}}),
                               Frame({{"C", {"c1"}}, {"A", {"a2", "a3"}}})};
  const LineGroups groups = Groups(frames, {"A"});
  ASSERT_EQ(groups.size(), 3u);
  EXPECT_EQ(groups[0].selector(), "B");
  EXPECT_EQ(groups[1].selector(), "C");
  EXPECT_EQ(groups[2].selector(), "A");
  EXPECT_EQ(groups[2].lines, 3u);
  EXPECT_EQ(groups[2].bytes, 6u);
  EXPECT_THAT(groups[2].sequences, ElementsAre(7, 8));
  EXPECT_EQ(groups[2].first_ns, 0);
}

TEST(LogBatch, MetadataCounts) {
  const LogEntry entry{0, "1234", {{"name", "value"}}};
  EXPECT_EQ(BatchBytes(entry), 13u);
}

TEST(LogBatch, HalvesAreCutBetweenStreamsAndLoseNothing) {
  const FrameLines frames[] = {
      Frame({{"A", {"a1", "a2", "a3", "a4", "a5"}}, {"B", {"b1"}}, {"C", {"c1"}}})};
  const LineGroups groups = Groups(frames);
  const LineUnit all = CutUnits(groups, 0, 100, 0)[0];
  const LineHalves halves = Halve(groups, all);
  EXPECT_FALSE(halves.one_stream());
  EXPECT_EQ(halves.first_stream, "A");
  EXPECT_EQ(halves.second_stream, "");
  EXPECT_EQ(Text(groups, halves.first), "A:a1,a2,a3,a4,a5");
  EXPECT_EQ(Text(groups, halves.second), "B:b1 C:c1");
  EXPECT_EQ(halves.first.bytes, 10u);
  EXPECT_EQ(halves.second.bytes, 4u);
  const LineHalves quarters = Halve(groups, halves.first);
  EXPECT_TRUE(quarters.one_stream());
  EXPECT_EQ(quarters.second_stream, "A");
  EXPECT_EQ(Text(groups, quarters.first), "A:a1,a2");
  EXPECT_EQ(Text(groups, quarters.second), "A:a3,a4,a5");
}

// Taken apart to single lines, every unit is every line once, in the order of the groups.
TEST(LogBatch, TakenApartIsWhole) {
  const FrameLines frames[] = {Frame({{"A", {"a1", "a2"}}, {"B", {"b1", "b2", "b3"}}}),
                               Frame({{"C", {"c1"}}, {"A", {"a3", "a4"}}, {"B", {"b4"}}})};
  const LineGroups groups = Groups(frames);
  std::vector<LineUnit> waiting = {CutUnits(groups, 0, 100, 0)[0]};
  std::string order;
  while (!waiting.empty()) {
    const LineUnit unit = waiting.back();
    waiting.pop_back();
    if (unit.lines() == 1) {
      order += Text(groups, unit) + " ";
      continue;
    }
    const LineHalves halves = Halve(groups, unit);
    ASSERT_GT(halves.first.lines(), 0u);
    ASSERT_GT(halves.second.lines(), 0u);
    ASSERT_EQ(halves.first.lines() + halves.second.lines(), unit.lines());
    ASSERT_EQ(halves.first.bytes + halves.second.bytes, unit.bytes);
    waiting.push_back(halves.second);
    waiting.push_back(halves.first);
  }
  EXPECT_EQ(order, "A:a1 A:a2 A:a3 A:a4 B:b1 B:b2 B:b3 B:b4 C:c1 ");
}

TEST(LogBatch, ADeadLetterIsReadable) {
  FrameLines frames[] = {Frame({{"{app=\"web\"}", {"GET \"/\""}}})};
  frames[0].streams[0].entries[0].time_ns = 1'700'000'000'123'456'789;
  const LineGroups groups = Groups(frames);
  const LineText first = FirstLine(groups, CutUnits(groups, 0, 100, 0)[0]);
  EXPECT_EQ(first.sequence, 7u);
  EXPECT_EQ(first.text, "{app=\"web\"} 2023-11-14T22:13:20.123456789+00:00 \"GET \\\"/\\\"\"");
}

}  // namespace
}  // namespace ampari
