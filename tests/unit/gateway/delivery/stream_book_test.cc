// What is remembered of streams, and how large a push may be.
#include "gateway/delivery/stream_book.h"

#include <gtest/gtest.h>

#include "gateway/delivery/push_size.h"

namespace ampari {
namespace {

TEST(StreamBook, AStreamIsKnownWhileItIsUsed) {
  StreamBook book;
  EXPECT_FALSE(book.IsKnown("a", absl::Minutes(0)));
  book.OnDelivered("a");
  EXPECT_TRUE(book.IsKnown("a", absl::Minutes(9)));
  EXPECT_TRUE(book.IsKnown("a", absl::Minutes(18)));
  EXPECT_FALSE(book.IsKnown("b", absl::Minutes(18)));
  EXPECT_FALSE(book.IsKnown("a", absl::Minutes(29)));
  EXPECT_FALSE(book.IsKnown("a", absl::Minutes(30)));
}

TEST(StreamBook, RefusalsInARowEndTheSearch) {
  StreamBook book;
  for (uint32_t i = 0; i < kMaxRefusedInARow; ++i) EXPECT_FALSE(book.OnRefused("a"));
  EXPECT_TRUE(book.OnRefused("a"));
  EXPECT_FALSE(book.OnRefused("b"));
  book.OnDelivered("a");
  EXPECT_FALSE(book.OnRefused("a"));
  for (uint32_t i = 0; i < kMaxRefusedInARow; ++i) book.OnRefused("a");
  book.ForgetRefused();
  EXPECT_FALSE(book.OnRefused("a"));
}

TEST(StreamBook, IsBounded) {
  StreamBook book;
  book.IsKnown("first", absl::Minutes(1));
  book.OnDelivered("first");
  ASSERT_TRUE(book.IsKnown("first", absl::Minutes(1)));
  for (size_t i = 0; i < kMaxBookedStreams; ++i) book.OnDelivered(std::to_string(i));
  EXPECT_FALSE(book.IsKnown("first", absl::Minutes(1)));
}

TEST(StreamBook, IsBoundedInBytes) {
  StreamBook book;
  const std::string large(1 << 20, 'x');
  book.IsKnown("first", absl::Minutes(1));
  book.OnDelivered("first");
  ASSERT_TRUE(book.IsKnown("first", absl::Minutes(1)));
  for (size_t i = 0; i <= kMaxBookedBytes >> 20; ++i) book.OnDelivered(large + std::to_string(i));
  EXPECT_FALSE(book.IsKnown("first", absl::Minutes(1)));
  book.OnDelivered("first");
  EXPECT_TRUE(book.IsKnown("first", absl::Minutes(1))) << "bytes count anew";
}

TEST(PushSize, ShrinksAndGrowsAgain) {
  PushSize size;
  size.SetMost(1 << 20);
  EXPECT_EQ(size.bytes(), 1u << 20);
  size.OnThrottled(600'000);
  EXPECT_EQ(size.bytes(), 300'000u);
  size.OnThrottled(800'000);  // of an older, larger push
  EXPECT_EQ(size.bytes(), 300'000u);
  size.OnThrottled(100);
  EXPECT_EQ(size.bytes(), kMinPushBytes);
  for (uint32_t i = 0; i < kDeliveriesToGrow; ++i) size.OnDelivered();
  EXPECT_EQ(size.bytes(), 2 * kMinPushBytes);
  for (int i = 0; i < 1000; ++i) size.OnDelivered();
  EXPECT_EQ(size.bytes(), 1u << 20);
  size.SetMost(1000);
  EXPECT_EQ(size.bytes(), 1000u);
  size.OnThrottled(1000);
  EXPECT_EQ(size.bytes(), 1000u);
}

}  // namespace
}  // namespace ampari
