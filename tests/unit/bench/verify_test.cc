#include "bench/verify/verify.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>

#include "bench/verify/go_float.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"

namespace ampari::bench {
namespace {

constexpr uint64_t kStaleBits = 0x7ff0000000000002;

uint64_t Bits(double value) {
  uint64_t bits = 0;
  std::memcpy(&bits, &value, sizeof bits);
  return bits;
}

TEST(NormaliseBound, WritesNumbersAsGoDoes) {
  const std::pair<const char*, const char*> cases[] = {
      {"1", "1.0"},
      {"0", "0.0"},
      {"0.5", "0.5"},
      {"100000", "100000.0"},
      {"600000", "600000.0"},
      {"1800000", "1.8e+06"},
      {"3600000", "3.6e+06"},
      {"1e+06", "1e+06"},
      {"123456789", "1.23456789e+08"},
      {"0.0001", "0.0001"},
      {"0.00001", "1e-05"},
      {"1e21", "1e+21"},
      {"-2.5", "-2.5"},
      {"8.999999999999998", "8.999999999999998"},
      {"+Inf", "+Inf"},
      {"NaN", "NaN"},
      {"text", "text"},
  };
  for (const auto& [text, want] : cases) EXPECT_EQ(NormaliseBound(text), want) << text;
}

TEST(FinalLabels, HonoursScrapedLabelsAndDropsEmptyOnes) {
  const LabelMap target = {{"instance", "a:1"}, {"job", "j"}, {"pod", "p"}};
  ExpectedLabels expected;
  expected.extra = {{"cluster", "c"}};
  const std::pair<const char*, const char*> cases[] = {
      {"up", "{__name__=\"up\",cluster=\"c\",instance=\"a:1\",job=\"j\",pod=\"p\"}"},
      {"x{}", "{__name__=\"x\",cluster=\"c\",instance=\"a:1\",job=\"j\",pod=\"p\"}"},
      {"x{pod=\"own\",e=\"\",}",
       "{__name__=\"x\",cluster=\"c\",instance=\"a:1\",job=\"j\",pod=\"own\"}"},
      {"x{pod=\"\"}", "{__name__=\"x\",cluster=\"c\",instance=\"a:1\",job=\"j\"}"},
      {"x{b=\"q\\\"}\\\\ \\n\"}",
       "{__name__=\"x\",b=\"q\\\"}\\\\ \\n\",cluster=\"c\",instance=\"a:1\",job=\"j\",pod=\"p\"}"},
  };
  for (const auto& [series, want] : cases) {
    const absl::StatusOr<LabelMap> labels = FinalLabels({series, "gauge", 0}, target, expected);
    ASSERT_THAT(labels, IsOk()) << series;
    EXPECT_EQ(CanonicalText(*labels), want);
  }
}

TEST(BodyReader, ReadsSamplesAndStopsAtWhatIsNone) {
  BodyReader reader("# TYPE a counter\na{x=\"} 1\"} 2\n\nb +Inf\nnot a sample {\nc 1\n");
  BodySample sample;
  ASSERT_TRUE(reader.Next(&sample));
  EXPECT_EQ(sample.series, "a{x=\"} 1\"}");
  EXPECT_EQ(sample.family_type, "counter");
  EXPECT_EQ(sample.value_bits, Bits(2));
  ASSERT_TRUE(reader.Next(&sample));
  EXPECT_EQ(sample.series, "b");
  EXPECT_FALSE(reader.Next(&sample));
  EXPECT_THAT(reader.status(), StatusIs(absl::StatusCode::kInvalidArgument));
}

// Three answers of one target with the series a and b; b is gone in the third.
class VerifyTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto log = ScrapeLog::Create(dir_.File("log"), dir_.File("bodies"));
    ASSERT_THAT(log, IsOk());
    const char* bodies[] = {"a 1\nb 10\n", "a 2\nb 10\n", "a 3\n"};
    for (int i = 0; i < 3; ++i) {
      ServedScrape scrape;
      scrape.address = "t:1";
      scrape.pod = "p";
      scrape.step = static_cast<uint64_t>(i) + 1;
      scrape.time_ms = 100'000 + i * 15'000;
      ASSERT_THAT((*log)->Append(scrape, bodies[i]), IsOk());
    }
    // What should have arrived, a few milliseconds earlier as schedules have it.
    a_ = {{99'995, Bits(1)}, {114'995, Bits(2)}, {129'995, Bits(3)}};
    b_ = {{99'995, Bits(10)}, {114'995, Bits(10)}, {129'995, kStaleBits}};
  }

  VerifyCounts Run() {
    Delivered delivered;
    delivered.Add("{__name__=\"a\",instance=\"t:1\"}", a_);
    delivered.Add("{__name__=\"b\",instance=\"t:1\"}", b_);
    delivered.Add("{__name__=\"up\",instance=\"t:1\"}", up_);
    delivered.Add("{__name__=\"scrape_duration_seconds\",instance=\"t:1\"}", duration_);
    const absl::StatusOr<std::vector<ServedScrape>> served = ReadScrapeLog(dir_.File("log"));
    EXPECT_THAT(served, IsOk());
    const absl::StatusOr<BodyFile> bodies = BodyFile::Open(dir_.File("bodies"));
    EXPECT_THAT(bodies, IsOk());
    const absl::StatusOr<VerifyCounts> counts =
        Verify(options_, {{"t:1", {{"instance", "t:1"}}}}, *served, *bodies, delivered);
    EXPECT_THAT(counts, IsOk());
    return *counts;
  }

  TempDir dir_;
  VerifyOptions options_;
  std::vector<DeliveredSample> a_, b_;
  std::vector<DeliveredSample> up_ = {{99'995, Bits(1)}, {107'000, Bits(0)}};
  std::vector<DeliveredSample> duration_ = {{99'995, Bits(0.01)}, {107'000, Bits(0.01)}};
};

TEST_F(VerifyTest, AcceptsWhatArrivedExactly) {
  options_.check_stale = true;
  const VerifyCounts counts = Run();
  EXPECT_EQ(counts.verified, 3u);
  EXPECT_EQ(counts.samples, 5u);
  EXPECT_EQ(counts.problems(), 0u) << counts.ToJson();
}

TEST_F(VerifyTest, FindsALostScrape) {
  a_.erase(a_.begin() + 1);
  b_.erase(b_.begin() + 1);
  const VerifyCounts counts = Run();
  EXPECT_EQ(counts.lost, 1u);
  EXPECT_EQ(counts.problems(), 1u) << counts.ToJson();
}

TEST_F(VerifyTest, ExcusesOneAnswerForEachScrapeThatWasGivenUp) {
  a_ = {a_.front()};
  b_ = {b_.front()};
  up_ = {{99'995, Bits(1)}, {114'000, Bits(0)}, {129'000, Bits(0)}};
  duration_ = {{99'995, Bits(0.01)}, {114'000, Bits(1.002)}, {129'000, Bits(1.5)}};
  VerifyCounts counts = Run();
  EXPECT_EQ(counts.given_up, 2u);
  EXPECT_EQ(counts.problems(), 0u) << counts.ToJson();
  const std::pair<int64_t, double> others[] = {
      {131'000, 1.0},   // began after the answer
      {104'000, 1.0},   // too long before
      {129'000, 0.01},  // failed at once
  };
  for (const auto& [timestamp_ms, seconds] : others) {
    up_.back() = {timestamp_ms, Bits(0)};
    duration_.back() = {timestamp_ms, Bits(seconds)};
    counts = Run();
    EXPECT_EQ(counts.given_up, 1u) << timestamp_ms;
    EXPECT_EQ(counts.lost, 1u) << timestamp_ms;
  }
}

TEST_F(VerifyTest, WhatAnAnswerAfterUntilExplainsIsNotTakenForALostOne) {
  options_.until_ms = 110'000;  // the others may be missing, but arrived; b did not change
  options_.tolerance_ms = 20'000;
  a_.erase(a_.begin());
  b_.erase(b_.begin());
  const VerifyCounts counts = Run();
  EXPECT_EQ(counts.scrapes, 1u);
  EXPECT_EQ(counts.lost, 1u);
  EXPECT_EQ(counts.problems(), 1u) << counts.ToJson();
}

TEST_F(VerifyTest, FindsAMissingSeries) {
  a_.erase(a_.begin() + 1);
  EXPECT_EQ(Run().partial, 1u);
}

TEST_F(VerifyTest, FindsAWrongValue) {
  a_[1].value_bits = Bits(2.0000000000000004);
  const VerifyCounts counts = Run();
  EXPECT_EQ(counts.wrong, 1u);
  EXPECT_EQ(counts.problems(), 1u) << counts.ToJson();
}

TEST_F(VerifyTest, FindsADouble) {
  a_.insert(a_.begin() + 2, {116'000, Bits(2)});
  b_.insert(b_.begin() + 2, {116'000, Bits(10)});
  const VerifyCounts counts = Run();
  EXPECT_EQ(counts.doubled, 1u);
  EXPECT_EQ(counts.problems(), 1u) << counts.ToJson();
}

TEST_F(VerifyTest, FindsSamplesThatWereNeverServed) {
  a_.insert(a_.begin() + 2, {120'000, Bits(99)});
  EXPECT_EQ(Run().unexplained, 1u);
}

TEST_F(VerifyTest, FindsASeriesThatTheAnswerDidNotHave) {
  b_[2].value_bits = Bits(10);
  EXPECT_EQ(Run().extra, 1u);
}

TEST_F(VerifyTest, FindsAMissingStalenessMarker) {
  options_.check_stale = true;
  b_.pop_back();
  EXPECT_EQ(Run().missing_stale, 1u);
}

TEST_F(VerifyTest, LooksNotAtIgnoredMetrics) {
  options_.check_stale = true;
  options_.ignored_metrics = {"b"};
  b_ = {{99'995, Bits(10)}};  // refused later on
  const VerifyCounts counts = Run();
  EXPECT_EQ(counts.samples, 3u);
  EXPECT_EQ(counts.problems(), 0u) << counts.ToJson();
}

TEST_F(VerifyTest, ATimestampFarFromItsAnswerIsNotThatAnswers) {
  options_.tolerance_ms = 3;
  const VerifyCounts counts = Run();
  EXPECT_EQ(counts.lost, 3u);
  EXPECT_EQ(counts.unexplained, 3u);
}

TEST_F(VerifyTest, SamplesOfAnswersBeforeFromNeedNoExplanation) {
  options_.from_ms = 100'001;  // just behind the first answer
  const VerifyCounts counts = Run();
  EXPECT_EQ(counts.verified, 2u);
  EXPECT_EQ(counts.problems(), 0u) << counts.ToJson();
}

TEST(Delivered, PassesOverSeriesOfOthers) {
  Delivered delivered(LabelMap{{"cluster", "a"}});
  delivered.Add(R"({__name__="up",cluster="a",instance="x"})", {{1, 1}});
  delivered.Add(R"({__name__="up",cluster="b",instance="x"})", {{1, 1}});
  delivered.Add(R"({__name__="up",instance="x"})", {{1, 1}});
  EXPECT_EQ(delivered.target("x").size(), 1u);
}

TEST_F(VerifyTest, LooksOnlyBetweenFromAndUntil) {
  a_.pop_back();
  b_.pop_back();
  options_.until_ms = 120'000;
  const VerifyCounts counts = Run();
  EXPECT_EQ(counts.verified, 2u);
  EXPECT_EQ(counts.problems(), 0u) << counts.ToJson();
}

}  // namespace
}  // namespace ampari::bench
