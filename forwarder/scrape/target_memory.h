// TargetMemory: what one target's scrapes leave behind, and how a scrape is accepted into it or
// rolled back: series, their order, layouts, blocks, staleness.
//
// Used by one thread at a time. `numbers` must outlive it. Memory is about 60 bytes per series that
// is or lately was there.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "forwarder/scrape/body_pass.h"
#include "forwarder/scrape/layout_book.h"
#include "forwarder/scrape/target_state.h"

namespace ampari {

class TargetMemory {
 public:
  explicit TargetMemory(NumberSource& numbers);
  TargetMemory(const TargetMemory&) = delete;
  TargetMemory& operator=(const TargetMemory&) = delete;

  // The target's labels and rules; `target` must outlive the memory's use of it. When they may
  // yield other labels for known texts, those are read anew at the next scrape: series whose labels
  // stay keep their numbers.
  void SetTarget(const Target& target, bool same_labels);

  // A pass over one body, to be fed; then Accept or Reject.
  BodyPass& BeginPass(const ScrapeBegin& begin, size_t max_scrape_bytes);

  // Takes over what the pass found. Writes the body's part of shipment->scrape and registers what
  // is new, the report series too. False with `*error` when the scrape cannot be shipped: then
  // Reject it.
  bool Accept(size_t body_bytes, size_t max_scrape_bytes, Shipment* shipment, std::string* error);
  // Undoes the pass; writes staleness markers for all tracked series. `was_read`: Prometheus would
  // have read the body.
  void Reject(bool was_read, Shipment* shipment);
  // Markers for everything, retires all blocks, forgets all.
  void EndOfRun(Shipment* shipment);

  uint64_t report_layout() const { return report_.layout; }
  uint64_t report_size() const { return report_.series; }
  // Positions of the layout that the last Accept, Reject or EndOfRun wrote.
  uint64_t body_size() const { return body_size_; }
  bool scraped() const { return report_.layout != 0; }
  uint64_t series() const { return tracked_; }
  size_t memory_bytes() const;
  const BodyPass& pass() const { return pass_; }

 private:
  // A scrape's order that differs from the last one's, worked out but not yet accepted.
  struct Proposal {
    std::vector<uint64_t> numbers;        // by position
    std::vector<uint32_t> old_positions;  // by position, kNoPosition where new
    uint64_t first_new = 0;
    KnownLayout layout;
    bool new_layout = false;
    bool report = false;  // the report series are part of `block`
    RegistrationBlock block;
  };
  struct Report {
    uint64_t first_series = 0, series = 0, layout = 0, block = 0;
  };

  uint64_t NumberOf(const SeriesEntry& entry, uint64_t first_new) const;
  std::vector<uint32_t> LayoutPositions() const;
  bool TakeNumbers(Proposal* proposal, std::string* error);
  void ProposeOrder(Proposal* proposal);
  void ProposeLayout(Proposal* proposal, bool changed);
  void FindVanished(Scrape* scrape) const;
  bool IsAlive(const SeriesEntry& entry) const;
  void MarkAllStale(Scrape* scrape);
  void CommitBlock(Proposal& proposal, Shipment* shipment);
  void CommitOrder(const Proposal& proposal);
  void CommitPass(size_t body_bytes);
  void MaybeSweep();
  void Inherit(bool keep_numbers);
  void ReleaseReport();

  NumberSource& numbers_;
  const Target* target_ = nullptr;
  SeriesTable table_;
  std::vector<uint32_t> order_;  // of the body that gave the current layout
  LabelComposer composer_;
  MetadataTable metadata_;
  SampleTimes times_;
  InheritedSeries inherited_;
  absl::flat_hash_set<uint64_t> failed_texts_;
  LayoutBook book_;
  BodyPass pass_;
  Report report_;
  bool report_changed_ = true;
  uint64_t body_size_ = 0;
  uint64_t tracked_ = 0;
  size_t distinct_ = 0;      // entries in order_
  size_t table_before_ = 0;  // entries before the pass
  uint32_t scrape_ = 0;
  uint32_t cached_since_ = 0;
  uint32_t swept_ = 0;
  int64_t now_ms_ = 0;
  int64_t last_good_ms_ = 0;
  bool marked_stale_ = false;  // the current layout's series have their markers already
};

}  // namespace ampari
