#include "forwarder/scrape/scraped_target.h"

#include <utility>

namespace ampari {
namespace {

void AddSummary(const ScrapeSummary& summary, uint64_t shipped, ScrapeFailure failure,
                ScrapeTotals& totals) {
  ++totals.scrapes;
  ++totals.failures[static_cast<size_t>(failure)];
  totals.samples_scraped += summary.samples_scraped;
  totals.samples_shipped += shipped;
  totals.series_added += summary.series_added;
  totals.duplicates += summary.duplicates;
  totals.out_of_order += summary.out_of_order;
  totals.out_of_bounds += summary.out_of_bounds;
  totals.exemplars_dropped += summary.exemplars_dropped;
  totals.body_bytes += summary.body_bytes;
  totals.predicted += summary.predicted;
  totals.looked_up += summary.looked_up;
  totals.parsed += summary.parsed;
}

}  // namespace

ScrapedTarget::ScrapedTarget(Target target, const ScrapeOutlet& outlet, ParserPool& pool)
    : outlet_(outlet), pool_(pool), state_(target, outlet.max_scrape_bytes, *outlet.numbers) {
  status_.target = std::make_shared<const Target>(std::move(target));
}

void ScrapedTarget::Post(ParserPool::Task task) { pool_.Post(strand_, std::move(task)); }

void ScrapedTarget::Begin(const ScrapeBegin& begin) {
  busy_ = true;
  Post([self = shared_from_this(), begin] {
    self->timestamp_ms_ = begin.timestamp_ms;
    self->state_.Begin(begin);
  });
}

void ScrapedTarget::Feed(std::string piece) {
  unparsed_bytes_ += piece.size();
  Post([self = shared_from_this(), piece = std::move(piece)] { self->Parse(piece); });
}

void ScrapedTarget::Finish(ScrapeOutcome outcome) {
  Post([self = shared_from_this(), outcome = std::move(outcome)]() mutable {
    self->Close(outcome);
  });
}

void ScrapedTarget::End(int64_t timestamp_ms, bool with_markers) {
  Post([self = shared_from_this(), timestamp_ms, with_markers] {
    self->Retire(timestamp_ms, with_markers);
  });
}

void ScrapedTarget::Reconfigure(Target target) {
  auto shown = std::make_shared<const Target>(target);
  const std::shared_ptr<const Target> before = this->target();
  const bool same = before->job == target.job && before->interval == target.interval &&
                    before->timeout == target.timeout;
  if (!same) {
    Post([self = shared_from_this(), target = std::move(target)]() mutable {
      self->state_.Reconfigure(std::move(target));
    });
  }
  MutexLock lock(mu_);
  status_.target = std::move(shown);
}

void ScrapedTarget::Parse(std::string_view piece) {
  // What is wrong with the body is kept by the state and reported by Finish().
  (void)state_.Feed(piece);
  const size_t before = unparsed_bytes_.fetch_sub(piece.size());
  if (before > kMaxUnparsedBytes && before - piece.size() <= kMaxUnparsedBytes) {
    outlet_.has_room(target()->id);
  }
}

void ScrapedTarget::Close(ScrapeOutcome& outcome) {
  outcome.end.duration_seconds =
      absl::ToDoubleSeconds(outlet_.clock->Monotonic() - outcome.started);
  ScrapeSummary summary;
  Shipment shipment = state_.Finish(outcome.end, &summary);
  ScrapeFailure failure = outcome.failure;
  if (!summary.up && failure == ScrapeFailure::kNone) {
    failure = summary.limit_hit ? ScrapeFailure::kLimit : ScrapeFailure::kParse;
  }
  outlet_.tally(
      [&](ScrapeTotals& totals) { AddSummary(summary, shipment.samples, failure, totals); });
  outlet_.ship(std::move(shipment));
  MutexLock lock(mu_);
  status_.health = summary.up ? TargetHealth::kUp : TargetHealth::kDown;
  status_.last_scrape = absl::FromUnixMillis(timestamp_ms_);
  ++status_.scrapes;
  status_.last_duration_seconds = outcome.end.duration_seconds;
  status_.series = state_.series();
  status_.memory_bytes = state_.memory_bytes();
  status_.last = std::move(summary);
  busy_ = false;
}

void ScrapedTarget::Retire(int64_t timestamp_ms, bool with_markers) {
  Shipment shipment = state_.EndOfRun(timestamp_ms);
  if (!with_markers) {
    shipment.registrations.clear();
    shipment.scrape = Scrape();
    shipment.samples = 0;
  }
  if (shipment.samples == 0 && shipment.retired_blocks.empty()) return;
  outlet_.tally([&](ScrapeTotals& totals) {
    ++totals.end_of_runs;
    totals.samples_shipped += shipment.samples;
  });
  outlet_.ship(std::move(shipment));
}

TargetStatus ScrapedTarget::status() const {
  MutexLock lock(mu_);
  return status_;
}

std::shared_ptr<const Target> ScrapedTarget::target() const {
  MutexLock lock(mu_);
  return status_.target;
}

}  // namespace ampari
