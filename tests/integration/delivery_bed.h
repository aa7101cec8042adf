// DeliveryBed: a queue in memory, a region and the delivery loop between them.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <bit>
#include <memory>
#include <string>
#include <vector>

#include "gateway/delivery/destination_loop.h"
#include "gateway/delivery/sample_cargo.h"
#include "tests/integration/delivery_queue.h"
#include "tests/integration/delivery_region.h"

namespace ampari {

// The machine's clocks, and what was added to them.
class StepClock final : public Clock {
 public:
  absl::Time Now() const override { return SystemClock().Now() + added(); }
  absl::Duration Monotonic() const override { return SystemClock().Monotonic() + added(); }
  void Add(absl::Duration by) { seconds_ += absl::ToInt64Seconds(by); }
  absl::Duration added() const { return absl::Seconds(seconds_.load()); }

 private:
  std::atomic<int64_t> seconds_ = 0;
};

class DeliveryBed {
 public:
  explicit DeliveryBed(FakeRegion::Kind kind = FakeRegion::Kind::kPrometheus) : region(kind) {
    config.name = "region";
    config.url = region.url();
    config.queue.min_backoff = absl::Milliseconds(1);
    config.queue.max_backoff = absl::Milliseconds(20);
    config.metadata.send = false;
    config.send_frame_header = true;
  }

  void Start() {
    loop = std::make_unique<DestinationLoop>(DestinationId{"acme", Signal::kMetrics, "region"},
                                             DeliverySettings{config, external_labels}, queue,
                                             std::make_unique<SampleCargo>("acme", layouts), clock);
    loop->Start();
  }

  // `series` series of one target: m{pod="<pod>",i="0"}, …
  uint64_t AddTarget(InstanceNumber instance, const std::string& pod, int series) {
    std::vector<Labels> labels;
    for (int i = 0; i < series; ++i) {
      labels.push_back({{"__name__", "m"}, {"i", std::to_string(i)}, {"pod", pod}});
    }
    return queue.Register(instance, labels);
  }

  static Scrape ScrapeOf(uint64_t layout, int series, int64_t timestamp_ms) {
    Scrape scrape;
    scrape.timestamp_ms = timestamp_ms;
    scrape.body_layout = layout;
    for (int i = 0; i < series; ++i) {
      scrape.body_values.push_back(
          std::bit_cast<uint64_t>(static_cast<double>(timestamp_ms % 1000 + i)));
    }
    return scrape;
  }

  // No bug of either side was seen and the ledger adds up.
  void ExpectSound() {
    EXPECT_THAT(queue.totals().bugs, testing::IsEmpty());
    EXPECT_THAT(region.complaints(), testing::IsEmpty());
  }
  uint64_t Rejected(const std::string& reason) {
    const auto rejected = queue.totals().rejected;
    const auto found = rejected.find(reason);
    return found == rejected.end() ? 0 : found->second;
  }
  // Every series was stored in ascending order of timestamps.
  void ExpectInOrder() {
    for (const auto& [series, samples] : region.stored()) {
      for (size_t i = 1; i < samples.size(); ++i) {
        ASSERT_LT(samples[i - 1].first, samples[i].first) << series;
      }
    }
  }

  MemoryQueue queue;
  FakeRegion region;
  LayoutCache layouts{queue, size_t{64} << 20};
  StepClock clock;
  RemoteWriteConfig config;
  Labels external_labels;
  std::unique_ptr<DestinationLoop> loop;
};

}  // namespace ampari
