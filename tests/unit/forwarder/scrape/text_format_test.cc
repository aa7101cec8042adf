// What Prometheus' text parser accepts and rejects, one row each, and that cutting a body anywhere
// changes nothing.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/forwarder/scrape/scraped_bodies.h"

namespace ampari {
namespace {

using Samples = std::map<std::string, std::string>;

struct Row {
  const char* name;
  std::string body;
  bool up;
  Samples samples = {};
};

std::string L(std::string_view rest) {
  return absl::StrCat("{__name__=\"m\", instance=\"i\", job=\"j\"", std::string(rest), "}");
}
std::string Bytes(const char* text, size_t size) { return std::string(text, size); }

const int64_t kAt = kFirstScrapeMs + kIntervalMs;  // the first scrape's time

std::vector<Row> Rows() {
  const std::string now = absl::StrCat(kAt - 1000);
  return {
      {"plain", "m 1\n", true, {{L(""), "1"}}},
      {"no final newline", "m 1", true, {{L(""), "1"}}},
      {"plus sign", "m +1\n", true, {{L(""), "1"}}},
      {"minus", "m -15\n", true, {{L(""), "-15"}}},
      {"Inf", "m Inf\n", true, {{L(""), "inf"}}},
      {"+Infinity", "m +Infinity\n", true, {{L(""), "inf"}}},
      {"-inf", "m -iNf\n", true, {{L(""), "-inf"}}},
      {"nan", "m nan\n", true, {{L(""), "nan"}}},
      {"fraction forms", "m .5\n", true, {{L(""), "0.5"}}},
      {"point at the end", "m 5.\n", true, {{L(""), "5"}}},
      {"exponent", "m +.5e+3\n", true, {{L(""), "500"}}},
      {"underflow is 0", "m 1e-400\n", true, {{L(""), "0"}}},
      {"uint64", "m 16440392441958861461\n", true, {{L(""), "1.64404e+19"}}},
      {"tab separator", "m\t1\n", true, {{L(""), "1"}}},
      {"many blanks, trailing blank", "m \t 1 \t \n", true, {{L(""), "1"}}},
      {"empty braces", "m{} 1\n", true, {{L(""), "1"}}},
      {"blank braces", "m{ } 1\n", true, {{L(""), "1"}}},
      {"blank before brace",
       "m {a=\"1\"} 1\n",
       true,
       {{"{__name__=\"m\", a=\"1\", instance=\"i\", job=\"j\"}", "1"}}},
      {"blanks between tokens", "m { z = \"1\" , } 1\n", true, {{L(", z=\"1\""), "1"}}},
      {"trailing comma", "m{z=\"1\",} 1\n", true, {{L(", z=\"1\""), "1"}}},
      {"missing comma", "m{y=\"1\" z=\"2\"} 1\n", true, {{L(", y=\"1\", z=\"2\""), "1"}}},
      {"no blank before value", "m{z=\"1\"}1\n", true, {{L(", z=\"1\""), "1"}}},
      {"unknown escape stays", "m{z=\"a\\qb\"} 1\n", true, {{L(", z=\"a\\\\qb\""), "1"}}},
      {"escapes", "m{z=\"\\\\ \\\" \\n\"} 1\n", true, {{L(", z=\"\\\\ \\\" \\n\""), "1"}}},
      {"raw newline in value",
       "m{z=\"a\nb\"} 1\nm 2\n",
       true,
       {{L(", z=\"a\\nb\""), "1"}, {L(""), "2"}}},
      {"brace and hash in value", "m{z=\"} # {\"} 1\n", true, {{L(", z=\"} # {\""), "1"}}},
      {"empty value drops the label", "m{z=\"\"} 1\n", true, {{L(""), "1"}}},
      {"duplicate, first wins", "m 1\nm 2\n", true, {{L(""), "1"}}},
      {"duplicate by an empty label", "m 1\nm{z=\"\"} 2\n", true, {{L(""), "1"}}},
      {"TYPE after sample", "m 1\n# TYPE m gauge\n", true, {{L(""), "1"}}},
      {"two TYPE lines", "# TYPE m gauge\n# TYPE m counter\nm 1\n", true, {{L(""), "1"}}},
      {"EOF line", "m 1\n# EOF\nm{z=\"2\"} 2\n", true, {{L(""), "1"}, {L(", z=\"2\""), "2"}}},
      {"untyped", "# TYPE m untyped\nm 1\n", true, {{L(""), "1"}}},
      {"blank lines", "\n  \n\t\nm 1\n\n", true, {{L(""), "1"}}},
      {"empty body", "", true},
      {"only comments", "# a\n#b\n#\n# HELP\n# HELPx TYPE\n", true},
      {"colons in the name",
       "a:b:c 1\n",
       true,
       {{"{__name__=\"a:b:c\", instance=\"i\", job=\"j\"}", "1"}}},
      {"NUL in value", Bytes("m{z=\"a\0b\"} 1\n", 14), true, {{L(", z=\"a\\x00b\""), "1"}}},
      {"NUL in HELP and comment", Bytes("# HELP m a\0b\n# \0\nm 1\n", 22), true, {{L(""), "1"}}},
      {"NUL ends the text", Bytes("m 1\n\0junk\nm 2\n", 14), true, {{L(""), "1"}}},
      {"bad UTF-8 in a comment", "# \xff\nm 1\n", true, {{L(""), "1"}}},
      {"timestamp 0 is too old", "m 1 0\n", true, {}},
      {"timestamp", "m 1 " + now + "\n", true, {{L(""), "1@" + now}}},
      {"far future", "m 1 " + absl::StrCat(kAt + 600'001) + "\n", true, {}},
      {"ten minutes ahead",
       "m 1 " + absl::StrCat(kAt + 600'000) + "\n",
       true,
       {{L(""), "1@" + absl::StrCat(kAt + 600'000)}}},
      {"HELP with odd separator", "# HELP m-foo x\nm 1\n", true, {{L(""), "1"}}},
      {"TYPE behind a tab", "# TYPE m\tcounter\nm 1\n", true, {{L(""), "1"}}},
      {"quoted TYPE name", "# TYPE \"m\" gauge\nm 1\n", true, {{L(""), "1"}}},
      {"quoted metric name", "{\"m\"} 1\n", true, {{L(""), "1"}}},
      {"quoted metric name behind labels", "{z=\"1\",\"m\"} 1\n", true, {{L(", z=\"1\""), "1"}}},
      {"quoted label name", "m{\"z\"=\"1\"} 1\n", true, {{L(", z=\"1\""), "1"}}},
      // Rejected as a whole.
      {"CRLF", "m 1\r\n", false},
      {"negative timestamp", "m 1 -5\n", false},
      {"float timestamp", "m 1 1.5\n", false},
      {"timestamp overflow", "m 1 9223372036854775808\n", false},
      {"two timestamps", "m 1 1 2\n", false},
      {"out of range", "m 1e400\n", false},
      {"-NaN", "m -NaN\n", false},
      {"+NaN", "m +NaN\n", false},
      {"hexadecimal", "m 0x10\n", false},
      {"hexadecimal float", "m 0x1p4\n", false},
      {"underscore", "m 1_0\n", false},
      {"only a point", "m .\n", false},
      {"comma alone", "m{,} 1\n", false},
      {"two commas", "m{y=\"1\",,z=\"2\"} 1\n", false},
      {"bad UTF-8 in value", "m{z=\"\xff\"} 1\n", false},
      {"overlong UTF-8", "m{z=\"\xc0\x80\"} 1\n", false},
      {"surrogate", "m{z=\"\xed\xa0\x80\"} 1\n", false},
      {"bad UTF-8 in HELP", "# HELP m \xff\nm 1\n", false},
      {"repeated label", "m{z=\"1\",z=\"2\"} 1\n", false},
      {"__name__ beside a name", "m{__name__=\"x\"} 1\n", false},
      {"no name", "{z=\"1\"} 1\n", false},
      {"two names", "m{\"x\"} 1\n", false},
      {"name that needs UTF-8", "{\"a.b\"} 1\n", false},
      {"label that needs UTF-8", "m{\"a.b\"=\"1\"} 1\n", false},
      {"TYPE foo", "# TYPE m foo\nm 1\n", false},
      {"TYPE unknown", "# TYPE m unknown\nm 1\n", false},
      {"TYPE info", "# TYPE m info\nm 1\n", false},
      {"TYPE missing", "# TYPE m\nm 1\n", false},
      {"TYPE without a name", "# TYPE \nm 1\n", false},
      {"TYPE with a trailing blank", "# TYPE m counter \nm 1\n", false},
      {"indented TYPE is read", "  # TYPE m foo\nm 1\n", false},
      {"HELP with a bad name", "# HELP 1a x\nm 1\n", false},
      {"exemplar", "m 1 # {a=\"1\"} 1\n", false},
      {"digit first", "1m 1\n", false},
      {"blank before the name", "  m 1\n", false},
      {"StaleNaN", "m StaleNaN\n", false},
      {"no value", "m\n", false},
      {"no value behind braces", "m{z=\"1\"}\n", false},
      {"value and brace", "m 1{\n", false},
      {"brace on two lines", "m{y=\"1\",\nz=\"2\"} 1\n", false},
      {"backslash before a raw newline", "m{z=\"a\\\nb\"} 1\n", false},
      {"colon in a label name", "m{x:y=\"1\"} 1\n", false},
      {"unterminated value", "m{z=\"1} 1\n", false},
      {"cut in mid-line", "m{z=\"1\"} 1\nm{z=\"", false},
      {"binary tail", std::string("m 1\n\x1f\x8b\x08"), false},
      {"NUL in a name", Bytes("m\0 1\n", 5), false},
      {"name begins like a known one", "m 1\nm1 2\nm{z=\"1\"} 3\nm 1 x\n", false},
  };
}

TEST(TextFormat, AcceptsAndRejectsAsPrometheus) {
  for (const Row& row : Rows()) {
    SCOPED_TRACE(row.name);
    ScrapedBodies target;
    EXPECT_EQ(target.Scrape(row.body), row.samples);
    EXPECT_EQ(target.summary.up, row.up) << target.summary.error;
    EXPECT_EQ(target.report().at("up"), row.up ? "1" : "0");
  }
}

TEST(TextFormat, PiecesCutAnywhereGiveTheSame) {
  for (const Row& row : Rows()) {
    for (size_t piece = 1; piece <= row.body.size(); ++piece) {
      SCOPED_TRACE(absl::StrCat(row.name, " in pieces of ", piece));
      ScrapedBodies target;
      ASSERT_EQ(target.Scrape(row.body, {}, piece), row.samples);
      ASSERT_EQ(target.summary.up, row.up) << target.summary.error;
      if (!row.up) continue;
      // The second time everything is predicted.
      target.Scrape(row.body, {}, piece);
      ASSERT_EQ(target.summary.parsed, 0u);
    }
  }
}

TEST(TextFormat, KnownTextsAreNoPrefixes) {
  ScrapedBodies target;
  target.Scrape("m 1\n");
  EXPECT_EQ(target.Scrape("m1 5\n").size(), 2u) << "m is stale, m1 is new";
  target.Scrape("m 1\n");
  const auto samples = target.Scrape("m{z=\"1\"} 5\n");
  EXPECT_EQ(samples.at(L(", z=\"1\"")), "5");
  EXPECT_EQ(samples.at(L("")), "stale");
}

TEST(TextFormat, FormatsAreKnownApart) {
  ScrapedBodies target;
  target.Scrape("m{y=\"1\" z=\"2\"} 1\n");
  target.protocol = ScrapeProtocol::kOpenMetrics100;
  target.Scrape("m{y=\"1\" z=\"2\"} 1\n# EOF\n");
  EXPECT_FALSE(target.summary.up) << "a missing comma is tolerated in text only";
}

TEST(TextFormat, LinesHaveABound) {
  ScrapedBodies target;
  const std::string text = "m{z=\"" + std::string(size_t{17} << 20, 'x') + "\"} 1\n";
  target.Scrape(text, {}, size_t{256} << 10);
  EXPECT_FALSE(target.summary.up);
  EXPECT_EQ(target.summary.error, "a line is longer than 16 MiB");
  EXPECT_EQ(target.summary.body_bytes, text.size());
  EXPECT_LT(target.state().memory_bytes(), size_t{1} << 20);
}

}  // namespace
}  // namespace ampari
