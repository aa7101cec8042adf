// ScrapeLoop: scrapes all targets on time. One thread does the I/O of all of them, two threads
// parse.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "absl/time/time.h"
#include "common/runtime/clock.h"
#include "forwarder/scrape/scraped_target.h"

namespace ampari {

struct ScrapeLoopOptions {
  const Clock* clock = nullptr;        // must outlive the loop
  NumberSource* numbers = nullptr;     // likewise
  size_t max_scrape_bytes = 0;         // MetricsShipper::max_scrape_bytes()
  uint64_t offset_seed = 0;            // OffsetSeed()
  std::function<void(Shipment)> ship;  // called from parser threads, in order per target
  // Asked at least once a second: true stops scraping without markers until it says false. Null:
  // never.
  std::function<bool()> superseded;
};

struct ScrapeLoopStatus {
  ScrapeTotals totals;
  uint64_t up = 0, down = 0, unknown = 0;  // targets
  uint64_t series = 0, memory_bytes = 0;   // remembered for all targets
  uint64_t skipped_ticks = 0;              // a scrape was still being parsed when the next was due
  uint64_t pauses = 0;                     // of transfers, for want of room at the parser
  uint64_t clock_small_steps = 0, clock_large_steps = 0;
  bool superseded = false;
};

// Thread-safe but for Start() and Stop(), which belong to the owner.
class ScrapeLoop {
 public:
  static constexpr int kParserThreads = 2;

  explicit ScrapeLoop(ScrapeLoopOptions options);
  ~ScrapeLoop();  // Stop()
  ScrapeLoop(const ScrapeLoop&) = delete;
  ScrapeLoop& operator=(const ScrapeLoop&) = delete;

  void Start();
  // The targets from now on. One with a known id keeps its memory and takes the new job's rules;
  // one that is missing gets its staleness markers when it has been away for more than an interval;
  // one that returns before that is as if it had never been away.
  void Apply(TargetSet targets);
  // Ends the threads: unfinished transfers are abandoned, whole ones are parsed and shipped. No
  // markers.
  void Stop();
  // For clocks that are moved by hand: looks at the clock now.
  void Wakeup();

  std::vector<TargetStatus> targets() const;  // in no order
  ScrapeLoopStatus status() const;

 private:
  class Core;
  std::unique_ptr<Core> core_;
};

}  // namespace ampari
