// ScrapedTarget: one target in operation: its memory between scrapes, its queue to the parser pool,
// and what is shown of it.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/time/time.h"
#include "common/runtime/clock.h"
#include "common/runtime/mutex.h"
#include "forwarder/scrape/parser_pool.h"
#include "forwarder/scrape/scrape_totals.h"
#include "forwarder/scrape/target_state.h"

namespace ampari {

// What the parser threads hand on; all of it must be thread-safe and outlive the targets.
struct ScrapeOutlet {
  const Clock* clock = nullptr;
  NumberSource* numbers = nullptr;
  size_t max_scrape_bytes = 0;
  std::function<void(Shipment)> ship;
  std::function<void(const std::string& id)> has_room;  // a target is below kMaxUnparsedBytes again
  std::function<void(const std::function<void(ScrapeTotals&)>&)> tally;
};

enum class TargetHealth : uint8_t { kUnknown, kUp, kDown };

struct TargetStatus {
  std::shared_ptr<const Target> target;
  TargetHealth health = TargetHealth::kUnknown;
  absl::Time last_scrape = absl::InfinitePast();  // the timestamp of its samples
  uint64_t scrapes = 0;                           // finished since the target was found
  double last_duration_seconds = 0;
  ScrapeSummary last;
  uint64_t series = 0;
  size_t memory_bytes = 0;
};

struct ScrapeOutcome {
  ScrapeEnd end;  // its duration is filled in when the body has been parsed
  ScrapeFailure failure = ScrapeFailure::kNone;
  absl::Duration started;  // monotonic
};

// Made by shared_ptr: tasks keep it alive. Begin() to Reconfigure() are for the loop thread and
// only enqueue.
class ScrapedTarget : public std::enable_shared_from_this<ScrapedTarget> {
 public:
  static constexpr size_t kMaxUnparsedBytes = size_t{1} << 20;

  // `outlet` and `pool` must outlive it.
  ScrapedTarget(Target target, const ScrapeOutlet& outlet, ParserPool& pool);

  void Begin(const ScrapeBegin& begin);
  void Feed(std::string piece);
  void Finish(ScrapeOutcome outcome);
  // The target is gone. Without `with_markers` (it came back in another form) only its
  // registrations are retired.
  void End(int64_t timestamp_ms, bool with_markers);
  void Reconfigure(Target target);

  // From Begin() until the scrape has been parsed.
  bool busy() const { return busy_; }
  bool has_room() const { return unparsed_bytes_ <= kMaxUnparsedBytes; }
  TargetStatus status() const ABSL_LOCKS_EXCLUDED(mu_);
  std::shared_ptr<const Target> target() const ABSL_LOCKS_EXCLUDED(mu_);

 private:
  void Post(ParserPool::Task task);
  void Parse(std::string_view piece);
  void Close(ScrapeOutcome& outcome);
  void Retire(int64_t timestamp_ms, bool with_markers);

  const ScrapeOutlet& outlet_;
  ParserPool& pool_;
  const std::shared_ptr<ParserPool::Strand> strand_ = std::make_shared<ParserPool::Strand>();
  TargetState state_;         // the strand's
  int64_t timestamp_ms_ = 0;  // of the running scrape; the strand's
  std::atomic<size_t> unparsed_bytes_{0};
  std::atomic<bool> busy_{false};
  mutable Mutex mu_;
  TargetStatus status_ ABSL_GUARDED_BY(mu_);
};

}  // namespace ampari
