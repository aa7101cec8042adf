#include "forwarder/scrape/parser_pool.h"

#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <memory>
#include <string>
#include <vector>

namespace ampari {
namespace {

TEST(ParserPool, RunsAStrandsTasksInOrderAndOneAtATime) {
  struct Queue {
    std::shared_ptr<ParserPool::Strand> strand = std::make_shared<ParserPool::Strand>();
    std::vector<int> ran;  // without a lock: TSan tells if two tasks overlap
  };
  std::vector<Queue> queues(20);
  ParserPool pool(2);
  for (int i = 0; i < 500; ++i) {
    for (Queue& queue : queues) pool.Post(queue.strand, [&queue, i] { queue.ran.push_back(i); });
  }
  pool.Drain();
  for (const Queue& queue : queues) {
    ASSERT_EQ(queue.ran.size(), 500);
    for (int i = 0; i < 500; ++i) ASSERT_EQ(queue.ran[i], i);
  }
}

TEST(ParserPool, AFullStrandDelaysAnotherByOneTask) {
  ParserPool pool(1);
  const auto busy = std::make_shared<ParserPool::Strand>();
  const auto other = std::make_shared<ParserPool::Strand>();
  std::promise<void> go;
  std::string order;
  pool.Post(busy, [&, ready = go.get_future()]() mutable { ready.wait(); });
  for (int i = 0; i < 5; ++i) pool.Post(busy, [&] { order += 'b'; });
  pool.Post(other, [&] { order += 'o'; });
  go.set_value();
  pool.Drain();
  EXPECT_EQ(order, "obbbbb");
}

TEST(ParserPool, DrainRunsWhatTasksPostAndLaterPostsAreDropped) {
  ParserPool pool(2);
  const auto strand = std::make_shared<ParserPool::Strand>();
  std::atomic<int> ran{0};
  pool.Post(strand, [&] {
    ++ran;
    pool.Post(strand, [&] { ++ran; });
  });
  pool.Drain();
  EXPECT_EQ(ran, 2);
  pool.Post(strand, [&] { ++ran; });
  EXPECT_EQ(ran, 2);
}

TEST(ParserPool, ATaskMayHoldTheLastReferenceToItsStrand) {
  struct Owner {
    std::shared_ptr<ParserPool::Strand> strand = std::make_shared<ParserPool::Strand>();
  };
  ParserPool pool(2);
  for (int i = 0; i < 100; ++i) {
    auto owner = std::make_shared<Owner>();
    ParserPool::Strand* const raw = owner->strand.get();
    const std::shared_ptr<ParserPool::Strand> strand(owner, raw);
    pool.Post(strand, [owner = std::move(owner)] {});
  }
  pool.Drain();
}

}  // namespace
}  // namespace ampari
