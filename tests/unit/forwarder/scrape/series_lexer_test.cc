// What a SeriesLexer makes of a line is what the format's lexer makes of it, whatever line was
// before.
#include "forwarder/scrape/series_lexer.h"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"

namespace ampari {
namespace {

std::string Words(LexResult result, const LexedSeries& series, const std::string& error) {
  if (result == LexResult::kNeedMore) return "need more";
  if (result == LexResult::kError) return absl::StrCat("error: ", error);
  const auto text = [](const LexedText& t) {
    return absl::StrCat("<", std::string(t.text), t.escaped ? "\\>" : ">");
  };
  std::string words =
      absl::StrCat(text(series.name), series.quoted_name ? "\"" : "", " ", series.text_bytes, ":");
  for (const LexedLabel& label : series.labels) {
    absl::StrAppend(&words, " ", text(label.name), label.quoted_name ? "\"" : "", "=",
                    text(label.value));
  }
  return words;
}

std::string Fresh(bool open_metrics, std::string_view line) {
  LexedSeries series;
  std::string error;
  const LexResult result = open_metrics ? LexOpenMetricsSeries(line, &series, &error)
                                        : LexTextSeries(line, &series, &error);
  return Words(result, series, error);
}

// Each line in memory of its own, as lines of one buffer may lie anywhere.
void ExpectAsFresh(const std::vector<std::string>& lines) {
  for (const bool open_metrics : {false, true}) {
    SeriesLexer lexer;
    for (const std::string& line : lines) {
      std::string error;
      const LexResult result = lexer.Lex(open_metrics, line, &error);
      EXPECT_EQ(Words(result, lexer.series(), error), Fresh(open_metrics, line)) << line;
    }
  }
}

TEST(SeriesLexer, LineAfterLine) {
  ExpectAsFresh({
      R"(m_bucket{a="1",b="2",le="0.5"} 1)",
      R"(m_bucket{a="1",b="2",le="1"} 1)",
      R"(m_bucket{a="1",b="2"} 1)",   // ends where the one before went on
      R"(m_bucket{a="1",b="2",} 1)",  // a comma too many
      R"(m_bucket{a="1",b="2",le="1"} 1)",
      R"(m_bucket{a="1",b="2" ,le="1"} 1)",  // a blank before the comma
      R"(m_bucket{a="1",b="2" ,le="2"} 1)",
      R"(m_bucket{a="1" b="2",le="2"} 1)",  // no comma
      R"(m_bucket{a="1" b="2",le="3"} 1)",
      R"(m_bucket{a="1",b="x\"y",c="z"} 1)",  // escapes
      R"(m_bucket{a="1",b="x\"y",c="\\"} 1)",
      R"(m_bucket{a="1",b="x\"y",c="\\"} 1)",
      R"(m_bucket{a="1",b="x\"y",c=})",  // an error, then from its line on
      R"(m_bucket{a="1",b="x\"y",c="1"} 1)",
      R"(m_bucket{a="1",b="x\"y",)",  // not whole
      R"(m_bucket{a="1",b="x\"y",c="1"} 1)",
      R"({"quoted.name",a="1",b="2"} 1)",
      R"({"quoted.name",a="1",b="3"} 1)",
      R"({a="1",b="3","quoted.name"} 1)",
      R"({a="1",b="4","quoted.name"} 1)",
      R"(m{a="1","quoted"="2",b="3"} 1)",
      R"(m{a="1","quoted"="2",b="4"} 1)",
      R"(m{a="1",b="2","another.name"} 1)",  // a second name
      "plain 1",
      "plain 2",
  });
}

// Random lines of few pieces, so that they have much in common, right and wrong ones.
TEST(SeriesLexer, AnyLineAfterAnyOther) {
  const std::vector<std::string> pieces = {
      "a=\"1\"", "b=\"2\"", "bb=\"\\n\"",    ",", ",", ",", " ", "}", "\"q\"", "=",
      "\"",      "{",       "c=\"\xc3\xa9\""};
  std::mt19937 random(3);
  for (int round = 0; round < 300; ++round) {
    std::vector<std::string> lines = {"m{a=\"1\",b=\"2\"} 1"};
    for (int i = 0; i < 20; ++i) {
      std::string line = lines.back().substr(0, random() % (lines.back().size() + 1));
      for (uint32_t more = random() % 6; more > 0; --more) line += pieces[random() % pieces.size()];
      if (random() % 2 == 0) line += "} 1";
      if (line.empty()) line = "m";
      lines.push_back(std::move(line));
    }
    ExpectAsFresh(lines);
  }
}

}  // namespace
}  // namespace ampari
