// TargetState against a naive oracle, on random bodies: whatever was predicted, edited, shared or
// reused on the way, the samples of each scrape are those of a parser that remembers nothing but
// the last scrape.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>
#include <set>

#include "tests/unit/forwarder/scrape/scraped_bodies.h"

namespace ampari {
namespace {

using Samples = std::map<std::string, std::string>;

struct Line {
  std::string series;  // as in the body
  std::string labels;  // as ToString of its labels shows it
  int value = 0;
};

std::string LabelsText(int family, int variant) {
  return absl::StrCat("{__name__=\"f", family, "\", instance=\"i\", job=\"j\", v=\"", variant,
                      "\"}");
}

// Some series have several spellings.
Line MakeLine(std::mt19937& random, int family, int variant) {
  static const char* const kForms[] = {"{v=\"", "{ v=\"", "{e=\"\",v=\""};
  const size_t form = random() % 40 == 0 ? 1 + random() % 2 : 0;
  return {absl::StrCat("f", family, kForms[form], variant, "\"}"), LabelsText(family, variant),
          static_cast<int>(random() % 5)};
}

class Mesh {
 public:
  explicit Mesh(unsigned seed) : random_(seed) {
    for (int i = 0; i < 40; ++i) lines_.push_back(MakeLine(random_, i / 8, i));
  }

  // A few changes of what is exposed, and new values.
  std::string Next(Samples* expected) {
    const unsigned what = random_() % 12;
    if (what == 0) Insert(1 + random_() % 5);
    if (what == 1) Remove(1 + random_() % 5);
    if (what == 2) std::swap(lines_[random_() % lines_.size()], lines_[random_() % lines_.size()]);
    if (what == 3) lines_.push_back(lines_[random_() % lines_.size()]);
    if (what == 4) std::swap(lines_, other_);  // A to B and back
    if (what == 5) std::shuffle(lines_.begin(), lines_.end(), random_);
    if (lines_.empty()) Insert(10);
    std::string body;
    expected->clear();
    for (Line& line : lines_) {
      if (random_() % 3 == 0) line.value = static_cast<int>(random_() % 1000);
      if (random_() % 50 == 0) absl::StrAppend(&body, "# HELP f", random_() % 5, " text\n");
      absl::StrAppend(&body, line.series, " ", line.value, "\n");
      expected->emplace(line.labels, absl::StrCat(line.value));  // the first one wins
    }
    return body;
  }

 private:
  void Insert(size_t count) {
    const auto at = static_cast<std::ptrdiff_t>(random_() % (lines_.size() + 1));
    std::vector<Line> more;
    for (size_t i = 0; i < count; ++i) {
      more.push_back(
          MakeLine(random_, static_cast<int>(random_() % 5), static_cast<int>(random_() % 300)));
    }
    lines_.insert(lines_.begin() + at, more.begin(), more.end());
  }
  void Remove(size_t count) {
    for (size_t i = 0; i < count && !lines_.empty(); ++i) {
      lines_.erase(lines_.begin() + static_cast<std::ptrdiff_t>(random_() % lines_.size()));
    }
  }

  std::mt19937 random_;
  std::vector<Line> lines_, other_;
};

// Adds markers of what vanished.
Samples WithMarkers(const Samples& now, const Samples& before) {
  Samples out = now;
  for (const auto& [labels, value] : before) out.emplace(labels, "stale");
  return out;
}

TEST(TargetModel, RandomBodiesWithChurn) {
  for (unsigned seed = 1; seed <= 8; ++seed) {
    std::mt19937 random(seed * 77);
    Mesh mesh(seed);
    ScrapedBodies target;
    Samples before;
    for (int i = 0; i < 250; ++i) {
      Samples expected;
      std::string body = mesh.Next(&expected);
      const size_t piece = random() % 3 == 0 ? 1 + random() % 100 : body.size();
      const unsigned trouble = random() % 20;
      ScrapeEnd end;
      if (trouble == 0) body.insert(body.find('\n', body.size() / 2) + 1, "bad line !\n");
      if (trouble == 1) end.transport = absl::UnavailableError("connection refused");
      if (trouble == 2) body.clear();
      if (trouble <= 2) expected.clear();
      SCOPED_TRACE(absl::StrCat("seed ", seed, " scrape ", i, " trouble ", trouble));
      ASSERT_EQ(target.Scrape(body, end, piece), WithMarkers(expected, before));
      ASSERT_EQ(target.summary.up, trouble > 1) << target.summary.error;
      before = expected;
      if (trouble == 3) target.Reconfigure(std::make_shared<ScrapeJob>());
    }
    ASSERT_LT(target.replay().living_blocks(), 200u);
    target.EndOfRun();
    EXPECT_EQ(target.replay().living_blocks(), 0u);
  }
}

TEST(TargetModel, ChangedRulesKeepWhatStays) {
  RelabelRule drop;
  drop.action = RelabelAction::kDrop;
  drop.source_labels = {"v"};
  drop.regex = "[1-3]";
  const std::vector<RelabelRule> rules = {drop};
  auto ruled = std::make_shared<ScrapeJob>();
  ruled->metric_relabel = *Relabeler::Compile(rules);
  const std::string body = "f{v=\"0\"} 1\nf{v=\"1\"} 1\nf{v=\"2\"} 1\nf{v=\"9\"} 1\n";
  ScrapedBodies target;
  const auto all = target.Scrape(body);
  ASSERT_EQ(all.size(), 4u);
  const size_t registered = target.replay().registered_series();
  target.Reconfigure(ruled);
  auto some = target.Scrape(body);
  EXPECT_EQ(std::count_if(some.begin(), some.end(), [](auto& s) { return s.second == "stale"; }),
            2);
  EXPECT_EQ(target.replay().registered_series(), registered) << "known series keep their numbers";
  EXPECT_EQ(target.Scrape(body).size(), 2u);
  EXPECT_EQ(target.shipment().scrape.stale_layout, 0u);
}

TEST(TargetModel, GrowthIsRegisteredAnewBeforeItsBlocksAreTooMany) {
  ScrapedBodies target;
  std::string body = "f{v=\"first\"} 1\n";
  size_t most = 0;
  for (int i = 0; i < 1100; ++i) {
    absl::StrAppend(&body, "f{v=\"", i, "\"} 1\n");
    ASSERT_EQ(target.Scrape(body).size(), static_cast<size_t>(i + 2));
    ASSERT_EQ(target.summary.series_added, i == 0 ? 2u : 1u);
    ASSERT_LE(target.replay().chain_depth(), kMaxEditChain);
    most = std::max(most, target.replay().living_blocks());
  }
  EXPECT_LE(most, 1026u);
  EXPECT_LT(target.replay().living_blocks(), 200u);
}

}  // namespace
}  // namespace ampari
