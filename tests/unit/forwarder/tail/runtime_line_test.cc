// Lines of container runtimes: the CRI format, Docker's json-file, their times.
#include "forwarder/tail/runtime_line.h"

#include <gtest/gtest.h>

#include "forwarder/tail/json_text.h"

namespace ampari {
namespace {

constexpr int64_t kSecond = 1'000'000'000;

TEST(Rfc3339, Times) {
  struct Row {
    const char* text;
    std::optional<int64_t> nanos;
  };
  const Row rows[] = {
      {"1970-01-01T00:00:00Z", 0},
      {"2026-11-26T12:00:00Z", 1795694400 * kSecond},
      {"2026-11-26T12:00:00.5Z", 1795694400 * kSecond + kSecond / 2},
      {"2026-11-26T12:00:00.123456789Z", 1795694400 * kSecond + 123456789},
      {"2026-11-26T12:00:00.1234567899999Z", 1795694400 * kSecond + 123456789},
      {"2026-11-26T14:00:00.000000001+02:00", 1795694400 * kSecond + 1},
      {"2026-11-26T06:30:00-05:30", 1795694400 * kSecond},
      {"2024-02-29T00:00:00Z", 1709164800 * kSecond},
      {"2000-03-01T00:00:00Z", 951868800 * kSecond},
      {"2100-03-01T00:00:00Z", 4107542400 * kSecond},
      {"2016-12-31T23:59:60Z", 1483228799 * kSecond},
      {"2261-12-31T23:59:59Z", 9214646399 * kSecond},
      {"", std::nullopt},
      {"2026-11-26T12:00:00", std::nullopt},
      {"2026-11-26T12:00:00.Z", std::nullopt},
      {"2026-11-26 12:00:00Z", std::nullopt},
      {"2026-13-26T12:00:00Z", std::nullopt},
      {"2026-02-30T12:00:00Z", std::nullopt},
      {"2026-11-26T24:00:00Z", std::nullopt},
      {"2026-11-26T12:00:00+0200", std::nullopt},
      {"2026-11-26T12:00:00Zx", std::nullopt},
      {"1969-12-31T23:59:59Z", std::nullopt},
      {"2262-01-01T00:00:00Z", std::nullopt},
      {"2o26-11-26T12:00:00Z", std::nullopt},
  };
  for (const Row& row : rows) EXPECT_EQ(ParseRfc3339Nanos(row.text), row.nanos) << row.text;
}

TEST(CriLine, Lines) {
  struct Row {
    const char* line;
    bool ok;
    LogOutput output = LogOutput::kStdout;
    bool partial = false;
    const char* text = "";
  };
  constexpr auto kErr = LogOutput::kStderr;
  constexpr auto kOut = LogOutput::kStdout;
  const Row rows[] = {
      {"2016-10-06T00:17:09.669794202Z stdout F the line", true, kOut, false, "the line"},
      {"2016-10-06T00:17:09.669794202Z stderr P a part", true, kErr, true, "a part"},
      {"2016-10-06T00:17:09.669794202+00:00 stdout F   two blanks first", true, kOut, false,
       "  two blanks first"},
      {"2016-10-06T00:17:09Z stdout P:later:tags x", true, kOut, true, "x"},
      {"2016-10-06T00:17:09Z stdout later:P x", true, kOut, false, "x"},
      {"2016-10-06T00:17:09Z stdout F ", true, kOut, false, ""},
      {"2016-10-06T00:17:09Z stdout F", true, kOut, false, ""},
      {"2016-10-06T00:17:09Z stdout", false},
      {"2016-10-06T00:17:09Z stdin F x", false},
      {"stdout F x", false},
      {"not a time stdout F x", false},
      {"", false},
  };
  for (const Row& row : rows) {
    RuntimeLine line;
    ASSERT_EQ(ParseCriLine(row.line, &line), row.ok) << row.line;
    if (!row.ok) continue;
    EXPECT_EQ(line.output, row.output) << row.line;
    EXPECT_EQ(line.partial, row.partial) << row.line;
    EXPECT_EQ(line.text, row.text) << row.line;
  }
}

TEST(CriLine, AnyBytesButNewlines) {
  RuntimeLine line;
  const std::string text("\0\xff\r \x01", 5);
  const std::string whole = "2016-10-06T00:17:09Z stdout F " + text;  // outlives the line's text
  ASSERT_TRUE(ParseCriLine(whole, &line));
  EXPECT_EQ(line.text, text);
}

TEST(DockerLine, Lines) {
  struct Row {
    const char* line;
    bool ok;
    bool partial = false;
    const char* text = "";
  };
  const Row rows[] = {
      {R"({"log":"the line\n","stream":"stdout","time":"2016-10-06T00:17:09.669794202Z"})", true,
       false, "the line"},
      {R"({"log":"a part","stream":"stdout","time":"2016-10-06T00:17:09Z"})", true, true, "a part"},
      {R"({"log":"windows\r\n","stream":"stderr","time":"2016-10-06T00:17:09Z"})", true, false,
       "windows"},
      {R"({"time":"2016-10-06T00:17:09Z","attrs":{"a":[1,"}"]},"stream":"stdout","log":"x\n"})",
       true, false, "x"},
      {R"( { "log" : "\"q\" \\ \/ \t \u00e9 \ud83d\ude00\n" , "stream" : "stdout" , "time" : "2016-10-06T00:17:09Z" } )",
       true, false, "\"q\" \\ / \t é 😀"},
      {R"({"log":"\ud83d lone\n","stream":"stdout","time":"2016-10-06T00:17:09Z"})", true, false,
       "\uFFFD lone"},
      {R"({"log":"\q\u12\n","stream":"stdout","time":"2016-10-06T00:17:09Z"})", true, false,
       R"(\q\u12)"},
      {R"({"log":"","stream":"stdout","time":"2016-10-06T00:17:09Z"})", true, true, ""},
      {R"({"stream":"stdout","time":"2016-10-06T00:17:09Z"})", false},
      {R"({"log":"x\n","stream":"stdout"})", false},
      {R"({"log":"x\n","stream":"other","time":"2016-10-06T00:17:09Z"})", false},
      {R"({"log":"x\n","stream":"stdout","time":"2016-10-06T00:17:09Z")", false},
      {R"({"log":"x\n","stream":"stdout","time":"2016-10-06T00:17:09Z"} more)", false},
      {R"({"log":"x)", false},
      {R"({"log":"ends in a backslash\)", false},
      {"{}", false},
      {"[]", false},
      {"", false},
  };
  for (const Row& row : rows) {
    RuntimeLine line;
    std::string buffer;
    ASSERT_EQ(ParseDockerLine(row.line, &line, &buffer), row.ok) << row.line;
    if (!row.ok) continue;
    EXPECT_EQ(line.partial, row.partial) << row.line;
    EXPECT_EQ(line.text, row.text) << row.line;
  }
}

TEST(JsonText, DeepNestingIsRefused) {
  const std::string deep(1000, '[');
  JsonText json(deep);
  EXPECT_FALSE(json.SkipValue());
}

}  // namespace
}  // namespace ampari
