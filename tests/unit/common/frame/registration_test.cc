// Registration blocks: round trips, and what is malformed.
#include "common/frame/registration.h"

#include <gtest/gtest.h>

#include <cstring>

#include "common/frame/checksum.h"
#include "common/frame/compression.h"
#include "common/frame/registration_header.h"
#include "tests/unit/common/frame/frame_samples.h"

namespace ampari {
namespace {

Labels RandomLabels(Random& random) {
  LabelsBuilder builder;
  static constexpr const char* kNames[] = {"__name__", "a", "le", "pod", "response_code", "zone"};
  for (const char* name : kNames) {
    if (OneIn(random, 3)) continue;
    builder.Set(name, std::string(1 + random() % 3, static_cast<char>('a' + random() % 3)));
  }
  return builder.Build();
}

RegistrationBlock RandomBlock(Random& random) {
  RegistrationBlock block;
  block.number = 1 + random() % 1000;
  block.first_series = 1 + random() % 100000;
  for (size_t i = random() % 40; i > 0; --i) block.series.push_back(RandomLabels(random));
  block.first_layout = 1 + random() % 1000;
  for (size_t i = random() % 4; i > 0; --i) {
    Layout layout;
    layout.base = OneIn(random, 2) ? block.first_layout : 0;
    for (size_t run = random() % 6; run > 0; --run) {
      const bool from_base = layout.base != 0 && OneIn(random, 2);
      const uint64_t first = from_base ? random() % 1000 : 1 + random() % 100000;
      layout.runs.push_back({from_base, first, static_cast<uint32_t>(1 + random() % 50)});
      layout.size += layout.runs.back().count;
    }
    block.layouts.push_back(layout);
  }
  return block;
}

TEST(Registration, RandomBlocksComeBack) {
  Random random(11);
  for (int round = 0; round < 500; ++round) {
    const RegistrationBlock block = RandomBlock(random);
    const std::string bytes = EncodeRegistration(block);
    const auto header = ParseRegistrationHeader(bytes);
    ASSERT_TRUE(header.ok()) << header.status();
    EXPECT_EQ(header->number, block.number);
    EXPECT_EQ(header->first_series, block.first_series);
    EXPECT_EQ(header->series, block.series.size());
    EXPECT_EQ(header->first_layout, block.first_layout);
    EXPECT_EQ(header->layouts, block.layouts.size());
    const auto decoded = DecodeRegistration(bytes);
    ASSERT_TRUE(decoded.ok()) << decoded.status();
    EXPECT_EQ(*decoded, block);
  }
}

TEST(Registration, EveryTruncationAndEveryFlippedBitIsRefused) {
  Random random(12);
  std::string bytes = EncodeRegistration(RandomBlock(random));
  for (size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_TRUE(absl::IsDataLoss(DecodeRegistration(bytes.substr(0, size)).status())) << size;
  }
  for (size_t i = 0; i < bytes.size() * 8; ++i) {
    bytes[i / 8] = static_cast<char>(bytes[i / 8] ^ (1 << (i % 8)));
    EXPECT_FALSE(DecodeRegistration(bytes).ok()) << i;
    bytes[i / 8] = static_cast<char>(bytes[i / 8] ^ (1 << (i % 8)));
  }
}

// A block with this payload, its checksum right.
std::string BlockOfPayload(std::string_view payload, uint32_t series, uint32_t layouts) {
  RegistrationHeader header;
  header.number = 1;
  header.first_series = 10;
  header.first_layout = 20;
  header.series = series;
  header.layouts = layouts;
  header.raw_bytes = static_cast<uint32_t>(payload.size());
  std::string block(kRegistrationHeaderBytes, '\0');
  void* zstd = NewCompressState();
  CompressAppend(zstd, payload, &block);
  FreeCompressState(zstd);
  StoreRegistrationHeader(header, &block);
  return block;
}

TEST(Registration, PayloadsThatAreNotWhatTheFormatSays) {
  struct Row {
    const char* what;
    std::string payload;
    uint32_t series, layouts;
    bool ok;
  };
  const std::string tables = std::string("\2\1a\1b\1\1x", 8);  // names a, b; value x
  const std::string no_tables("\0\0", 2);
  const Row rows[] = {
      {"one series", tables + std::string("\0\1\0\0", 4), 1, 0, true},
      {"a second that repeats it", tables + std::string("\0\1\0\0\0\0", 6), 2, 0, true},
      {"bytes behind it", tables + std::string("\0\1\0\0!", 5), 1, 0, false},
      {"names not in order", std::string("\2\1b\1a\1\1x", 8) + std::string("\0\1\0\0", 4), 1, 0,
       false},
      {"a name twice", std::string("\2\1a\1a\1\1x", 8) + std::string("\0\1\0\0", 4), 1, 0, false},
      {"an empty value", std::string("\1\1a\1\0", 5) + std::string("\0\1\0\0", 4), 1, 0, false},
      {"an unknown name", tables + std::string("\0\1\2\0", 4), 1, 0, false},
      {"an unknown value", tables + std::string("\0\1\0\1", 4), 1, 0, false},
      {"names of a series not in order", tables + std::string("\0\2\1\0\0\0", 6), 1, 0, false},
      {"removes what is not there", tables + std::string("\1\0\0", 3), 1, 0, false},
      {"removes outside", tables + std::string("\0\1\0\0\1\1\0", 7), 2, 0, false},
      {"removes the only label", tables + std::string("\0\1\0\0\1\0\1\1\0", 9), 2, 0, true},
      {"fewer series than told", tables + std::string("\0\1\0\0", 4), 2, 0, false},
      {"a layout", no_tables + std::string("\0\2\1\4\0", 5), 0, 1, true},
      {"a layout of another size", no_tables + std::string("\0\3\1\4\0", 5), 0, 1, false},
      {"a run of a base that is not", no_tables + std::string("\0\2\1\5\0", 5), 0, 1, false},
      {"a run of a base", no_tables + std::string("\7\2\1\5\0", 5), 0, 1, true},
      {"an empty run", no_tables + std::string("\0\0\1\0\0", 5), 0, 1, false},
      {"a run before the first series", no_tables + std::string("\0\2\1\4\x13", 5), 0, 1, false},
      {"a huge run", no_tables + std::string("\0\2\1\xff\xff\xff\xff\xff\1\0", 10), 0, 1, false},
      {"a huge count of symbols", std::string("\xff\xff\xff\xff\x0f\0\0\0", 8), 1, 0, false},
  };
  for (const Row& row : rows) {
    const auto decoded = DecodeRegistration(BlockOfPayload(row.payload, row.series, row.layouts));
    EXPECT_EQ(decoded.ok(), row.ok) << row.what << ": " << decoded.status();
    EXPECT_TRUE(row.ok || absl::IsDataLoss(decoded.status())) << row.what;
  }
}

TEST(Registration, ASmallBlockCannotStandForMoreThanTheLimit) {
  const std::string text(size_t{1} << 20, 'x');
  std::string payload("\1\1a\1", 4);
  payload += std::string("\x80\x80\x40", 3) + text;  // one value of 1 MiB
  payload += std::string("\0\1\0\0", 4);
  const uint32_t series = 600;  // each as long as the first
  payload += std::string(2 * (series - 1), '\0');
  EXPECT_TRUE(absl::IsDataLoss(DecodeRegistration(BlockOfPayload(payload, series, 0)).status()));
}

}  // namespace
}  // namespace ampari
