#include "common/labels/labels.h"

#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace ampari {
namespace {

std::vector<std::string> Texts(const Labels& labels) {
  std::vector<std::string> texts;
  for (const Label label : labels)
    texts.push_back(std::string(label.name) + "=" + std::string(label.value));
  return texts;
}

TEST(LabelsTest, SortsByNameBytesAndDropsEmptyValues) {
  const Labels labels = {{"b", "2"}, {"a", "1"}, {"gone", ""}, {"B", "0"}, {"a_", "3"}};
  EXPECT_THAT(Texts(labels), testing::ElementsAre("B=0", "a=1", "a_=3", "b=2"));
  EXPECT_EQ(labels.size(), 4u);
}

TEST(LabelsTest, LaterOfEqualNamesWinsInAList) {
  EXPECT_EQ(Labels({{"a", "1"}, {"a", "2"}}), Labels({{"a", "2"}}));
  EXPECT_EQ(Labels({{"a", "1"}, {"a", ""}}), Labels());
}

TEST(LabelsTest, EmptySetHasNoLabels) {
  const Labels labels;
  EXPECT_TRUE(labels.empty());
  EXPECT_EQ(labels.begin(), labels.end());
  EXPECT_EQ(labels.ToString(), "{}");
}

TEST(LabelsTest, GetFindsExactlyTheName) {
  const Labels labels = {{"ab", "1"}, {"abc", "2"}};
  EXPECT_EQ(labels.Get("ab"), "1");
  EXPECT_EQ(labels.Get("abc"), "2");
  EXPECT_EQ(labels.Get("a"), "");
  EXPECT_FALSE(labels.Has("b"));
}

TEST(LabelsTest, EqualSetsHashEqualWhateverTheirOrder) {
  const Labels one = {{"a", "1"}, {"b", "2"}};
  const Labels other = {{"b", "2"}, {"a", "1"}};
  EXPECT_EQ(one, other);
  EXPECT_EQ(one.Hash(), other.Hash());
  EXPECT_NE(one.Hash(), Labels({{"a", "1"}, {"b", "3"}}).Hash());
}

TEST(LabelsTest, ToStringQuotesAsPrometheus) {
  const Labels labels = {{"__name__", "up"}, {"path", "C:\\ \"x\"\n"}, {"dotted.name", "v"}};
  EXPECT_EQ(labels.ToString(), R"({__name__="up", "dotted.name"="v", path="C:\\ \"x\"\n"})");
}

TEST(LabelsTest, LongTextsKeepTheirLengths) {
  const std::string long_value(300, 'v');
  const std::string huge_value(40000, 'w');
  const Labels labels = {{"a", long_value}, {"b", huge_value}};
  EXPECT_EQ(labels.Get("a"), long_value);
  EXPECT_EQ(labels.Get("b"), huge_value);
  Labels copy;
  ASSERT_TRUE(Labels::FromBytes(labels.bytes(), &copy));
  EXPECT_EQ(copy, labels);
}

struct BytesRow {
  std::string bytes;
  bool good;
};

TEST(LabelsTest, FromBytesTakesOnlyTheCanonicalEncoding) {
  using namespace std::string_literals;
  const BytesRow rows[] = {
      {""s, true},
      {"\1a\1x"s, true},
      {"\1a\1x\1b\1y"s, true},
      {"\1b\1y\1a\1x"s, false},  // not sorted
      {"\1a\1x\1a\1y"s, false},  // not unique
      {"\0\1x"s, false},         // no name
      {"\1a\0"s, false},         // no value
      {"\1a"s, false},           // value missing
      {"\1a\2x"s, false},        // value cut short
      {"\x81\0a\1x"s, false},    // length not in its shortest form
      {"\xff\xff\xff\xff\xff\1"s, false},
      {"\xff\xff\xff\xff\xf"s, false},
      {"\x81"s, false},
  };
  for (const BytesRow& row : rows) {
    Labels out = {{"untouched", "1"}};
    EXPECT_EQ(Labels::FromBytes(row.bytes, &out), row.good) << testing::PrintToString(row.bytes);
    EXPECT_EQ(out.bytes(), row.good ? row.bytes : Labels({{"untouched", "1"}}).bytes());
  }
}

TEST(LabelsBuilderTest, SetReplacesAndEmptyDeletes) {
  const Labels base = {{"a", "1"}, {"b", "2"}};
  LabelsBuilder builder(base);
  builder.Set("a", "3");
  builder.Set("b", "");
  builder.Set("c", "4");
  EXPECT_EQ(builder.Build(), Labels({{"a", "3"}, {"c", "4"}}));
  EXPECT_FALSE(builder.Has("b"));
  EXPECT_EQ(builder.Get("c"), "4");
}

TEST(LabelsBuilderTest, SetCopiesItsText) {
  LabelsBuilder builder;
  std::string name = "a_name_longer_than_the_small_string";
  std::string value = "a value longer than the small string";
  builder.Set(name, value);
  name.assign(name.size(), '?');
  value.assign(value.size(), '?');
  EXPECT_EQ(
      builder.Build(),
      Labels({{"a_name_longer_than_the_small_string", "a value longer than the small string"}}));
}

TEST(LabelsBuilderTest, ManySetsKeepEarlierTextsInPlace) {
  LabelsBuilder builder;
  for (int i = 0; i < 200; ++i) builder.Set("name" + std::to_string(i), std::to_string(i));
  const Labels labels = builder.Build();
  EXPECT_EQ(labels.size(), 200u);
  EXPECT_EQ(labels.Get("name0"), "0");
  EXPECT_EQ(labels.Get("name199"), "199");
}

TEST(LabelsBuilderTest, AnEmptyViewIsThereUntilBuilt) {
  LabelsBuilder builder;
  builder.AddView("instance", "");
  EXPECT_TRUE(builder.Has("instance"));
  EXPECT_TRUE(builder.Build().empty());
}

TEST(LabelsBuilderTest, FindsDuplicatesOfViews) {
  LabelsBuilder builder;
  builder.AddView("b", "1");
  builder.AddView("a", "1");
  EXPECT_FALSE(builder.HasDuplicateNames());
  builder.AddView("b", "2");
  EXPECT_TRUE(builder.HasDuplicateNames());
  EXPECT_EQ(builder.Build(), Labels({{"a", "1"}, {"b", "1"}}));
}

TEST(LabelsBuilderTest, ReuseDoesNotRememberTheLastOrder) {
  LabelsBuilder builder;
  const std::vector<std::vector<std::string>> sets = {{"c", "a", "b"},      {"c", "a", "b"},
                                                      {"a", "b", "c"},      {"b"},
                                                      {"z", "y", "x", "w"}, {"c", "a", "b"}};
  for (const auto& names : sets) {
    builder.Reset();
    for (const std::string& name : names) builder.AddView(name, name);
    std::vector<std::string> sorted;
    for (const std::string& name : names) sorted.push_back(name + "=" + name);
    std::sort(sorted.begin(), sorted.end());
    EXPECT_EQ(Texts(builder.Build()), sorted);
  }
}

TEST(LabelsBuilderTest, TextsOfEveryLengthAreCopiedWhole) {
  const std::string text = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
  for (size_t name = 1; name < 40; ++name) {
    LabelsBuilder builder;
    for (size_t value = 1; value < text.size(); ++value) {
      builder.Set("n" + text.substr(0, name) + std::to_string(value), text.substr(0, value));
    }
    const Labels labels = builder.Build();
    for (size_t value = 1; value < text.size(); ++value) {
      EXPECT_EQ(labels.Get("n" + text.substr(0, name) + std::to_string(value)),
                text.substr(0, value));
    }
  }
}

TEST(LabelsBuilderTest, NamesAreOrderedByTheirBytes) {
  const std::vector<std::string> sorted = {
      "12345678", "1234567a", "a",         "a1234568",
      "aa\x7f",   "abcdefgh", "abcdefgh0", "abcdefghi",
      "abcdefgi", "b1234567", "\xc3\xa9",  "\xff\xff\xff\xff\xff\xff\xff\xff"};
  LabelsBuilder builder;
  for (auto name = sorted.rbegin(); name != sorted.rend(); ++name) builder.Set(*name, "v");
  std::vector<std::string> names;
  for (const Label label : builder.Build()) names.emplace_back(label.name);
  EXPECT_EQ(names, sorted);
}

}  // namespace
}  // namespace ampari
