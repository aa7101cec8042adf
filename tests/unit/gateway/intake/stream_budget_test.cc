#include "gateway/intake/stream_budget.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/status_matchers.h"

namespace ampari {
namespace {

using testing::HasSubstr;

TEST(StreamBudget, BoundsStreamsPerEntryAndOverall) {
  StreamBudget budget({.max_streams = 3, .max_streams_per_entry = 2});
  EXPECT_THAT(budget.Admit("a"), IsOk());
  EXPECT_THAT(budget.Admit("a"), IsOk());
  EXPECT_THAT(budget.Admit("a"),
              StatusIs(absl::StatusCode::kResourceExhausted, HasSubstr("\"a\" has 2 streams")));
  EXPECT_THAT(budget.Admit("b"), IsOk());
  EXPECT_THAT(budget.Admit("c"),
              StatusIs(absl::StatusCode::kResourceExhausted, HasSubstr("3 streams")));
  budget.Release("a");
  EXPECT_THAT(budget.Admit("c"), IsOk());
  EXPECT_EQ(budget.streams(), (std::map<std::string, uint32_t>{{"a", 1}, {"b", 1}, {"c", 1}}));
}

TEST(StreamBudget, BytesOfAllStreamsHaveOneBound) {
  StreamBudget budget({.max_waiting_bytes = 10});
  budget.Take(9);
  EXPECT_FALSE(budget.full());
  budget.Take(1);
  EXPECT_TRUE(budget.full());
  budget.Return(1);
  EXPECT_FALSE(budget.full());
  EXPECT_EQ(budget.waiting_bytes(), 9u);
}

}  // namespace
}  // namespace ampari
