#include "tests/support/scrape_replay.h"

#include <algorithm>

#include "common/runtime/check.h"

namespace ampari {

const Labels& ScrapeReplay::SeriesLabels(uint64_t number) const {
  for (const auto& [id, block] : blocks_) {
    if (number >= block.first_series && number - block.first_series < block.series.size()) {
      return block.series[number - block.first_series];
    }
  }
  Check(false, "a series number without a living block");
  return blocks_.begin()->second.series[0];
}

std::vector<uint64_t> ScrapeReplay::Resolve(uint64_t layout, int depth) {
  Check(depth <= kMaxEditChain, "an edit chain is too long");
  chain_depth_ = std::max(chain_depth_, depth);
  const auto at = block_of_layout_.find(layout);
  Check(at != block_of_layout_.end(), "an unknown layout");
  Check(blocks_.contains(at->second), "a layout of a retired block");
  const RegistrationBlock& block = blocks_.at(at->second);
  const Layout& edit = block.layouts[layout - block.first_layout];
  std::vector<uint64_t> base;
  if (edit.base != 0) base = Resolve(edit.base, depth + 1);
  std::vector<uint64_t> out;
  for (const LayoutRun& run : edit.runs) {
    for (uint32_t i = 0; i < run.count; ++i) {
      Check(!run.from_base || run.first + i < base.size(), "a run beyond its base");
      out.push_back(run.from_base ? base[run.first + i] : run.first + i);
    }
  }
  Check(out.size() == edit.size, "a layout's size");
  return out;
}

void ScrapeReplay::TakeBody(const Scrape& scrape, std::vector<ReplayedSample>* out) {
  if (scrape.body_layout == 0) {
    Check(scrape.body_values.empty() && !scrape.all_stale, "values without a layout");
    return;
  }
  chain_depth_ = 0;
  const std::vector<uint64_t> series = Resolve(scrape.body_layout, 0);
  auto absent = scrape.absent.begin();
  auto stamp = scrape.timestamps.begin();
  size_t value = 0;
  for (uint32_t position = 0; position < series.size(); ++position) {
    if (absent != scrape.absent.end() && *absent == position) {
      ++absent;
      continue;
    }
    int64_t time = scrape.timestamp_ms;
    if (stamp != scrape.timestamps.end() && stamp->position == position)
      time = (stamp++)->timestamp_ms;
    if (!scrape.all_stale) Check(value < scrape.body_values.size(), "too few values");
    const uint64_t bits = scrape.all_stale ? kStaleNanBits : scrape.body_values[value++];
    out->push_back({SeriesLabels(series[position]), time, bits});
  }
  Check(value == scrape.body_values.size(), "too many values");
  Check(absent == scrape.absent.end() && stamp == scrape.timestamps.end(), "positions in order");
}

void ScrapeReplay::TakeStale(const Scrape& scrape, std::vector<ReplayedSample>* out) {
  Check((scrape.stale_layout == 0) == scrape.stale_positions.empty(), "a stale layout's positions");
  if (scrape.stale_layout == 0) return;
  const std::vector<uint64_t> series = Resolve(scrape.stale_layout, 0);
  for (const uint32_t position : scrape.stale_positions) {
    Check(position < series.size(), "a stale position beyond its layout");
    out->push_back({SeriesLabels(series[position]), scrape.timestamp_ms, kStaleNanBits});
  }
}

void ScrapeReplay::TakeReport(const Scrape& scrape, std::vector<ReplayedSample>* out) {
  if (scrape.report_layout == 0) return;
  const std::vector<uint64_t> series = Resolve(scrape.report_layout, 0);
  if (!scrape.report_stale) Check(series.size() == scrape.report_values.size(), "report values");
  for (size_t i = 0; i < series.size(); ++i) {
    const uint64_t bits = scrape.report_stale ? kStaleNanBits : scrape.report_values[i];
    out->push_back({SeriesLabels(series[i]), scrape.timestamp_ms, bits});
  }
}

std::vector<ReplayedSample> ScrapeReplay::Take(const Shipment& shipment) {
  for (const RegistrationBlock& block : shipment.registrations) {
    const auto decoded = DecodeRegistration(EncodeRegistration(block));
    Check(decoded.ok() && *decoded == block, "a block survives its encoding");
    Check(blocks_.emplace(block.number, block).second, "a block number is used once");
    Check(!retired_.contains(block.number), "a block number is never reused");
    for (size_t i = 0; i < block.layouts.size(); ++i) {
      Check(block_of_layout_.emplace(block.first_layout + i, block.number).second, "layout number");
    }
    registered_series_ += block.series.size();
  }
  std::vector<ReplayedSample> out;
  TakeBody(shipment.scrape, &out);
  TakeStale(shipment.scrape, &out);
  const int depth = chain_depth_;
  TakeReport(shipment.scrape, &out);
  chain_depth_ = depth;
  Check(out.size() == shipment.samples, "the number of samples that a shipment tells");
  for (const uint64_t block : shipment.retired_blocks) {
    Check(blocks_.erase(block) == 1, "a living block is retired once");
    retired_.insert(block);
  }
  return out;
}

}  // namespace ampari
