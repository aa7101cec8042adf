// Copies are true: replaying them over the earlier labels gives the bytes they stand for.
#include "gateway/layouts/label_copies.h"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

#include "gateway/layouts/series_renderer.h"

namespace ampari {
namespace {

std::string Fields(const Labels& labels) {
  std::string out;
  AppendLabelFields(labels, out);
  return out;
}

size_t Covered(const std::string& earlier, const std::string& labels) {
  std::vector<LabelCopy> copies;
  AppendLabelCopies(earlier, labels, copies);
  size_t covered = 0, end = 0;
  for (const LabelCopy& copy : copies) {
    EXPECT_GE(copy.at, end) << "ascending and disjoint";
    end = copy.at + copy.size;
    EXPECT_LE(end, labels.size());
    EXPECT_LE(copy.from + copy.size, earlier.size());
    EXPECT_EQ(labels.substr(copy.at, copy.size), earlier.substr(copy.from, copy.size));
    covered += copy.size;
  }
  return covered;
}

TEST(LabelCopies, EqualLabelsAreOneCopy) {
  const std::string labels = Fields({{"__name__", "m"}, {"a", "x"}, {"b", "y"}});
  std::vector<LabelCopy> copies;
  AppendLabelCopies(labels, labels, copies);
  EXPECT_EQ(copies, (std::vector<LabelCopy>{{0, 0, static_cast<uint16_t>(labels.size())}}));
}

TEST(LabelCopies, NeighboursOfAHistogramDifferInLeAlone) {
  const std::string a =
      Fields({{"__name__", "h_bucket"}, {"job", "x"}, {"le", "5"}, {"pod", "p-1"}});
  const std::string b =
      Fields({{"__name__", "h_bucket"}, {"job", "x"}, {"le", "10"}, {"pod", "p-1"}});
  EXPECT_GE(Covered(a, b), b.size() - 10) << "all but the field le";
}

TEST(LabelCopies, NothingInCommonOrNothingAtAll) {
  const std::string labels = Fields({{"__name__", "m"}});
  EXPECT_EQ(Covered("", labels), 0u);
  EXPECT_EQ(Covered(labels, ""), 0u);
  EXPECT_EQ(Covered(Fields({{"x", "y"}}), labels), 0u);
}

TEST(LabelCopies, RandomLabelsAndBrokenBytes) {
  std::minstd_rand random(3);
  const auto labels_of = [&] {
    LabelsBuilder builder;
    for (int i = 0; i < 12; ++i) {
      if (random() % 4 == 0) continue;
      builder.Set("label_" + std::to_string(i),
                  "value-" + std::string(random() % 200, 'x') + std::to_string(random() % 3));
    }
    return Fields(builder.Build());
  };
  for (int round = 0; round < 2000; ++round) {
    std::string a = labels_of(), b = labels_of();
    Covered(a, b);
    for (std::string* bytes : {&a, &b}) {
      if (bytes->empty()) continue;
      (*bytes)[random() % bytes->size()] = static_cast<char>(random());
      bytes->resize(random() % (bytes->size() + 1));
    }
    Covered(a, b);
  }
}

}  // namespace
}  // namespace ampari
