// Parts become lines, and positions tell from where to read again.
#include "forwarder/tail/line_joiner.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <vector>

namespace ampari {
namespace {

constexpr auto kOut = LogOutput::kStdout;
constexpr auto kErr = LogOutput::kStderr;

RuntimeLine Line(LogOutput output, std::string_view text, bool partial = false, int64_t time = 1) {
  return {output, time, partial, text};
}

TEST(LineJoiner, WholeLinesPassThrough) {
  LineJoiner joiner({}, {});
  const auto line = joiner.Take(Line(kOut, "one"), 0, 10);
  ASSERT_TRUE(line.has_value());
  EXPECT_EQ(line->text, "one");
  EXPECT_EQ(joiner.position(), (LogPosition{10, 10}));
}

TEST(LineJoiner, PartsAreJoinedPerOutputWithTheLastTime) {
  LineJoiner joiner({}, {});
  EXPECT_FALSE(joiner.Take(Line(kOut, "a", true, 1), 0, 10).has_value());
  EXPECT_FALSE(joiner.Take(Line(kErr, "x", true, 2), 10, 20).has_value());
  EXPECT_EQ(joiner.position(), (LogPosition{0, 10}));
  EXPECT_FALSE(joiner.Take(Line(kOut, "b", true, 3), 20, 30).has_value());
  const auto out = joiner.Take(Line(kOut, "c", false, 4), 30, 40);
  ASSERT_TRUE(out.has_value());
  EXPECT_EQ(out->text, "abc");
  EXPECT_EQ(out->time_ns, 4);
  EXPECT_EQ(joiner.position(), (LogPosition{40, 10})) << "stderr's line has begun at 10";
  const auto err = joiner.Take(Line(kErr, "y", false, 5), 40, 50);
  ASSERT_TRUE(err.has_value());
  EXPECT_EQ(err->text, "xy");
  EXPECT_EQ(joiner.position(), (LogPosition{50, 50}));
}

TEST(LineJoiner, ADanglingPartIsFlushed) {
  LineJoiner joiner({}, {});
  joiner.Take(Line(kOut, "dangling", true, 7), 0, 10);
  EXPECT_TRUE(joiner.waiting(kOut));
  const auto line = joiner.Flush(kOut);
  ASSERT_TRUE(line.has_value());
  EXPECT_EQ(line->text, "dangling");
  EXPECT_EQ(line->time_ns, 7);
  EXPECT_EQ(joiner.position(), (LogPosition{10, 10}));
  EXPECT_FALSE(joiner.Flush(kOut).has_value());
}

TEST(LineJoiner, LongLinesAreCutOrRefused) {
  for (const LongLines rule : {LongLines::kCut, LongLines::kRefuse}) {
    LineJoiner joiner({4, rule}, {});
    const auto exact = joiner.Take(Line(kOut, "1234"), 0, 10);
    EXPECT_FALSE(exact->cut || exact->refused);
    const auto whole = joiner.Take(Line(kOut, "12345"), 10, 20);
    joiner.Take(Line(kOut, "123", true), 20, 30);
    joiner.Take(Line(kOut, "45", true), 30, 40);
    for (int i = 0; i < 1000; ++i) joiner.Take(Line(kOut, "more", true), 40, 50);
    const auto joined = joiner.Take(Line(kOut, "", false), 50, 60);
    for (const auto& line : {whole, joined}) {
      ASSERT_TRUE(line.has_value());
      EXPECT_EQ(line->text, "1234");
      EXPECT_EQ(line->cut, rule == LongLines::kCut);
      EXPECT_EQ(line->refused, rule == LongLines::kRefuse);
    }
    EXPECT_EQ(joiner.position(), (LogPosition{60, 60}));
  }
}

TEST(LineJoiner, WhatWasReadEarlierIsPassedOver) {
  LineJoiner joiner({}, {100, 300});
  EXPECT_TRUE(joiner.Take(Line(kOut, "new"), 100, 150).has_value());
  EXPECT_FALSE(joiner.Take(Line(kErr, "old"), 150, 300).has_value());
  EXPECT_TRUE(joiner.Take(Line(kErr, "new"), 300, 350).has_value());
  EXPECT_EQ(joiner.position(), (LogPosition{350, 350}));
}

// Whatever the mixture and wherever reading stops, starting again from the position gives every
// line once.
TEST(LineJoiner, ResumingAnywhereGivesEveryLineOnce) {
  std::mt19937 random(7);
  for (int round = 0; round < 300; ++round) {
    std::vector<RuntimeLine> file(30);
    for (RuntimeLine& line : file) {
      line = Line(random() % 2 == 0 ? kOut : kErr, "ab", random() % 3 == 0);
    }
    const auto read = [&](LineJoiner& joiner, size_t from, size_t upto) {
      std::vector<std::string> lines;
      for (size_t i = from; i < upto; ++i) {
        if (const auto line = joiner.Take(file[i], i * 10, i * 10 + 10)) {
          lines.push_back((line->output == kOut ? "out " : "err ") + std::string(line->text));
        }
      }
      return lines;
    };
    LineJoiner all({}, {});
    std::vector<std::string> expected = read(all, 0, file.size());
    LineJoiner first({}, {});
    std::vector<std::string> got = read(first, 0, random() % file.size());
    const LogPosition stop = first.position();
    LineJoiner second({}, stop);
    for (std::string& line : read(second, std::min(stop.out, stop.err) / 10, file.size())) {
      got.push_back(std::move(line));
    }
    std::stable_sort(expected.begin(),
                     expected.end());  // the outputs' order to each other may differ
    std::stable_sort(got.begin(), got.end());
    ASSERT_EQ(got, expected);
    EXPECT_EQ(second.position(), all.position());
  }
}

}  // namespace
}  // namespace ampari
