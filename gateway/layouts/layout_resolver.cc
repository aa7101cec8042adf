#include "gateway/layouts/layout_resolver.h"

#include <numeric>

#include "absl/strings/str_cat.h"

namespace ampari {
namespace {

struct ChainLink {
  uint64_t number;
  BlockCache::BlockPtr block;
  const Layout* layout;
};

absl::Status Malformed(uint64_t layout, const char* what) {
  return absl::DataLossError(absl::StrCat("layout ", layout, ": ", what));
}

absl::Status CheckSize(const ChainLink& link, size_t base_size) {
  uint64_t positions = 0;
  for (const LayoutRun& run : link.layout->runs) {
    if (run.from_base && (run.first > base_size || run.count > base_size - run.first)) {
      return Malformed(link.number, "a run leaves the base layout");
    }
    positions += run.count;
  }
  if (positions != link.layout->size)
    return Malformed(link.number, "its runs differ from its size");
  if (positions > kMaxLayoutPositions) return Malformed(link.number, "too many positions");
  return absl::OkStatus();
}

// The chain from `layout` down to the one that is built on no other.
absl::StatusOr<std::vector<ChainLink>> ReadChain(BlockCache& blocks, InstanceNumber instance,
                                                 uint64_t layout) {
  std::vector<ChainLink> chain;
  for (uint64_t number = layout; number != 0;) {
    if (chain.size() > kMaxEditChain) return Malformed(layout, "its chain of edits is too long");
    absl::StatusOr<BlockCache::BlockPtr> block = blocks.OfLayout(instance, number);
    if (!block.ok()) return block.status();
    const Layout& found = (*block)->layouts[number - (*block)->first_layout];
    if (found.base >= number) return Malformed(number, "its base does not precede it");
    chain.push_back({number, *block, &found});
    number = found.base;
  }
  if (chain.empty()) return absl::NotFoundError("layout 0");
  return chain;
}

std::vector<uint64_t> ApplyRuns(const Layout& layout, const std::vector<uint64_t>& base) {
  std::vector<uint64_t> series;
  series.reserve(layout.size);
  for (const LayoutRun& run : layout.runs) {
    if (run.from_base) {
      const auto from = base.begin() + static_cast<ptrdiff_t>(run.first);
      series.insert(series.end(), from, from + run.count);
    } else {
      series.resize(series.size() + run.count);
      std::iota(series.end() - run.count, series.end(), run.first);
    }
  }
  return series;
}

}  // namespace

absl::StatusOr<std::vector<uint64_t>> ResolveLayout(BlockCache& blocks, InstanceNumber instance,
                                                    uint64_t layout) {
  absl::StatusOr<std::vector<ChainLink>> chain = ReadChain(blocks, instance, layout);
  if (!chain.ok()) return chain.status();
  std::vector<uint64_t> series;
  for (auto link = chain->rbegin(); link != chain->rend(); ++link) {
    if (absl::Status size = CheckSize(*link, series.size()); !size.ok()) return size;
    series = ApplyRuns(*link->layout, series);
  }
  return series;
}

}  // namespace ampari
