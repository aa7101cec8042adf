#include "common/runtime/logging.h"

#include <gtest/gtest.h>

#include <limits>

namespace ampari {
namespace {

TEST(FormatLogLine, QuotesOnlyWhatLogfmtNeedsQuoted) {
  const std::pair<std::string_view, std::string_view> cases[] = {
      {"plain", "k=plain"},
      {"10.0.0.1:15020", "k=10.0.0.1:15020"},
      {"two words", "k=\"two words\""},
      {"", "k=\"\""},
      {"a=b", "k=\"a=b\""},
      {"say \"hi\"", "k=\"say \\\"hi\\\"\""},
      {"back\\slash", "k=\"back\\\\slash\""},
      {"line\nbreak\ttab\rcr", "k=\"line\\nbreak\\ttab\\rcr\""},
      {std::string_view("nul\0x", 5), "k=\"nul\\x00x\""},
      {"\x1b[31m", "k=\"\\x1b[31m\""},
      {"αμπάρι", "k=αμπάρι"},
  };
  for (const auto& [value, want] : cases) {
    EXPECT_EQ(FormatLogLine("e", {{"k", value}}), "msg=e " + std::string(want));
  }
}

TEST(FormatLogLine, KnowsNumbersBooleansDurationsAndStatuses) {
  EXPECT_EQ(FormatLogLine("target is down", {{"i", -5},
                                             {"u", std::numeric_limits<uint64_t>::max()},
                                             {"d", 1.5},
                                             {"b", true},
                                             {"t", absl::Milliseconds(1500)},
                                             {"s", absl::NotFoundError("gone")}}),
            "msg=\"target is down\" i=-5 u=18446744073709551615 d=1.5 b=true t=1.5s s=\"NOT_FOUND: "
            "gone\"");
}

TEST(FormatLogLine, CutsLongValuesAndTellsWhatWasSuppressed) {
  const std::string line = FormatLogLine("e", {{"k", std::string(2 * kMaxLogValueBytes, 'x')}}, 7);
  EXPECT_LT(line.size(), kMaxLogValueBytes + 64);
  EXPECT_EQ(line.substr(line.size() - 17), "...\" suppressed=7");
}

TEST(LogLimit, AdmitsOnePerIntervalAndCountsTheRest) {
  LogLimit limit(absl::Seconds(10));
  uint64_t suppressed = 99;
  EXPECT_TRUE(limit.Admit(absl::Seconds(100), &suppressed));
  EXPECT_EQ(suppressed, 0u);
  EXPECT_FALSE(limit.Admit(absl::Seconds(101), &suppressed));
  EXPECT_FALSE(limit.Admit(absl::Seconds(109), &suppressed));
  EXPECT_TRUE(limit.Admit(absl::Seconds(110), &suppressed));
  EXPECT_EQ(suppressed, 2u);
}

TEST(ParseLogLevel, KnowsFourWords) {
  LogLevel level = LogLevel::kError;
  EXPECT_TRUE(ParseLogLevel("debug", &level));
  EXPECT_EQ(level, LogLevel::kDebug);
  EXPECT_TRUE(ParseLogLevel("warn", &level));
  EXPECT_EQ(level, LogLevel::kWarn);
  EXPECT_FALSE(ParseLogLevel("loud", &level));
}

}  // namespace
}  // namespace ampari
