// Value columns at every length and mixture, since integers are found 64 bytes at a time.
#include "common/frame/value_column.h"

#include <gtest/gtest.h>

#include "tests/unit/common/frame/frame_samples.h"

namespace ampari {
namespace {

// Values of which `floats` of 8 are no integers, with varints of every length.
std::vector<uint64_t> Mixed(Random& random, size_t count, uint64_t floats) {
  std::vector<uint64_t> values(count);
  for (uint64_t& value : values) {
    const double number = random() % 8 < floats
                              ? static_cast<double>(random() % 1000) + 0.5
                              : static_cast<double>((random() >> 11) >> (random() % 53));
    value = __builtin_bit_cast(uint64_t, number);
  }
  return values;
}

TEST(ValueColumn, ComesBackAtEveryLength) {
  Random random(8);
  for (size_t count = 0; count < 300; ++count) {
    for (const uint64_t floats : {0, 1, 4, 8}) {
      const std::vector<uint64_t> values = Mixed(random, count, floats);
      std::string bytes;
      AppendValueColumn(values, &bytes);
      EXPECT_LE(bytes.size(), ValueColumnBound(count));
      const size_t size = bytes.size();
      bytes += "behind" + std::string(kColumnPadding, '\xff');
      ByteCursor in(std::string_view(bytes).substr(0, size + 6));
      std::vector<uint64_t> read;
      ASSERT_TRUE(ReadValueColumn(&in, &read)) << count;
      EXPECT_EQ(read, values);
      EXPECT_EQ(in.rest(), "behind");
    }
  }
}

TEST(ValueColumn, NoTruncationIsRead) {
  Random random(9);
  const std::vector<uint64_t> values = Mixed(random, 100, 2);
  std::string bytes;
  AppendValueColumn(values, &bytes);
  for (size_t size = 0; size < bytes.size(); ++size) {
    // What lies behind the cut must not be taken for the rest.
    ByteCursor in(std::string_view(bytes).substr(0, size));
    bytes.reserve(bytes.size() + kColumnPadding);
    std::vector<uint64_t> read;
    EXPECT_FALSE(ReadValueColumn(&in, &read)) << size;
  }
}

TEST(ValueColumn, IntegersAreExactlyThoseThatComeBackBitForBit) {
  struct Row {
    double value;
    size_t bytes;  // of the value: varint or eight
  };
  const Row rows[] = {{0.0, 1},
                      {-0.0, 8},
                      {127, 1},
                      {128, 2},
                      {0.5, 8},
                      {-1, 8},
                      {9007199254740991.0, 8},
                      {9007199254740992.0, 8},
                      {16383, 2},
                      {16384, 3},
                      {4503599627370495.0, 8},
                      {1099511627775.0, 6}};
  for (const Row& row : rows) {
    std::string bytes;
    AppendValueColumn({__builtin_bit_cast(uint64_t, row.value)}, &bytes);
    EXPECT_EQ(bytes.size(), 2 + row.bytes) << row.value;
  }
}

}  // namespace
}  // namespace ampari
