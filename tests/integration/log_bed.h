// LogBed: a queue of log frames in memory, a Loki and the delivery loop between them.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "common/frame/log_frame.h"
#include "gateway/delivery/destination_loop.h"
#include "gateway/delivery/log_cargo.h"
#include "tests/integration/delivery_bed.h"
#include "tests/integration/log_region.h"

namespace ampari {

inline constexpr int64_t kFirstNs = 1'700'000'000'000'000'000;

// A wall clock that stands a little after the first lines; the monotonic one may be stepped.
class BedClock final : public Clock {
 public:
  absl::Time Now() const override { return absl::FromUnixNanos(kFirstNs) + absl::Seconds(10); }
  absl::Duration Monotonic() const override { return step_.Monotonic(); }
  void Add(absl::Duration by) { step_.Add(by); }

 private:
  StepClock step_;
};

// One line of a frame: the `app` label of its stream, and its text.
using AppLine = std::pair<std::string, std::string>;

class LogBed {
 public:
  LogBed() {
    config.name = "region";
    config.url = loki.url();
    config.min_backoff = absl::Milliseconds(1);
    config.max_backoff = absl::Milliseconds(20);
    config.batch_wait = absl::ZeroDuration();
    config.send_frame_header = true;
  }

  void Start() {
    loop = std::make_unique<DestinationLoop>(DestinationId{"acme", Signal::kLogs, "region"},
                                             DeliverySettings{config, external_labels}, queue,
                                             std::make_unique<LogCargo>("acme"), clock);
    loop->Start();
  }

  // A frame of these lines, a stream for each run of one app; times go up from frame to frame.
  uint64_t Append(uint32_t lane, InstanceNumber instance, const std::vector<AppLine>& lines,
                  const LogMetadata& metadata = {}) {
    LogFrameBuilder builder;
    std::string app;
    for (const auto& [name, text] : lines) {
      if (name != app) builder.BeginStream({{"app", name}});
      app = name;
      builder.AddLine(next_ns_++, text, metadata);
    }
    const uint64_t items = builder.lines();
    return queue.AppendRaw(lane, instance, builder.Finish(1), items);
  }
  // Frames of `count` lines of one app: "<app> 0", "<app> 1", …
  uint64_t AppendRun(uint32_t lane, InstanceNumber instance, const std::string& app, int count) {
    std::vector<AppLine> lines;
    for (int i = 0; i < count; ++i) lines.emplace_back(app, app + " " + std::to_string(i));
    return Append(lane, instance, lines);
  }

  // No bug of either side was seen, and lines of a stream were stored by ascending time.
  void ExpectSound() {
    EXPECT_THAT(queue.totals().bugs, testing::IsEmpty());
    EXPECT_THAT(loki.complaints(), testing::IsEmpty());
    for (const auto& [selector, lines] : loki.stored()) {
      for (size_t i = 1; i < lines.size(); ++i)
        ASSERT_LT(std::get<0>(lines[i - 1]), std::get<0>(lines[i])) << selector;
    }
  }
  uint64_t Rejected(const std::string& reason) {
    const auto rejected = queue.totals().rejected;
    const auto found = rejected.find(reason);
    return found == rejected.end() ? 0 : found->second;
  }

  MemoryQueue queue;
  FakeLoki loki;
  LokiWriteConfig config;
  Labels external_labels;
  BedClock clock;
  std::unique_ptr<DestinationLoop> loop;

 private:
  int64_t next_ns_ = kFirstNs;
};

}  // namespace ampari
