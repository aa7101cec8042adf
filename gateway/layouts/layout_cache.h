// LayoutCache: the label bytes of layouts, rendered once per (destination, instance, layout) and
// kept in a byte-bounded cache, so that labels cost nothing per sample.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "common/labels/labels.h"
#include "common/relabel/relabel.h"
#include "gateway/config.h"
#include "gateway/layouts/label_copies.h"
#include "gateway/store/record.h"

namespace ampari {

// What decides a request's bytes at one destination. Immutable.
struct RenderRules {
  Labels external_labels;  // added where absent
  Relabeler write_relabel;
  DestinationLimits limits;
  uint64_t generation = 0;  // hash of all of this, the request size and the composer's version
};

enum class SeriesFate : uint8_t {
  kSent = 0,
  kDropped = 1,    // by write_relabel_configs
  kOverLimit = 2,  // refused by a limit of the destination
};

// One layout at one destination: for each position its fate and, when sent, the encoded labels (the
// `labels` fields of a prometheus.TimeSeries). Immutable, shared.
struct RenderedLayout {
  std::vector<uint32_t>
      offsets;  // size + 1: label bytes of position i are [offsets[i], offsets[i+1])
  std::string label_bytes;
  std::vector<SeriesFate> fates;  // size
  // size: equal for neighbours that must not be torn apart when a request is split (one histogram's
  // buckets, sum, count)
  std::vector<uint64_t> families;
  uint64_t dropped = 0, over_limit = 0;
  uint64_t generation = 0;  // of the rules and the enforced labels that it was rendered with
  // Positions that a limit refuses, each with the words why; the first 100.
  std::vector<std::pair<uint32_t, std::string>> over_limit_examples;
  // copy_offsets: size + 1; copies [copy_offsets[i], copy_offsets[i+1]) say what the labels of
  // position i repeat of the sent position before it. Empty when not known.
  std::vector<LabelCopy> copies;
  std::vector<uint32_t> copy_offsets;
  // The layout's series numbers as sorted ranges [first, upto): whether two layouts share a series.
  std::vector<std::pair<uint64_t, uint64_t>> series_ranges;
  uint32_t size() const { return static_cast<uint32_t>(fates.size()); }
};

// Where registration blocks are read from; the store, or a test's map.
class BlockSource {
 public:
  virtual ~BlockSource() = default;
  virtual absl::StatusOr<std::string> BlockOfLayout(InstanceNumber instance,
                                                    uint64_t layout) const = 0;
  virtual absl::StatusOr<std::string> BlockOfSeries(InstanceNumber instance,
                                                    uint64_t series) const = 0;
  virtual absl::StatusOr<Labels> EnforcedLabels(InstanceNumber instance) const = 0;
};

// Since the start. Rerenders: of layouts that the bound had pushed out before; when they keep
// growing, the destinations' layouts do not fit.
struct LayoutCacheCounts {
  uint64_t renders = 0, evictions = 0, rerenders = 0;
};

// Thread-safe. `source` must outlive it. Order of rendering: external labels,
// write_relabel_configs, enforced labels, limits.
class LayoutCache {
 public:
  LayoutCache(const BlockSource& source, size_t max_bytes);
  ~LayoutCache();

  // The series numbers of a layout, edits resolved. NotFound when a block is missing, DataLoss when
  // one is malformed or a chain is longer than kMaxEditChain.
  absl::StatusOr<std::shared_ptr<const std::vector<uint64_t>>> Series(InstanceNumber instance,
                                                                      uint64_t layout);
  absl::StatusOr<Labels> SeriesLabels(InstanceNumber instance, uint64_t series);
  absl::StatusOr<std::shared_ptr<const RenderedLayout>> Rendered(InstanceNumber instance,
                                                                 uint64_t layout,
                                                                 const RenderRules& rules);
  // Forgets what was rendered for an instance whose enforced labels changed.
  void Invalidate(InstanceNumber instance);
  size_t bytes() const;
  uint64_t renders_total() const;
  LayoutCacheCounts counts() const;

 private:
  class Core;
  std::unique_ptr<Core> core_;
};

}  // namespace ampari
