#include "forwarder/scrape/target_state.h"

#include <utility>

#include "forwarder/scrape/report_series.h"
#include "forwarder/scrape/target_memory.h"

namespace ampari {

// The wiring: one target, its memory, the scrape under way.
class TargetState::Core {
 public:
  Core(Target target, size_t max_scrape_bytes, NumberSource& numbers)
      : target_(std::move(target)), max_scrape_bytes_(max_scrape_bytes), memory_(numbers) {
    memory_.SetTarget(target_, true);
  }

  void Begin(const ScrapeBegin& begin) {
    begin_ = begin;
    body_bytes_ = 0;
    status_ = absl::OkStatus();
    body_limit_hit_ = false;
    pass_ = &memory_.BeginPass(begin, max_scrape_bytes_);
  }

  absl::Status Feed(std::string_view piece) {
    body_bytes_ += piece.size();
    const uint64_t limit = target_.job->body_size_limit;
    if (limit > 0 && body_bytes_ >= limit) {
      body_limit_hit_ = true;
      status_ = absl::ResourceExhaustedError("body size limit exceeded");
    }
    if (status_.ok()) status_ = pass_->Feed(piece);
    return status_;
  }

  Shipment Finish(const ScrapeEnd& end, ScrapeSummary* summary);
  Shipment EndOfRun(int64_t timestamp_ms);
  void Reconfigure(Target target);

  uint64_t series() const { return memory_.series(); }
  size_t memory_bytes() const { return memory_.memory_bytes(); }

 private:
  std::string ErrorBeforeReading(const ScrapeEnd& end) const;
  void Tell(const BodyCounts& counts, bool up, ScrapeSummary* summary) const;

  Target target_;
  const size_t max_scrape_bytes_;
  TargetMemory memory_;
  ScrapeBegin begin_;
  BodyPass* pass_ = nullptr;
  absl::Status status_;
  uint64_t body_bytes_ = 0;
  bool body_limit_hit_ = false;
};

// Why Prometheus would not even have read the body; empty when it would.
std::string TargetState::Core::ErrorBeforeReading(const ScrapeEnd& end) const {
  if (end.target_limit_hit) return "target_limit exceeded";
  if (end.body_limit_hit || body_limit_hit_) return "body size limit exceeded";
  return end.transport.ok()
             ? ""
             : std::string(end.transport.message().empty() ? "scrape failed"
                                                           : end.transport.message());
}

void TargetState::Core::Tell(const BodyCounts& counts, bool up, ScrapeSummary* summary) const {
  summary->up = up;
  summary->samples_scraped = counts.scraped;
  summary->samples_post_relabel = counts.post_relabel;
  summary->series_added = counts.added;
  summary->duplicates = counts.duplicates;
  summary->out_of_order = counts.out_of_order;
  summary->out_of_bounds = counts.out_of_bounds;
  summary->exemplars_dropped = counts.exemplars;
  summary->body_bytes = body_bytes_;
  summary->predicted = counts.predicted;
  summary->looked_up = counts.looked_up;
  summary->parsed = counts.parsed;
}

Shipment TargetState::Core::Finish(const ScrapeEnd& end, ScrapeSummary* summary) {
  Shipment shipment;
  shipment.scrape.timestamp_ms = begin_.timestamp_ms;
  std::string error = ErrorBeforeReading(end);
  const bool was_read = error.empty();
  if (was_read && status_.ok()) status_ = pass_->End();
  if (was_read && !status_.ok()) error = std::string(status_.message());
  const bool malformed = was_read && absl::IsInvalidArgument(status_);
  const BodyCounts counts = was_read ? pass_->counts() : BodyCounts();
  const bool up =
      error.empty() && memory_.Accept(body_bytes_, max_scrape_bytes_, &shipment, &error);
  if (!up) memory_.Reject(was_read, &shipment);

  ReportValues values{up, end.duration_seconds, counts.scraped, counts.post_relabel, counts.added,
                      0};
  if (end.body_limit_hit || body_limit_hit_)
    values.body_bytes = -1;
  else if (was_read)
    values.body_bytes = static_cast<double>(body_bytes_);
  shipment.scrape.report_layout = memory_.report_layout();
  shipment.scrape.report_values = ReportBits(target_, values);
  shipment.samples = SampleCount(shipment.scrape, memory_.body_size(), memory_.report_size());
  if (summary != nullptr) {
    *summary = {};
    Tell(counts, up, summary);
    summary->limit_hit = was_read && !up && !malformed;
    summary->error = std::move(error);
  }
  return shipment;
}

Shipment TargetState::Core::EndOfRun(int64_t timestamp_ms) {
  Shipment shipment;
  shipment.scrape.timestamp_ms = timestamp_ms;
  if (!memory_.scraped()) return shipment;
  shipment.scrape.report_layout = memory_.report_layout();
  shipment.scrape.report_stale = true;
  const uint64_t report_size = memory_.report_size();
  memory_.EndOfRun(&shipment);
  shipment.samples = SampleCount(shipment.scrape, memory_.body_size(), report_size);
  return shipment;
}

void TargetState::Core::Reconfigure(Target target) {
  const ScrapeJob& before = *target_.job;
  const ScrapeJob& after = *target.job;
  // Compiled rules cannot be compared: other rules are assumed unless there are none.
  const bool same = before.honor_labels == after.honor_labels && before.metric_relabel.empty() &&
                    after.metric_relabel.empty() && before.label_limit == after.label_limit &&
                    before.label_name_length_limit == after.label_name_length_limit &&
                    before.label_value_length_limit == after.label_value_length_limit;
  target_ = std::move(target);
  memory_.SetTarget(target_, same);
}

TargetState::TargetState(Target target, size_t max_scrape_bytes, NumberSource& numbers)
    : core_(std::make_unique<Core>(std::move(target), max_scrape_bytes, numbers)) {}
TargetState::~TargetState() = default;

void TargetState::Begin(const ScrapeBegin& begin) { core_->Begin(begin); }
absl::Status TargetState::Feed(std::string_view piece) { return core_->Feed(piece); }
Shipment TargetState::Finish(const ScrapeEnd& end, ScrapeSummary* summary) {
  return core_->Finish(end, summary);
}
Shipment TargetState::EndOfRun(int64_t timestamp_ms) { return core_->EndOfRun(timestamp_ms); }
void TargetState::Reconfigure(Target target) { core_->Reconfigure(std::move(target)); }
uint64_t TargetState::series() const { return core_->series(); }
size_t TargetState::memory_bytes() const { return core_->memory_bytes(); }

}  // namespace ampari
