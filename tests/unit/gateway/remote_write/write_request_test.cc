// Requests are read back with protobuf and snappy, the independent implementations.
#include "gateway/remote_write/write_request.h"

#include <gtest/gtest.h>
#include <snappy.h>

#include <algorithm>
#include <bit>
#include <limits>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "gateway/layouts/series_renderer.h"
#include "prometheus/remote.pb.h"

namespace ampari {
namespace {

using Samples = std::vector<std::pair<int64_t, uint64_t>>;
using Series = std::map<std::string, Samples>;

// As a rendered layout does: what each sent position repeats of the sent one before it.
void KnowCopies(RenderedLayout& layout) {
  std::string_view last;
  layout.copy_offsets.push_back(0);
  for (uint32_t i = 0; i < layout.size(); ++i) {
    if (layout.fates[i] == SeriesFate::kSent) {
      const std::string_view labels =
          std::string_view(layout.label_bytes)
              .substr(layout.offsets[i], layout.offsets[i + 1] - layout.offsets[i]);
      AppendLabelCopies(last, labels, layout.copies);
      last = labels;
    }
    layout.copy_offsets.push_back(static_cast<uint32_t>(layout.copies.size()));
  }
}

std::shared_ptr<const RenderedLayout> LayoutOf(uint32_t series, const std::string& pod,
                                               uint32_t family = 1,
                                               const std::map<uint32_t, SeriesFate>& fates = {}) {
  auto layout = std::make_shared<RenderedLayout>();
  layout->offsets.push_back(0);
  for (uint32_t i = 0; i < series; ++i) {
    const auto fate = fates.find(i);
    layout->fates.push_back(fate == fates.end() ? SeriesFate::kSent : fate->second);
    layout->dropped += layout->fates.back() == SeriesFate::kDropped;
    layout->over_limit += layout->fates.back() == SeriesFate::kOverLimit;
    layout->families.push_back(i / family + 1);
    if (layout->fates.back() == SeriesFate::kSent) {
      AppendLabelFields({{"__name__", "m"}, {"i", std::to_string(i)}, {"pod", pod}},
                        layout->label_bytes);
    }
    layout->offsets.push_back(static_cast<uint32_t>(layout->label_bytes.size()));
  }
  if (series % 2 == 0) KnowCopies(*layout);
  return layout;
}

SampleColumn ColumnOf(uint32_t series, int64_t timestamp_ms, uint64_t first_value) {
  SampleColumn column;
  column.timestamp_ms = timestamp_ms;
  for (uint32_t i = 0; i < series; ++i) column.values.push_back(first_value + i);
  return column;
}

SampleGroup GroupOf(std::shared_ptr<const RenderedLayout> layout,
                    std::vector<SampleColumn> columns) {
  SampleGroup group;
  group.layout = std::move(layout);
  group.columns = std::move(columns);
  return group;
}

Series Decode(const std::string& body) {
  std::string plain;
  prometheus::WriteRequest message;
  EXPECT_TRUE(snappy::Uncompress(body.data(), body.size(), &plain));
  EXPECT_TRUE(message.ParseFromString(plain));
  Series series;
  for (const prometheus::TimeSeries& one : message.timeseries()) {
    std::string text;
    for (const prometheus::Label& label : one.labels())
      text += label.name() + "=" + label.value() + ",";
    EXPECT_EQ(series.count(text), 0u) << "a series twice in one request";
    for (const prometheus::Sample& sample : one.samples()) {
      series[text].emplace_back(sample.timestamp(), std::bit_cast<uint64_t>(sample.value()));
    }
  }
  return series;
}

// What the groups hold, by walking them position by position.
Series Expected(const std::vector<SampleGroup>& groups) {
  Series series;
  for (const SampleGroup& group : groups) {
    for (const SampleColumn& column : group.columns) {
      size_t value = 0;
      for (uint32_t p = 0; p < group.layout->size(); ++p) {
        const bool listed = std::find(column.positions.begin(), column.positions.end(), p) !=
                            column.positions.end();
        if (listed != column.sparse) continue;
        const uint64_t bits = column.stale ? kStaleNanBits : column.values[value];
        ++value;
        if (group.layout->fates[p] != SeriesFate::kSent) continue;
        int64_t at = column.timestamp_ms;
        for (const PositionTimestamp& own : column.timestamps) {
          if (own.position == p) at = own.timestamp_ms;
        }
        const std::string text =
            LabelFieldsText(std::string_view(group.layout->label_bytes)
                                .substr(group.layout->offsets[p],
                                        group.layout->offsets[p + 1] - group.layout->offsets[p]),
                            1000);
        std::string key;
        for (const char c : text) {
          if (c == ' ' || c == '"' || c == '{' || c == '}') continue;
          key += c;
        }
        series[key + ","].emplace_back(at, bits);
      }
    }
  }
  return series;
}

Series DecodeAll(const std::vector<RequestPlan>& plans) {
  WriteRequestEncoder encoder;
  Series all;
  for (const RequestPlan& plan : plans) {
    uint64_t samples = 0;
    const std::string body = encoder.Encode(plan);
    size_t plain_size = 0;
    EXPECT_TRUE(snappy::GetUncompressedLength(body.data(), body.size(), &plain_size));
    EXPECT_LE(plain_size, plan.plain_bytes);
    for (auto& [text, more] : Decode(body)) {
      samples += more.size();
      EXPECT_EQ(all.count(text), 0u) << "a series in two requests: " << text;
      all[text] = std::move(more);
    }
    EXPECT_EQ(samples, plan.samples);
  }
  return all;
}

TEST(WriteRequest, GoldenBytes) {
  auto layout = std::make_shared<RenderedLayout>();
  AppendLabelFields({{"__name__", "up"}}, layout->label_bytes);
  layout->offsets = {0, static_cast<uint32_t>(layout->label_bytes.size())};
  layout->fates = {SeriesFate::kSent};
  layout->families = {1};
  const std::vector<SampleGroup> groups = {
      GroupOf(layout, {ColumnOf(1, 1000, std::bit_cast<uint64_t>(1.0))})};
  WriteRequestEncoder encoder;
  const std::string body = encoder.Encode(PlanRequests(groups, {}).at(0));
  const std::string plain(
      "\x0a\x1e"                            // timeseries, 16 + 14 bytes
      "\x0a\x0e\x0a\x08__name__\x12\x02up"  // labels
      "\x12\x0c\x09\x00\x00\x00\x00\x00\x00\xf0\x3f\x10\xe8\x07",
      32);  // samples: 1.0 at 1000
  std::string inflated;
  ASSERT_TRUE(snappy::Uncompress(body.data(), body.size(), &inflated));
  EXPECT_EQ(inflated, plain);
}

TEST(WriteRequest, SpecialValuesAndTimestampsKeepTheirBits) {
  const uint64_t values[] = {0, std::bit_cast<uint64_t>(-0.0), kStaleNanBits, kNormalNanBits,
                             0x7ff0000000000000};
  const int64_t times[] = {0,
                           1,
                           -1,
                           1'700'000'000'000,
                           std::numeric_limits<int64_t>::max(),
                           std::numeric_limits<int64_t>::min()};
  WriteRequestEncoder encoder;
  for (const uint64_t bits : values) {
    for (const int64_t time : times) {
      const std::vector<SampleGroup> groups = {
          GroupOf(LayoutOf(1, "a"), {ColumnOf(1, time, bits)})};
      const Series series = Decode(encoder.Encode(PlanRequests(groups, {}).at(0)));
      EXPECT_EQ(series.at("__name__=m,i=0,pod=a,"), (Samples{{time, bits}}));
    }
  }
}

SampleColumn RandomColumn(std::minstd_rand& random, uint32_t size, int64_t at) {
  SampleColumn column;
  column.timestamp_ms = at;
  column.sparse = random() % 4 == 0;
  column.stale = column.sparse || random() % 5 == 0;
  for (uint32_t p = 0; p < size; ++p) {
    if (random() % 3 == 0) column.positions.push_back(p);
  }
  if (!column.stale) {
    for (uint64_t i = 0; i < column.samples(size); ++i) column.values.push_back(random());
    for (uint32_t p = 0; p < size; ++p) {
      const bool absent = std::binary_search(column.positions.begin(), column.positions.end(), p);
      if (!absent && random() % 6 == 0) column.timestamps.push_back({p, at - 5});
    }
  }
  return column;
}

std::vector<SampleGroup> RandomGroups(std::minstd_rand& random) {
  std::vector<SampleGroup> groups;
  const int count = 1 + static_cast<int>(random() % 6);
  for (int g = 0; g < count; ++g) {
    const uint32_t size = 1 + static_cast<uint32_t>(random() % 60);
    std::map<uint32_t, SeriesFate> fates;
    if (random() % 2 == 0)
      fates = {{static_cast<uint32_t>(random() % size), SeriesFate::kDropped},
               {static_cast<uint32_t>(random() % size), SeriesFate::kOverLimit}};
    const uint32_t columns = 1 + static_cast<uint32_t>(random() % 4);
    std::vector<SampleColumn> list;
    for (uint32_t c = 0; c < columns; ++c)
      list.push_back(RandomColumn(random, size, 1000 * (c + 1)));
    groups.push_back(
        GroupOf(LayoutOf(size, std::to_string(g), 1 + random() % 5, fates), std::move(list)));
    groups.back().with_previous = random() % 2 == 0;
  }
  return groups;
}

TEST(WriteRequest, RandomGroupsArriveWholeHoweverTheyAreCut) {
  for (uint32_t seed = 1; seed <= 300; ++seed) {
    std::minstd_rand random(seed);
    const std::vector<SampleGroup> groups = RandomGroups(random);
    const Series expected = Expected(groups);
    RequestBounds bounds;
    bounds.max_samples = 4 + random() % 60;
    if (seed % 3 == 0) bounds.max_plain_bytes = 300 + random() % 2000;
    const std::vector<RequestPlan> plans = PlanRequests(groups, bounds);
    ASSERT_EQ(DecodeAll(plans), expected) << seed;
    for (const RequestPlan& plan : plans) {
      EXPECT_GT(plan.samples, 0u);
      EXPECT_TRUE(plan.samples <= bounds.max_samples || SeriesCount(plan) == 1) << seed;
    }
    // Halves hold the same, whatever was cut before.
    std::vector<RequestPlan> halves;
    for (const RequestPlan& plan : plans) {
      for (RequestPlan& half : HalveRequest(plan)) halves.push_back(std::move(half));
    }
    ASSERT_EQ(DecodeAll(halves), expected) << seed;
    // Whichever series are set apart, each is alone and nothing is missing.
    const char digit = static_cast<char>('0' + seed % 10);
    const auto apart = [digit](std::string_view fields) {
      return fields.find(digit) != std::string_view::npos;
    };
    std::vector<RequestPlan> parts;
    for (const RequestPlan& plan : plans) {
      for (RequestPlan& part : SetApart(plan, apart)) {
        EXPECT_GT(part.samples, 0u);
        EXPECT_TRUE(!apart(FirstSeries(part)) || SeriesCount(part) == 1) << seed;
        parts.push_back(std::move(part));
      }
    }
    ASSERT_EQ(DecodeAll(parts), expected) << seed;
    // Unmerged, oldest first, the samples of each series come in the same order.
    Series unmerged;
    WriteRequestEncoder encoder;
    for (const RequestPlan& plan : plans) {
      for (const RequestPlan& single : UnmergeRequest(plan)) {
        EXPECT_FALSE(single.merged());
        for (const auto& [text, samples] : Decode(encoder.Encode(single))) {
          EXPECT_EQ(samples.size(), 1u);
          unmerged[text].push_back(samples[0]);
        }
      }
    }
    ASSERT_EQ(unmerged, expected) << seed;
  }
}

TEST(PlanRequests, OneScrapeTravelsInOneRequestWhenItFits) {
  std::vector<SampleGroup> groups;
  for (int scrape = 0; scrape < 10; ++scrape) {
    groups.push_back(GroupOf(LayoutOf(95, std::to_string(scrape)), {ColumnOf(95, 1, 0)}));
    groups.push_back(GroupOf(LayoutOf(5, std::to_string(scrape) + "r"), {ColumnOf(5, 1, 0)}));
    groups.back().with_previous = true;
  }
  RequestBounds bounds;
  bounds.max_samples = 250;
  const auto plans = PlanRequests(groups, bounds);
  ASSERT_EQ(plans.size(), 5u);
  for (const RequestPlan& plan : plans) EXPECT_EQ(plan.samples, 200u);
}

TEST(PlanRequests, HistogramsStayWhole) {
  const std::vector<SampleGroup> groups = {
      GroupOf(LayoutOf(1000, "a", 22), {ColumnOf(1000, 1, 0)})};
  RequestBounds bounds;
  bounds.max_samples = 100;
  const auto plans = PlanRequests(groups, bounds);
  ASSERT_EQ(plans.size(), 12u);
  for (const RequestPlan& plan : plans) {
    ASSERT_EQ(plan.slices.size(), 1u);
    EXPECT_EQ(plan.slices[0].first % 22, 0u);
  }
}

TEST(WriteRequest, SameBytesEveryTime) {
  std::minstd_rand random(5);
  const auto groups = RandomGroups(random);
  WriteRequestEncoder a, b;
  for (const RequestPlan& plan : PlanRequests(groups, {})) {
    const std::string first = a.Encode(plan);
    b.EncodeMetadata({});
    EXPECT_EQ(first, b.Encode(plan));
    EXPECT_EQ(first, a.Encode(plan));
  }
}

TEST(WriteRequest, Metadata) {
  const std::vector<FamilyMetadata> families = {
      {"a", MetricType::kCounter, "Help \xc3\xa4.", "bytes"}, {"b", MetricType::kUnknown, "", ""}};
  WriteRequestEncoder encoder;
  const std::string body = encoder.EncodeMetadata(families);
  std::string plain;
  prometheus::WriteRequest message;
  ASSERT_TRUE(snappy::Uncompress(body.data(), body.size(), &plain));
  ASSERT_TRUE(message.ParseFromString(plain));
  ASSERT_EQ(message.metadata_size(), 2);
  EXPECT_EQ(message.metadata(0).metric_family_name(), "a");
  EXPECT_EQ(message.metadata(0).type(), prometheus::MetricMetadata::COUNTER);
  EXPECT_EQ(message.metadata(0).help(), "Help \xc3\xa4.");
  EXPECT_EQ(message.metadata(0).unit(), "bytes");
  EXPECT_EQ(message.metadata(1).metric_family_name(), "b");
  EXPECT_EQ(message.metadata(1).type(), prometheus::MetricMetadata::UNKNOWN);
}

}  // namespace
}  // namespace ampari
