#include "gateway/layouts/layout_renderer.h"

#include <xxhash.h>

#include <algorithm>
#include <limits>

#include "gateway/layouts/series_renderer.h"

namespace ampari {

std::vector<std::pair<uint64_t, uint64_t>> SeriesRanges(std::vector<uint64_t> series) {
  std::vector<std::pair<uint64_t, uint64_t>> ranges;
  if (!std::is_sorted(series.begin(), series.end())) std::sort(series.begin(), series.end());
  for (const uint64_t number : series) {
    if (!ranges.empty() && number <= ranges.back().second) {
      ranges.back().second = number + 1;
    } else {
      ranges.emplace_back(number, number + 1);
    }
  }
  return ranges;
}

absl::StatusOr<std::shared_ptr<const RenderedLayout>> RenderLayout(
    BlockCache& blocks, InstanceNumber instance, const std::vector<uint64_t>& series,
    const RenderRules& rules, const Labels& enforced) {
  auto out = std::make_shared<RenderedLayout>();
  out->fates.reserve(series.size());
  out->families.reserve(series.size());
  out->offsets.reserve(series.size() + 1);
  out->offsets.push_back(0);
  out->copy_offsets.reserve(series.size() + 1);
  SeriesRenderer renderer(rules, enforced);
  BlockCache::BlockPtr block;
  for (const uint64_t number : series) {
    if (block == nullptr || number < block->first_series ||
        number - block->first_series >= block->series.size()) {
      absl::StatusOr<BlockCache::BlockPtr> found = blocks.OfSeries(instance, number);
      if (!found.ok()) return found.status();
      block = *std::move(found);
    }
    renderer.Append(block->series[number - block->first_series], *out);
    if (out->label_bytes.size() > std::numeric_limits<uint32_t>::max() / 2) {
      return absl::DataLossError("the labels of one layout exceed 2 GiB");
    }
  }
  out->label_bytes.shrink_to_fit();
  out->copies.shrink_to_fit();
  out->series_ranges = SeriesRanges(series);
  out->generation =
      XXH3_64bits_withSeed(enforced.bytes().data(), enforced.bytes().size(), rules.generation);
  return out;
}

size_t RenderedWeight(const RenderedLayout& layout) {
  return sizeof(layout) + layout.label_bytes.size() + layout.offsets.size() * 2 * sizeof(uint32_t) +
         layout.fates.size() * (sizeof(SeriesFate) + sizeof(uint64_t)) +
         layout.series_ranges.size() * 2 * sizeof(uint64_t) +
         layout.copies.capacity() * sizeof(LabelCopy);
}

}  // namespace ampari
