// ScrapeReplay: what a gateway makes of one target's shipments, in the simplest way: registrations
// are encoded and decoded, layouts resolved, and every sample told with its labels. Breaks of the
// rules between blocks, layouts and scrapes end the process (Check). For tests; used by one thread
// at a time.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "common/labels/labels.h"
#include "forwarder/shipping/shipment.h"

namespace ampari {

struct ReplayedSample {
  Labels labels;
  int64_t timestamp_ms = 0;
  uint64_t bits = 0;
  friend bool operator==(const ReplayedSample&, const ReplayedSample&) = default;
};

class ScrapeReplay {
 public:
  // The samples that the shipment stands for, the report's last; as many as it says.
  std::vector<ReplayedSample> Take(const Shipment& shipment);
  // Blocks registered and not retired.
  size_t living_blocks() const { return blocks_.size(); }
  size_t registered_series() const { return registered_series_; }
  // Of the last shipment's body layout.
  int chain_depth() const { return chain_depth_; }

 private:
  std::vector<uint64_t> Resolve(uint64_t layout, int depth);
  const Labels& SeriesLabels(uint64_t number) const;
  void TakeBody(const Scrape& scrape, std::vector<ReplayedSample>* out);
  void TakeStale(const Scrape& scrape, std::vector<ReplayedSample>* out);
  void TakeReport(const Scrape& scrape, std::vector<ReplayedSample>* out);

  std::map<uint64_t, RegistrationBlock> blocks_;
  std::map<uint64_t, uint64_t> block_of_layout_;
  std::set<uint64_t> retired_;
  size_t registered_series_ = 0;
  int chain_depth_ = 0;
};

}  // namespace ampari
