#include "forwarder/scrape/target_memory.h"

#include <algorithm>
#include <utility>

#include "forwarder/scrape/report_series.h"

namespace ampari {
namespace {

// A sweep forgets entries not seen for this many scrapes; until then a series that comes back keeps
// its number.
constexpr uint32_t kRememberScrapes = 8;
constexpr uint32_t kSweepEvery = 16;  // scrapes, when there is anything to forget
constexpr size_t kDeadSlack =
    64;  // entries; more dead ones than this and a quarter of the living are swept at once

}  // namespace

TargetMemory::TargetMemory(NumberSource& numbers)
    : numbers_(numbers),
      pass_({table_, order_, composer_, metadata_, times_, inherited_, failed_texts_}) {}

void TargetMemory::SetTarget(const Target& target, bool same_labels) {
  if (target_ != nullptr) {
    if (!same_labels) {
      Inherit(/*keep_numbers=*/true);
      failed_texts_.clear();
    }
    report_changed_ = report_changed_ || ReportLabels(target).size() != report_.series;
  }
  target_ = &target;
  composer_.SetTarget(target);
}

BodyPass& TargetMemory::BeginPass(const ScrapeBegin& begin, size_t max_scrape_bytes) {
  ++scrape_;
  now_ms_ = begin.timestamp_ms;
  table_before_ = table_.size();
  BodyPassRules rules;
  rules.open_metrics = begin.protocol == ScrapeProtocol::kOpenMetrics001 ||
                       begin.protocol == ScrapeProtocol::kOpenMetrics100;
  rules.honor_timestamps = target_->job->honor_timestamps;
  rules.track_timestamps = target_->job->track_timestamps_staleness;
  rules.sample_limit = target_->job->sample_limit;
  rules.max_samples =
      max_scrape_bytes / 4;  // a bound of memory; the codec's bound is checked at the end
  rules.scrape = scrape_;
  rules.cached_since = cached_since_;
  rules.timestamp_ms = now_ms_;
  rules.last_good_ms = last_good_ms_;
  pass_.Begin(rules);
  return pass_;
}

// Where each element of order_ stands in the current layout, kNoPosition for skips.
std::vector<uint32_t> TargetMemory::LayoutPositions() const {
  std::vector<uint32_t> positions(order_.size());
  uint32_t next = 0;
  for (size_t i = 0; i < order_.size(); ++i) {
    positions[i] = IsSkip(order_[i]) ? kNoPosition : next++;
  }
  return positions;
}

bool TargetMemory::IsAlive(const SeriesEntry& entry) const {
  if (entry.seen == scrape_) return true;
  if ((entry.flags & kSharedLabels) == 0) return false;
  const auto shared = pass_.shared_seen.find(entry.labels);
  return shared != pass_.shared_seen.end() && shared->second == scrape_;
}

// Series of the current layout that this scrape does not have.
void TargetMemory::FindVanished(Scrape* scrape) const {
  if (marked_stale_ || book_.current().id == 0) return;
  for (const auto& [labels, series] : inherited_) {
    if (series.tracked && series.seen != scrape_)
      scrape->stale_positions.push_back(series.position);
  }
  std::sort(scrape->stale_positions.begin(), scrape->stale_positions.end());
  uint32_t next = 0;
  for (size_t i = 0; i < order_.size(); ++i) {
    if (IsSkip(order_[i])) continue;
    const uint32_t position = next++;
    const SeriesEntry& entry = table_[EntryOf(order_[i])];
    const bool first = entry.position == i;
    if (first && (entry.flags & kUntracked) == 0 && !IsAlive(entry)) {
      scrape->stale_positions.push_back(position);
    }
  }
  if (!scrape->stale_positions.empty()) scrape->stale_layout = book_.current().id;
}

// As after a failed scrape: every tracked series of the current layout, once.
void TargetMemory::MarkAllStale(Scrape* scrape) {
  body_size_ = 0;
  if (std::exchange(marked_stale_, true) || book_.current().id == 0) return;
  for (const auto& [labels, series] : inherited_) {
    if (!series.tracked) scrape->absent.push_back(series.position);
  }
  std::sort(scrape->absent.begin(), scrape->absent.end());
  uint32_t next = 0;
  for (size_t i = 0; i < order_.size(); ++i) {
    if (IsSkip(order_[i])) continue;
    const uint32_t position = next++;
    const SeriesEntry& entry = table_[EntryOf(order_[i])];
    const bool again = !IsSkip(order_[i]) && entry.position != i;
    if (again || (entry.flags & kUntracked) != 0) scrape->absent.push_back(position);
  }
  if (scrape->absent.size() == book_.current().size) {
    scrape->absent.clear();
    return;
  }
  scrape->body_layout = book_.current().id;
  scrape->all_stale = true;
  body_size_ = book_.current().size;
}

void TargetMemory::Reject(bool was_read, Shipment* shipment) {
  if (was_read && failed_texts_.size() > 2 * table_before_ + 1000) failed_texts_.clear();
  for (const EntryId id : pass_.fresh) {
    if (was_read) failed_texts_.insert(table_[id].text.low);
  }
  table_.Truncate(table_before_);
  times_.RollBack();
  for (auto& [labels, series] : inherited_) series.seen = 0;
  MarkAllStale(&shipment->scrape);
  Proposal proposal;
  std::string error;
  pass_.Drop();
  if (report_changed_ && TakeNumbers(&proposal, &error)) CommitBlock(proposal, shipment);
  shipment->retired_blocks = book_.TakeRetired();
}

void TargetMemory::EndOfRun(Shipment* shipment) {
  MarkAllStale(&shipment->scrape);
  shipment->retired_blocks = book_.TakeAll();
  table_.Clear();
  order_.clear();
  metadata_.Clear();
  times_.Clear();
  inherited_.clear();
  failed_texts_.clear();
  pass_.shared_seen.clear();
  report_ = {};
  report_changed_ = true;
  tracked_ = distinct_ = 0;
  cached_since_ = 0;
  marked_stale_ = false;
}

// Moves the current layout's series out of the table; their texts will be read anew.
void TargetMemory::Inherit(bool keep_numbers) {
  const std::vector<uint32_t> positions = LayoutPositions();
  for (size_t i = 0; i < order_.size(); ++i) {
    SeriesEntry& entry = table_[EntryOf(order_[i])];
    if (positions[i] == kNoPosition || entry.position != i || entry.number == 0) continue;
    const auto [at, fresh] = inherited_.try_emplace(entry.labels);
    if (!fresh) continue;
    at->second = {entry.number, entry.number, positions[i], (entry.flags & kUntracked) == 0, 0};
    entry.number = 0;
  }
  for (EntryId id = 0; id < table_.size(); ++id) {
    if (table_[id].number != 0) book_.ReleaseSeries(table_[id].number);
  }
  if (!keep_numbers) {
    for (auto& [labels, series] : inherited_) series.number = 0;
  }
  table_.Clear();
  order_.clear();
  pass_.shared_seen.clear();
  distinct_ = 0;
}

void TargetMemory::ReleaseReport() {
  if (report_.layout == 0) return;
  for (uint64_t i = 0; i < report_.series; ++i) book_.ReleaseSeries(report_.first_series + i);
  book_.ReleaseLayout(report_.block);
}

void TargetMemory::MaybeSweep() {
  const size_t dead = table_.size() - std::min(distinct_, table_.size());
  const bool many = dead > distinct_ / 4 + kDeadSlack;
  if (!many && (dead == 0 || scrape_ - swept_ < kSweepEvery)) return;
  swept_ = scrape_;
  const uint32_t oldest = many || scrape_ < kRememberScrapes ? scrape_ : scrape_ - kRememberScrapes;
  table_.Sweep(order_, [&](const SeriesEntry& entry) {
    if (entry.position != kNoPosition || entry.seen >= oldest) return true;
    if (entry.number != 0) book_.ReleaseSeries(entry.number);
    return false;
  });
  times_.Prune([this](uint64_t labels) { return table_.FindLabels(labels) != kNoEntry; });
  pass_.shared_seen.clear();
}

size_t TargetMemory::memory_bytes() const {
  return sizeof(*this) + table_.memory_bytes() + order_.capacity() * sizeof(uint32_t) +
         metadata_.memory_bytes() + times_.memory_bytes() + book_.memory_bytes() +
         inherited_.capacity() * (sizeof(InheritedSeriesEntry) + sizeof(uint64_t)) +
         failed_texts_.capacity() * sizeof(uint64_t);
}

}  // namespace ampari
