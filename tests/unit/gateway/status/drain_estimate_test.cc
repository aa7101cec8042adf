#include "gateway/status/drain_estimate.h"

#include <gtest/gtest.h>

#include <optional>
#include <vector>

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
    uint64_t disk_bytes;
    std::vector<QueueRates> queues;
    double seconds;
  } kRows[] = {
      {0, {{100, 200, 10, 0}}, 50},  // 20 bytes a second
      {500, {{100, 200, 10, 5}}, 50},
      {1000, {{100, 200, 10, 5}}, 0},
      {1500, {{100, 200, 0, 5}}, 0},
      {0, {{100, 200, 5, 5}}, kNever},
      {0, {{0, 0, 10, 0}}, kNever},
      {0, {}, kNever},
      // Every queue counts: 20 and 30 bytes a second.
      {500, {{100, 200, 10, 0}, {10, 100, 3, 0}}, 10},
      // 20 come and 40 go for 5 s, then 20 come: 400 at the turn.
      {500, {{100, 200, 10, 0}, {20, 200, 0, 4}}, 35},
      // The same with room for less than what goes: full before it turns.
      {980, {{100, 200, 10, 0}, {400, 400, 0, 10}}, 2},
      {500, {{100, 200, 0, 10}, {20, 200, 0, 4}}, kNever},
  };
  for (const auto& row : kRows) {
    EXPECT_NEAR(FullSeconds({row.disk_bytes, 1000, row.queues}).value_or(kNever), row.seconds, 1e-9)
        << row.seconds;
  }
}

}  // namespace
}  // namespace ampari
