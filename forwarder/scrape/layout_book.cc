#include "forwarder/scrape/layout_book.h"

#include <algorithm>
#include <utility>

#include "common/runtime/check.h"
#include "forwarder/scrape/series_table.h"

namespace ampari {
namespace {

void Extend(std::vector<LayoutRun>& runs, bool from_base, uint64_t at) {
  if (!runs.empty() && runs.back().from_base == from_base &&
      runs.back().first + runs.back().count == at) {
    ++runs.back().count;
    return;
  }
  runs.push_back({from_base, at, 1});
}

void AppendNumbers(uint64_t first, uint32_t count, std::vector<uint64_t>* numbers) {
  for (uint32_t i = 0; i < count; ++i) numbers->push_back(first + i);
}

}  // namespace

const KnownLayout* LayoutBook::Find(const Hash128& content, size_t size) const {
  for (const uint64_t id : recent_) {
    const auto at = std::find_if(layouts_.begin(), layouts_.end(),
                                 [id](const KnownLayout& layout) { return layout.id == id; });
    if (at != layouts_.end() && at->content == content && at->size == size) return &*at;
  }
  return nullptr;
}

Layout LayoutBook::Compose(std::span<const uint64_t> numbers,
                           std::span<const uint32_t> old_positions) const {
  Layout full;
  full.size = static_cast<uint32_t>(numbers.size());
  for (const uint64_t number : numbers) Extend(full.runs, false, number);
  if (current_.id == 0 || current_.depth >= kMaxEditChain) return full;
  Layout edit;
  edit.base = current_.id;
  edit.size = full.size;
  for (size_t i = 0; i < numbers.size() && edit.runs.size() < full.runs.size(); ++i) {
    const bool from_base = old_positions[i] != kNoPosition;
    Extend(edit.runs, from_base, from_base ? old_positions[i] : numbers[i]);
  }
  return edit.runs.size() < full.runs.size() ? edit : full;
}

void LayoutBook::AddBlock(const SentBlock& block) {
  blocks_[block.number] = {block.first_series, block.series, block.blocks, 0, 0};
  if (block.series > 0) by_first_series_[block.first_series] = block.number;
}

void LayoutBook::MakeCurrent(const KnownLayout& layout) {
  const KnownLayout made = layout;  // it may be one of layouts_
  current_ = made;
  const bool known = std::any_of(layouts_.begin(), layouts_.end(),
                                 [&](const KnownLayout& l) { return l.id == made.id; });
  if (!known) {
    layouts_.push_back(made);
    HoldLayout(made.block);
  }
  std::erase(recent_, made.id);
  recent_.push_back(made.id);
  if (recent_.size() > kRememberedLayouts) recent_.erase(recent_.begin());
  ForgetOldLayouts();
}

void LayoutBook::ForgetOldLayouts() {
  std::vector<uint64_t> living = recent_;
  for (size_t i = 0; i < living.size(); ++i) {
    for (const KnownLayout& layout : layouts_) {
      const bool builds = layout.id == living[i] && layout.base != 0;
      if (builds && std::find(living.begin(), living.end(), layout.base) == living.end()) {
        living.push_back(layout.base);
      }
    }
  }
  std::erase_if(layouts_, [&](const KnownLayout& layout) {
    if (std::find(living.begin(), living.end(), layout.id) != living.end()) return false;
    ReleaseLayout(layout.block);
    return true;
  });
}

void LayoutBook::HoldLayout(uint64_t block) { ++blocks_.at(block).held_layouts; }

void LayoutBook::ReleaseLayout(uint64_t block) {
  Block& held = blocks_.at(block);
  Check(held.held_layouts > 0, "a layout is released as often as it was held");
  --held.held_layouts;
  check_retired_ = true;
}

LayoutBook::Block& LayoutBook::BlockOfSeries(uint64_t number) {
  auto at = by_first_series_.upper_bound(number);
  Check(at != by_first_series_.begin(), "series numbers belong to a living block");
  Block& block = blocks_.at((--at)->second);
  Check(number - block.first_series < block.series, "series numbers belong to a living block");
  return block;
}

void LayoutBook::HoldSeries(uint64_t number) { ++BlockOfSeries(number).held_series; }

void LayoutBook::ReleaseSeries(uint64_t number) {
  Block& block = BlockOfSeries(number);
  Check(block.held_series > 0, "a series is released as often as it was held");
  --block.held_series;
  check_retired_ = true;
}

std::vector<uint64_t> LayoutBook::TakeRetired() {
  std::vector<uint64_t> retired;
  if (!std::exchange(check_retired_, false)) return retired;
  for (auto it = blocks_.begin(); it != blocks_.end();) {
    const Block& block = it->second;
    if (block.held_series != 0 || block.held_layouts != 0) {
      ++it;
      continue;
    }
    AppendNumbers(it->first, block.blocks, &retired);
    if (block.series > 0) by_first_series_.erase(block.first_series);
    it = blocks_.erase(it);
  }
  return retired;
}

std::vector<uint64_t> LayoutBook::TakeAll() {
  std::vector<uint64_t> all;
  for (const auto& [number, block] : blocks_) AppendNumbers(number, block.blocks, &all);
  *this = LayoutBook();
  return all;
}

size_t LayoutBook::memory_bytes() const {
  constexpr size_t kNodeBytes = 48;  // of a std::map
  return blocks_.size() * (sizeof(Block) + 2 * kNodeBytes) +
         layouts_.capacity() * sizeof(KnownLayout);
}

}  // namespace ampari
