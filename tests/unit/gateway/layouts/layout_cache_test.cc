// Layouts through registration blocks, against a plain model of what a forwarder registered.
#include "gateway/layouts/layout_cache.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <string>

#include "absl/strings/str_cat.h"
#include "common/frame/registration.h"
#include "gateway/layouts/render_rules.h"
#include "tests/support/status_matchers.h"

namespace ampari {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

// What one forwarder has registered: blocks as they arrive, and what each layout means.
class Forwarder final : public BlockSource {
 public:
  uint64_t AddBlock(uint64_t series, std::vector<Layout> layouts) {
    RegistrationBlock block;
    block.number = blocks_.size() + 1;
    block.first_series = next_series_;
    for (uint64_t i = 0; i < series; ++i) {
      block.series.push_back({{"__name__", "m"}, {"n", std::to_string(next_series_ + i)}});
    }
    block.first_layout = next_layout_;
    for (const Layout& layout : layouts) Resolve(next_layout_++, layout);
    block.layouts = std::move(layouts);
    next_series_ += series;
    blocks_.push_back(EncodeRegistration(block));
    headers_.push_back(*ParseRegistrationHeader(blocks_.back()));
    return next_layout_ - 1;
  }
  void Retire(size_t block) { retired_.push_back(block); }
  void Damage(size_t block) { blocks_[block][blocks_[block].size() / 2] ^= 0x40; }

  absl::StatusOr<std::string> BlockOfLayout(InstanceNumber, uint64_t layout) const override {
    ++reads_;
    for (size_t i = 0; i < blocks_.size(); ++i) {
      if (Has(i) && layout - headers_[i].first_layout < headers_[i].layouts) return blocks_[i];
    }
    return absl::NotFoundError(absl::StrCat("no block of layout ", layout));
  }
  absl::StatusOr<std::string> BlockOfSeries(InstanceNumber, uint64_t series) const override {
    ++reads_;
    for (size_t i = 0; i < blocks_.size(); ++i) {
      if (Has(i) && series - headers_[i].first_series < headers_[i].series) return blocks_[i];
    }
    return absl::NotFoundError(absl::StrCat("no block of series ", series));
  }
  absl::StatusOr<Labels> EnforcedLabels(InstanceNumber) const override { return enforced; }

  const std::vector<uint64_t>& expected(uint64_t layout) const { return meaning_.at(layout); }
  uint64_t layouts() const { return next_layout_ - 1; }
  uint64_t next_series() const { return next_series_; }
  int reads() const { return reads_; }
  Labels enforced;

 private:
  bool Has(size_t block) const {
    return std::find(retired_.begin(), retired_.end(), block) == retired_.end();
  }
  void Resolve(uint64_t number, const Layout& layout) {
    std::vector<uint64_t> series;
    for (const LayoutRun& run : layout.runs) {
      for (uint32_t i = 0; i < run.count; ++i) {
        series.push_back(run.from_base ? meaning_[layout.base].at(run.first + i) : run.first + i);
      }
    }
    meaning_[number] = series;
  }

  std::vector<std::string> blocks_;
  std::vector<RegistrationHeader> headers_;
  std::vector<size_t> retired_;
  uint64_t next_series_ = 1, next_layout_ = 1;
  std::map<uint64_t, std::vector<uint64_t>> meaning_;
  mutable int reads_ = 0;
};

Layout Of(std::vector<LayoutRun> runs, uint64_t base = 0) {
  Layout layout;
  layout.base = base;
  std::erase_if(runs, [](const LayoutRun& run) { return run.count == 0; });
  for (const LayoutRun& run : runs) layout.size += run.count;
  layout.runs = std::move(runs);
  return layout;
}

RenderRules Rules(const RemoteWriteConfig& config = {}, const Labels& external = {}) {
  return *MakeRenderRules(external, config);
}

std::vector<uint64_t> SeriesOf(LayoutCache& cache, uint64_t layout) {
  auto series = cache.Series(1, layout);
  EXPECT_THAT(series, IsOk());
  return series.ok() ? **series : std::vector<uint64_t>{};
}

TEST(LayoutCache, GoesFromAToBAndBackToA) {
  Forwarder forwarder;
  LayoutCache cache(forwarder, 1 << 20);
  const uint64_t a = forwarder.AddBlock(5, {Of({{false, 1, 5}})});
  // B has two new series in the middle; A' is an edit of B that leaves them out again.
  const uint64_t b = forwarder.AddBlock(2, {Of({{true, 0, 3}, {false, 6, 2}, {true, 3, 2}}, a)});
  const uint64_t a_again = forwarder.AddBlock(0, {Of({{true, 0, 3}, {true, 5, 2}}, b)});
  EXPECT_THAT(SeriesOf(cache, b), ElementsAre(1, 2, 3, 6, 7, 4, 5));
  EXPECT_THAT(SeriesOf(cache, a_again), ElementsAre(1, 2, 3, 4, 5));
  EXPECT_THAT(SeriesOf(cache, a), ElementsAre(1, 2, 3, 4, 5));
  EXPECT_EQ(cache.SeriesLabels(1, 7)->Get("n"), "7");
}

TEST(LayoutCache, RandomHistoriesMeanWhatWasRegistered) {
  for (uint32_t seed = 1; seed <= 30; ++seed) {
    std::minstd_rand random(seed);
    Forwarder forwarder;
    LayoutCache cache(forwarder,
                      seed % 2 == 0 ? 1 << 20 : 2000);  // the small one forgets most of it
    std::map<uint64_t, int> depth = {{forwarder.AddBlock(8, {Of({{false, 1, 8}})}), 0}};
    for (int step = 0; step < 40; ++step) {
      const uint64_t base = 1 + random() % forwarder.layouts();
      const auto size = static_cast<uint32_t>(forwarder.expected(base).size());
      const uint32_t added = random() % 4, cut = random() % size;
      std::vector<LayoutRun> runs = {
          {true, 0, cut}, {false, forwarder.next_series(), added}, {true, cut, size - cut}};
      const bool edit = depth[base] < kMaxEditChain && random() % 8 != 0;
      if (!edit) runs = {{false, forwarder.next_series(), added + 1}};
      const uint64_t number =
          forwarder.AddBlock(edit ? added : added + 1, {Of(runs, edit ? base : 0)});
      depth[number] = edit ? depth[base] + 1 : 0;
      const uint64_t asked = 1 + random() % forwarder.layouts();
      ASSERT_EQ(SeriesOf(cache, asked), forwarder.expected(asked))
          << "seed " << seed << " layout " << asked;
      auto rendered = cache.Rendered(1, asked, Rules());
      ASSERT_THAT(rendered, IsOk());
      ASSERT_EQ((*rendered)->size(), forwarder.expected(asked).size());
    }
  }
}

TEST(LayoutCache, ChainsEndAtTheirBound) {
  Forwarder forwarder;
  LayoutCache cache(forwarder, 1 << 20);
  uint64_t layout = forwarder.AddBlock(3, {Of({{false, 1, 3}})});
  for (int depth = 1; depth <= kMaxEditChain; ++depth) {
    layout = forwarder.AddBlock(0, {Of({{true, 1, 2}, {true, 0, 1}}, layout)});
    EXPECT_EQ(SeriesOf(cache, layout), forwarder.expected(layout)) << depth;
  }
  layout = forwarder.AddBlock(0, {Of({{true, 0, 3}}, layout)});
  EXPECT_THAT(cache.Series(1, layout),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("too long")));
}

TEST(LayoutCache, RetiredNumbersAreNotFoundOnceForgotten) {
  Forwarder forwarder;
  const uint64_t a = forwarder.AddBlock(2, {Of({{false, 1, 2}})});
  const uint64_t b = forwarder.AddBlock(2, {Of({{false, 3, 2}})});
  forwarder.Retire(0);
  LayoutCache cache(forwarder, 1 << 20);
  EXPECT_THAT(cache.Series(1, a), StatusIs(absl::StatusCode::kNotFound));
  EXPECT_THAT(cache.Rendered(1, a, Rules()), StatusIs(absl::StatusCode::kNotFound));
  EXPECT_THAT(cache.SeriesLabels(1, 2), StatusIs(absl::StatusCode::kNotFound));
  EXPECT_THAT(SeriesOf(cache, b), ElementsAre(3, 4));
  EXPECT_THAT(cache.Series(1, 0), StatusIs(absl::StatusCode::kNotFound));
}

TEST(LayoutCache, MalformedLayoutsAreDataLoss) {
  struct Row {
    const char* what;
    Layout layout;
  };
  Layout short_size = Of({{true, 0, 4}}, 1), leaves = Of({{true, 2, 3}}, 1),
         wraps = Of({{true, ~uint64_t{0}, 2}}, 1);
  short_size.size = 3;
  const Row rows[] = {{"runs differ from the size", short_size},
                      {"a run leaves its base", leaves},
                      {"a run wraps around", wraps},
                      {"a base that follows", Of({{true, 0, 1}}, 2)},
                      {"a base of the future", Of({{true, 0, 1}}, 9)}};
  for (const Row& row : rows) {
    Forwarder forwarder;
    forwarder.AddBlock(4, {Of({{false, 1, 4}})});
    RegistrationBlock block;
    block.number = 2;
    block.first_series = 5;
    block.first_layout = 2;
    block.layouts = {row.layout};
    class Two final : public BlockSource {
     public:
      const Forwarder* first;
      std::string second;
      absl::StatusOr<std::string> BlockOfLayout(InstanceNumber i, uint64_t layout) const override {
        return layout == 2 ? second : first->BlockOfLayout(i, layout);
      }
      absl::StatusOr<std::string> BlockOfSeries(InstanceNumber i, uint64_t s) const override {
        return first->BlockOfSeries(i, s);
      }
      absl::StatusOr<Labels> EnforcedLabels(InstanceNumber) const override { return Labels(); }
    } source;
    source.first = &forwarder;
    source.second = EncodeRegistration(block);
    LayoutCache cache(source, 1 << 20);
    EXPECT_THAT(cache.Series(1, 2), StatusIs(absl::StatusCode::kDataLoss)) << row.what;
  }
  Forwarder forwarder;
  const uint64_t a = forwarder.AddBlock(4, {Of({{false, 1, 4}})});
  forwarder.Damage(0);
  LayoutCache cache(forwarder, 1 << 20);
  EXPECT_THAT(cache.Series(1, a), StatusIs(absl::StatusCode::kDataLoss));
}

TEST(LayoutCache, RendersOncePerGenerationAndInstance) {
  Forwarder forwarder;
  const uint64_t layout = forwarder.AddBlock(3, {Of({{false, 1, 3}})});
  LayoutCache cache(forwarder, 1 << 20);
  const auto first = cache.Rendered(1, layout, Rules());
  EXPECT_EQ(*first, *cache.Rendered(1, layout, Rules()));
  EXPECT_EQ(cache.renders_total(), 1u);
  const auto other = cache.Rendered(1, layout, Rules({}, {{"mesh", "prod"}}));
  EXPECT_NE((*first)->label_bytes, (*other)->label_bytes);
  forwarder.enforced = {{"cluster", "a"}};
  cache.Invalidate(1);
  const auto enforced = cache.Rendered(1, layout, Rules());
  EXPECT_THAT((*enforced)->label_bytes, HasSubstr("cluster"));
  EXPECT_EQ(cache.renders_total(), 3u);
}

TEST(LayoutCache, StaysWithinItsBytes) {
  Forwarder forwarder;
  constexpr size_t kBytes = 64 << 10;
  LayoutCache cache(forwarder, kBytes);
  for (int i = 0; i < 200; ++i) {
    const uint64_t layout = forwarder.AddBlock(20, {Of({{false, forwarder.next_series(), 20}})});
    ASSERT_THAT(cache.Rendered(1, layout, Rules()), IsOk());
    ASSERT_LE(cache.bytes(), kBytes);
  }
  const int reads = forwarder.reads();
  ASSERT_THAT(cache.Rendered(1, forwarder.layouts(), Rules()), IsOk());
  EXPECT_EQ(forwarder.reads(), reads) << "the latest is kept";
  ASSERT_THAT(cache.Rendered(1, 1, Rules()), IsOk());
  EXPECT_GT(forwarder.reads(), reads) << "the first was forgotten";
  EXPECT_GT(cache.counts().evictions, 0u);
  EXPECT_EQ(cache.counts().rerenders, 1u);
}

// Decoded labels do not stay beside the rendered ones.
TEST(LayoutCache, ALayoutCostsLittleMoreThanItsLabels) {
  Forwarder forwarder;
  constexpr uint32_t kSeries = 100'000;
  const uint64_t layout = forwarder.AddBlock(kSeries, {Of({{false, 1, kSeries}})});
  LayoutCache cache(forwarder, size_t{256} << 20);
  const auto rendered = cache.Rendered(1, layout, Rules());
  ASSERT_THAT(rendered, IsOk());
  const size_t beside = cache.bytes() - (*rendered)->label_bytes.size();
  RecordProperty("bytes_per_series_beside_labels", std::to_string(beside / kSeries));
  EXPECT_LE(beside / kSeries, 60u);
}

}  // namespace
}  // namespace ampari
