#include "common/runtime/backoff.h"

#include <gtest/gtest.h>

namespace ampari {
namespace {

struct DelayCase {
  uint32_t failures;
  double random;
  double want_seconds;
};

TEST(BackoffDelay, DoublesUpToTheCapAndSpreadsByJitter) {
  const BackoffOptions options{absl::Seconds(1), absl::Seconds(10), 0.2};
  const DelayCase cases[] = {
      {0, 0.5, 0}, {1, 0, 1},     {2, 0, 2},  {3, 0, 4},
      {4, 0, 8},   {5, 0, 10},    {6, 0, 10}, {4'000'000'000, 0, 10},
      {1, 1, 0.8}, {1, 0.5, 0.9}, {5, 1, 8},  {5, 2, 8},
      {5, -1, 10},
  };
  for (const DelayCase& c : cases) {
    EXPECT_NEAR(absl::ToDoubleSeconds(BackoffDelay(options, c.failures, c.random)), c.want_seconds,
                1e-6)
        << c.failures << " failures, random " << c.random;
  }
}

TEST(BackoffDelay, AnInitialDelayAboveTheCapIsCapped) {
  EXPECT_EQ(BackoffDelay({absl::Seconds(60), absl::Seconds(5), 0}, 1, 0.3), absl::Seconds(5));
}

TEST(BackoffDelay, ZeroInitialStaysZero) {
  EXPECT_EQ(BackoffDelay({absl::ZeroDuration(), absl::Seconds(5), 0.5}, 9, 0.3),
            absl::ZeroDuration());
}

TEST(Backoff, CountsFailuresUntilReset) {
  Backoff backoff({absl::Milliseconds(100), absl::Seconds(1), 0});
  EXPECT_EQ(backoff.Next(0.1), absl::Milliseconds(100));
  EXPECT_EQ(backoff.Next(0.1), absl::Milliseconds(200));
  EXPECT_EQ(backoff.failures(), 2u);
  backoff.Reset();
  EXPECT_EQ(backoff.failures(), 0u);
  EXPECT_EQ(backoff.Next(0.1), absl::Milliseconds(100));
}

}  // namespace
}  // namespace ampari
