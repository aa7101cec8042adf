// StoreBlocks: the store as the source of registration blocks that layouts are made from.
#pragma once

#include <string>

#include "gateway/layouts/layout_cache.h"
#include "gateway/store/store.h"

namespace ampari {

// Thread-safe. `store` must outlive it.
class StoreBlocks final : public BlockSource {
 public:
  explicit StoreBlocks(const Store& store) : store_(store) {}

  absl::StatusOr<std::string> BlockOfLayout(InstanceNumber instance,
                                            uint64_t layout) const override {
    return store_.ReadBlockOfLayout(instance, layout);
  }
  absl::StatusOr<std::string> BlockOfSeries(InstanceNumber instance,
                                            uint64_t series) const override {
    return store_.ReadBlockOfSeries(instance, series);
  }
  absl::StatusOr<Labels> EnforcedLabels(InstanceNumber instance) const override {
    return store_.EnforcedLabels(instance);
  }

 private:
  const Store& store_;
};

}  // namespace ampari
