#include "forwarder/scrape/registration_split.h"

#include <gtest/gtest.h>

#include <random>

#include "absl/strings/str_cat.h"

namespace ampari {
namespace {

constexpr size_t kGatewayBytes = size_t{16} << 20;  // what a gateway takes as one message

Labels SeriesOf(size_t label_bytes, int n) {
  return Labels{{"__name__", absl::StrCat("m", n)}, {"long", std::string(label_bytes, 'x')}};
}

RegistrationBlock Whole(const std::vector<size_t>& label_bytes) {
  RegistrationBlock whole;
  whole.first_series = 100;
  for (const size_t bytes : label_bytes) {
    whole.series.push_back(SeriesOf(bytes, static_cast<int>(whole.series.size())));
  }
  whole.first_layout = 7;
  whole.layouts = {{0, 1, {{false, 100, 1}}}, {0, 2, {{false, 100, 2}}}};
  return whole;
}

TEST(RegistrationSplit, SeriesPerBlock) {
  constexpr size_t kMiB = size_t{1} << 20;
  struct Row {
    std::vector<size_t> label_bytes;
    std::vector<size_t> want;  // series per block
  };
  const std::vector<Row> rows = {
      {{}, {0}},
      {{1}, {1}},
      {{kMiB, kMiB}, {2}},
      {{kMiB, kMiB, kMiB}, {2, 1}},
      {{3 * kMiB - 100, 1, 200}, {2, 1}},
      {{2 * kMiB, 2 * kMiB, 2 * kMiB}, {1, 1, 1}},
  };
  for (const Row& row : rows) {
    const RegistrationBlock whole = Whole(row.label_bytes);
    const std::vector<RegistrationBlock> blocks = SplitRegistration(whole);
    std::vector<size_t> sizes;
    std::vector<Labels> series;
    for (const RegistrationBlock& block : blocks) {
      EXPECT_EQ(block.first_series, 100 + series.size());
      EXPECT_EQ(block.layouts.empty(), &block != &blocks.back());
      sizes.push_back(block.series.size());
      series.insert(series.end(), block.series.begin(), block.series.end());
    }
    EXPECT_EQ(sizes, row.want);
    EXPECT_EQ(series, whole.series);
    EXPECT_EQ(blocks.back().first_layout, 7u);
    EXPECT_EQ(blocks.back().layouts, whole.layouts);
  }
}

TEST(RegistrationSplit, ManyRunsStandAlone) {
  RegistrationBlock whole = Whole({1, 1});
  for (uint64_t i = 0; i < 100'000; ++i) whole.layouts[1].runs.push_back({false, 2 * i + 1, 1});
  EXPECT_EQ(WhyUnregistrable(whole), "");
  const std::vector<RegistrationBlock> blocks = SplitRegistration(whole);
  ASSERT_EQ(blocks.size(), 2u);
  EXPECT_TRUE(blocks[1].series.empty());
  EXPECT_EQ(blocks[1].layouts, whole.layouts);
}

TEST(RegistrationSplit, WhatCannotBeRegistered) {
  EXPECT_EQ(WhyUnregistrable(Whole({kMaxBlockLabelBytes - 100})), "");
  EXPECT_NE(WhyUnregistrable(Whole({1, kMaxBlockLabelBytes})), "");
  RegistrationBlock whole = Whole({1});
  whole.layouts[0].runs.resize(kMaxBlockRuns, {false, 1, 1});
  EXPECT_NE(WhyUnregistrable(whole), "") << "one run more in the other layout";
}

// Random short labels are the worst: nothing repeats, and a label costs more than its text.
TEST(RegistrationSplit, EveryBlockFitsAGatewaysMessage) {
  std::mt19937_64 random(1);
  RegistrationBlock whole;
  whole.number = 1;
  whole.first_series = 1;
  for (int i = 0; i < 22'000; ++i) {
    LabelsBuilder builder;
    for (int l = 0; l < 20; ++l) {
      const uint64_t bits = random();
      const auto* text = reinterpret_cast<const char*>(&bits);
      builder.Set({text, 3}, {text + 3, 3});
    }
    whole.series.push_back(builder.Build());
  }
  const std::vector<RegistrationBlock> blocks = SplitRegistration(std::move(whole));
  EXPECT_GT(blocks.size(), 1u);
  for (const RegistrationBlock& block : blocks) {
    EXPECT_LT(EncodeRegistration(block).size(), kGatewayBytes);
  }
}

}  // namespace
}  // namespace ampari
