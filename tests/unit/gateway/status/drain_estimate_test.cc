#include "gateway/status/drain_estimate.h"

#include <gtest/gtest.h>

#include <optional>

namespace ampari {
namespace {

constexpr double kNever = -1;

TEST(DrainSeconds, ComparesWhatComesWithWhatGoes) {
  const struct {
    DrainRates rates;
    double seconds;
  } kRows[] = {
      {{0, 100, 100}, 0},     {{0, 100, 0}, 0},           {{1000, 100, 300}, 5},
      {{1000, 0, 100}, 10},   {{1000, 100, 100}, kNever}, {{1000, 100, 50}, kNever},
      {{1000, 0, 0}, kNever},
  };
  for (const auto& row : kRows) EXPECT_EQ(DrainSeconds(row.rates).value_or(kNever), row.seconds);
}

TEST(FullSeconds, TakesTheBytesThatAPendingSampleHas) {
  const struct {
    DiskRates rates;
    double seconds;
  } kRows[] = {
      {{0, 1000, 100, 200, 10, 0}, 50},  // 20 bytes a second
      {{500, 1000, 100, 200, 10, 5}, 50}, {{1000, 1000, 100, 200, 10, 5}, 0},
      {{1500, 1000, 100, 200, 0, 5}, 0},  {{0, 1000, 100, 200, 5, 5}, kNever},
      {{0, 1000, 0, 0, 10, 0}, kNever},
  };
  for (const auto& row : kRows) EXPECT_EQ(FullSeconds(row.rates).value_or(kNever), row.seconds);
}

}  // namespace
}  // namespace ampari
