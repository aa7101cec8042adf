// How TargetMemory takes over what a pass found.
#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/frame/frame.h"
#include "forwarder/scrape/registration_split.h"
#include "forwarder/scrape/report_series.h"
#include "forwarder/scrape/target_memory.h"

namespace ampari {
uint64_t TargetMemory::NumberOf(const SeriesEntry& entry, uint64_t first_new) const {
  const uint64_t number = entry.number;
  return number > kMaxSeriesNumber ? first_new + (number & kMaxSeriesNumber) : number;
}

// Series numbers for the new ones of the pass and, when it is due, for the report.
bool TargetMemory::TakeNumbers(Proposal* proposal, std::string* error) {
  RegistrationBlock& block = proposal->block;
  block.series = std::move(pass_.new_labels);
  if (report_changed_) {
    proposal->report = true;
    for (Labels& labels : ReportLabels(*target_)) block.series.push_back(std::move(labels));
    block.layouts.emplace_back();
  }
  if (block.series.empty()) return true;
  proposal->first_new = numbers_.TakeSeries(block.series.size());
  block.first_series = proposal->first_new;
  if (block.first_series + block.series.size() > kMaxSeriesNumber) {
    *error = "series numbers are used up";
    return false;
  }
  if (proposal->report) {
    const size_t count = ReportLabels(*target_).size();
    const uint64_t first = block.first_series + block.series.size() - count;
    block.layouts[0] = {
        0, static_cast<uint32_t>(count), {{false, first, static_cast<uint32_t>(count)}}};
  }
  return true;
}

void TargetMemory::ProposeOrder(Proposal* proposal) {
  const std::vector<uint32_t> old = LayoutPositions();
  std::vector<bool> used(book_.current().size);
  proposal->numbers.reserve(pass_.positions());
  proposal->old_positions.reserve(pass_.positions());
  for (const uint32_t element : pass_.order) {
    if (IsSkip(element)) continue;
    const SeriesEntry& entry = table_[EntryOf(element)];
    proposal->numbers.push_back(NumberOf(entry, proposal->first_new));
    uint32_t position = entry.position == kNoPosition ? kNoPosition : old[entry.position];
    const auto inherited = inherited_.find(entry.labels);
    if (inherited != inherited_.end() && inherited->second.number != 0) {
      position = inherited->second.position;
    }
    if (position != kNoPosition) {
      if (used[position])
        position = kNoPosition;  // the second sample of a series in this body
      else
        used[position] = true;
    }
    proposal->old_positions.push_back(position);
  }
}

// Decides the body's layout and numbers the layouts of the block.
void TargetMemory::ProposeLayout(Proposal* proposal, bool changed) {
  RegistrationBlock& block = proposal->block;
  proposal->layout = book_.current();
  if (changed) {
    const auto* bytes = reinterpret_cast<const char*>(proposal->numbers.data());
    const Hash128 content = KeyedHash128({bytes, proposal->numbers.size() * sizeof(uint64_t)});
    const KnownLayout* known = book_.Find(content, proposal->numbers.size());
    proposal->new_layout = known == nullptr;
    if (known != nullptr) {
      proposal->layout = *known;
    } else {
      block.layouts.push_back(book_.Compose(proposal->numbers, proposal->old_positions));
      proposal->layout = {};
      proposal->layout.content = content;
      proposal->layout.size = block.layouts.back().size;
      proposal->layout.base = block.layouts.back().base;
      proposal->layout.depth = proposal->layout.base == 0 ? 0 : book_.current().depth + 1;
    }
  }
  if (block.layouts.empty()) return;
  block.first_layout = numbers_.TakeLayouts(block.layouts.size());
  if (proposal->new_layout) proposal->layout.id = block.first_layout + block.layouts.size() - 1;
}

bool TargetMemory::Accept(size_t body_bytes, size_t max_scrape_bytes, Shipment* shipment,
                          std::string* error) {
  const bool any = pass_.positions() > 0;
  const bool changed = any && !(pass_.same_order() && inherited_.empty());
  Scrape& scrape = shipment->scrape;
  Proposal proposal;
  if (!TakeNumbers(&proposal, error)) return false;
  if (changed) {
    ProposeOrder(&proposal);
    FindVanished(&scrape);
  }
  ProposeLayout(&proposal, changed);
  if (any) {
    scrape.body_layout = proposal.layout.id;
    scrape.body_values = std::move(pass_.values);
    scrape.absent = std::move(pass_.absent);
    scrape.timestamps = std::move(pass_.timestamps);
  }
  const size_t bound = EncodedScrapeBound(scrape) + 128;  // the report's values
  if (bound > max_scrape_bytes) {
    *error =
        absl::StrCat("the scrape needs up to ", bound, " bytes, a frame takes ", max_scrape_bytes);
  } else {
    *error = WhyUnregistrable(proposal.block);
  }
  if (!error->empty()) {
    scrape = Scrape();
    scrape.timestamp_ms = now_ms_;
    return false;
  }
  if (!any) MarkAllStale(&scrape);
  scrape.metadata =
      metadata_.EndGoodScrape(std::min(kMaxMetadataBytesPerScrape, max_scrape_bytes - bound));
  CommitBlock(proposal, shipment);
  if (changed) CommitOrder(proposal);
  CommitPass(body_bytes);
  if (any) body_size_ = proposal.layout.size;
  shipment->retired_blocks = book_.TakeRetired();
  return true;
}

// Sends the block if there is anything in it, and brings the report series into force.
void TargetMemory::CommitBlock(Proposal& proposal, Shipment* shipment) {
  RegistrationBlock& whole = proposal.block;
  if (whole.series.empty() && whole.layouts.empty()) return;
  if (whole.first_layout == 0) whole.first_layout = numbers_.TakeLayouts(whole.layouts.size());
  SentBlock sent;
  sent.first_series = whole.first_series;
  sent.series = static_cast<uint32_t>(whole.series.size());
  std::vector<RegistrationBlock> blocks = SplitRegistration(std::move(whole));
  sent.blocks = static_cast<uint32_t>(blocks.size());
  sent.number = numbers_.TakeBlocks(sent.blocks);
  for (uint32_t i = 0; i < sent.blocks; ++i) blocks[i].number = sent.number + i;
  book_.AddBlock(sent);
  if (proposal.new_layout) proposal.layout.block = sent.number;
  if (proposal.report) {
    ReleaseReport();
    const Layout& layout = blocks.back().layouts[0];
    report_ = {layout.runs[0].first, layout.size, blocks.back().first_layout, sent.number};
    for (uint64_t i = 0; i < layout.size; ++i) book_.HoldSeries(report_.first_series + i);
    book_.HoldLayout(sent.number);
    report_changed_ = false;
  }
  shipment->registrations = std::move(blocks);
}

void TargetMemory::CommitOrder(const Proposal& proposal) {
  for (const EntryId id : pass_.fresh) {
    const uint64_t number = NumberOf(table_[id], proposal.first_new);
    table_[id].number = number & (2 * kMaxSeriesNumber + 1);
    book_.HoldSeries(number);
  }
  book_.MakeCurrent(proposal.layout);
  for (const auto& [labels, series] : inherited_) book_.ReleaseSeries(series.held);
  inherited_ = InheritedSeries();
  for (const uint32_t element : order_) table_[EntryOf(element)].position = kNoPosition;
  order_.swap(pass_.order);
  distinct_ = 0;
  for (size_t i = 0; i < order_.size(); ++i) {
    SeriesEntry& entry = table_[EntryOf(order_[i])];
    if (entry.position != kNoPosition) continue;
    entry.position = static_cast<uint32_t>(i) & kNoPosition;
    ++distinct_;
  }
  order_.shrink_to_fit();
  tracked_ = proposal.layout.size;
}

void TargetMemory::CommitPass(size_t body_bytes) {
  for (const EntryId id : pass_.toggled) table_[id].flags ^= kUntracked;
  times_.Commit();
  if (pass_.positions() > 0) {
    marked_stale_ = false;
    last_good_ms_ = now_ms_;
  }
  if (body_bytes > 0) {
    cached_since_ = scrape_;
    failed_texts_ = absl::flat_hash_set<uint64_t>();
  }
  MaybeSweep();
  if (book_.living_blocks() > kMaxLivingBlocks) {
    for (EntryId id = 0; id < table_.size(); ++id) failed_texts_.insert(table_[id].text.low);
    Inherit(/*keep_numbers=*/false);
  }
  pass_.Drop();
}

}  // namespace ampari
