// What planning and collecting a line takes from the heap: nothing, once its stream is known.
#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <memory>
#include <new>
#include <string>
#include <vector>

#include "forwarder/tail/access_log_format.h"
#include "forwarder/tail/flush_collector.h"
#include "forwarder/tail/line_plan.h"

namespace {
std::atomic<int64_t> allocations = 0;
}  // namespace

// Not inline: g++ would take free() for the wrong end of new.
[[gnu::noinline]] void* operator new(size_t size) {
  ++allocations;
  if (void* memory = std::malloc(size)) return memory;
  std::abort();
}
[[gnu::noinline]] void operator delete(void* memory) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, size_t /*size*/) noexcept {
  std::free(memory);
}

namespace ampari {
namespace {

constexpr int kLines = 1000;

std::vector<std::string> Lines() {
  std::vector<std::string> lines;
  for (int i = 0; i < kLines; ++i) {
    const std::string number = std::to_string(100000 + i);
    lines.push_back(
        R"([2024-05-01T10:00:00.123Z] "GET /reviews/)" + number + R"( HTTP/1.1" )" +
        (i % 3 == 0 ? "200" : "404") + R"( - via_upstream - "-" 0 358 9 8 "-" "curl" ")" + number +
        R"(" "reviews:9080" "10.244.0.12:9080" outbound|9080||reviews 10.244.0.11:44466 )" +
        "10.96.108.1:9080 10.244.0.11:49880 - default");
  }
  return lines;
}

// Of all lines, the second time round.
int64_t Allocations(const AccessLogOptions& access) {
  auto job = std::make_shared<LogJob>();
  job->access = access;
  LogTarget target;
  target.job = job;
  target.labels = {{"namespace", "default"}, {"pod", "reviews-v1-6f7c9d9f5d-x2x7q"}};
  const auto plan = *LinePlan::Make(target);
  const std::vector<std::string> lines = Lines();
  FlushCollector collector;
  int64_t before = 0;
  for (int round = 0; round < 2; ++round) {
    before = allocations;
    for (const std::string& text : lines) {
      JoinedLine line;
      line.time_ns = 1;
      line.text = text;
      PlannedLine planned;
      EXPECT_EQ(plan->Plan(line, &planned), LineFate::kKept);
      collector.AddLine(*planned.labels, line.time_ns, line.text, *planned.metadata);
    }
    if (round == 0) (void)collector.Finish(1);
  }
  return allocations - before;
}

TEST(LineAllocation, OnlyStreamsOfAFlushTakeSome) {
  AccessLogOptions promoted;
  promoted.enabled = true;
  promoted.labels = {{"response_code", "response_code"}};
  AccessLogOptions metadata = promoted;
  metadata.metadata = {{"request_id", "request_id"}, {"path", "path"}};
  EXPECT_LT(Allocations({}), 10);
  EXPECT_LT(Allocations(promoted), 20);
  EXPECT_LT(Allocations(metadata), 20);
}

}  // namespace
}  // namespace ampari
