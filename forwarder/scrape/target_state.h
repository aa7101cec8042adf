// TargetState: everything remembered of one target between scrapes, and one scrape of it from bytes
// to a Shipment.
//
// It predicts: it remembers (128-bit keyed hash, length) of each series' text in the order of the
// last body, so that an unchanged line costs a hash, a compare and a number parse; a mismatch falls
// back to a table; only a new series is fully parsed, relabelled and registered. Semantics are
// Prometheus 3's (scrape/scrape.go), staleness and rollback included.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "forwarder/scrape/target.h"
#include "forwarder/shipping/shipment.h"

namespace ampari {

// Counters of one instance; thread-safe. Each take returns the first of `count` numbers, which
// start at 1.
class NumberSource {
 public:
  uint64_t TakeSeries(uint64_t count) {
    return series_.fetch_add(count, std::memory_order_relaxed);
  }
  uint64_t TakeLayouts(uint64_t count) {
    return layouts_.fetch_add(count, std::memory_order_relaxed);
  }
  uint64_t TakeBlocks(uint64_t count) {
    return blocks_.fetch_add(count, std::memory_order_relaxed);
  }

 private:
  std::atomic<uint64_t> series_{1}, layouts_{1}, blocks_{1};
};

struct ScrapeBegin {
  int64_t timestamp_ms = 0;  // aligned to the schedule; the caller keeps it increasing
  ScrapeProtocol protocol = ScrapeProtocol::kText004;
};

struct ScrapeEnd {
  absl::Status transport;  // not OK: no usable answer (connection, status, content type, timeout);
                           // its message is shown
  double duration_seconds = 0;  // value of scrape_duration_seconds
  bool body_limit_hit = false;  // scrape_body_size_bytes is then -1
  bool target_limit_hit = false;
};

// What /targets and the forwarder's metrics tell of a scrape.
struct ScrapeSummary {
  bool up = false;
  std::string error;       // empty when up
  bool limit_hit = false;  // it is about a limit, not about the body's syntax
  uint64_t samples_scraped = 0, samples_post_relabel = 0, series_added = 0;
  uint64_t duplicates = 0, out_of_order = 0, out_of_bounds = 0, exemplars_dropped = 0;
  uint64_t body_bytes = 0;
  uint64_t predicted = 0, looked_up = 0, parsed = 0;  // series by path
};

// Used by one thread at a time. `numbers` must outlive it.
class TargetState {
 public:
  TargetState(Target target, size_t max_scrape_bytes, NumberSource& numbers);
  ~TargetState();
  TargetState(const TargetState&) = delete;
  TargetState& operator=(const TargetState&) = delete;

  void Begin(const ScrapeBegin& begin);
  // A piece of the body, cut anywhere. Not OK once the body cannot be accepted (the error that
  // Finish will report); further pieces are then only counted.
  absl::Status Feed(std::string_view piece);
  // Ends the scrape: the samples with report series, or after any error the rollback: `up` 0,
  // staleness markers for all tracked series, nothing of the body.
  Shipment Finish(const ScrapeEnd& end, ScrapeSummary* summary);
  // The target is gone: markers for every tracked series and for the report series, all blocks
  // retired. Nothing when there was no scrape: `samples` of the result is then 0.
  Shipment EndOfRun(int64_t timestamp_ms);
  // A reload that kept labels and URL: new rules and limits apply from the next scrape.
  void Reconfigure(Target target);

  uint64_t series() const;      // tracked now
  size_t memory_bytes() const;  // of what is remembered, approximately

 private:
  class Core;
  std::unique_ptr<Core> core_;
};

}  // namespace ampari
