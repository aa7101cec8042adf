#include "gateway/layouts/layout_cache.h"

#include <set>
#include <string>
#include <tuple>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/runtime/logging.h"
#include "common/runtime/mutex.h"
#include "gateway/layouts/block_cache.h"
#include "gateway/layouts/byte_lru.h"
#include "gateway/layouts/layout_renderer.h"
#include "gateway/layouts/layout_resolver.h"

namespace ampari {
namespace {

struct RenderedKey {
  InstanceNumber instance = 0;
  uint64_t layout = 0;
  uint64_t generation = 0;
  friend auto operator<=>(const RenderedKey&, const RenderedKey&) = default;
};

constexpr size_t kRememberedEvictions = 65'536;

using SeriesKey = std::pair<InstanceNumber, uint64_t>;
using SeriesNumbers = std::vector<uint64_t>;

}  // namespace

// Wiring: decoded blocks (an eighth of the bytes, most of it only while rendering), resolved
// layouts (an eighth), rendered layouts (the rest).
class LayoutCache::Core {
 public:
  Core(const BlockSource& source, size_t max_bytes)
      : source_(source),
        blocks_(source, max_bytes / 8),
        resolved_(max_bytes / 8),
        rendered_(max_bytes * 3 / 4) {}

  absl::StatusOr<std::shared_ptr<const SeriesNumbers>> Series(InstanceNumber instance,
                                                              uint64_t layout) {
    {
      MutexLock lock(mu_);
      if (auto found = resolved_.Find({instance, layout})) return found;
    }
    absl::StatusOr<SeriesNumbers> series = ResolveLayout(blocks_, instance, layout);
    if (!series.ok()) return series.status();
    auto shared = std::make_shared<const SeriesNumbers>(*std::move(series));
    MutexLock lock(mu_);
    resolved_.Insert({instance, layout}, shared,
                     shared->size() * sizeof(uint64_t) + sizeof(SeriesNumbers));
    return shared;
  }

  absl::StatusOr<std::shared_ptr<const RenderedLayout>> Rendered(const RenderedKey& key,
                                                                 const RenderRules& rules) {
    uint64_t epoch = 0;
    {
      MutexLock lock(mu_);
      if (auto found = rendered_.Find(key)) return found;
      epoch = invalidations_;
    }
    const auto series = Series(key.instance, key.layout);
    if (!series.ok()) return series.status();
    const absl::StatusOr<Labels> enforced = source_.EnforcedLabels(key.instance);
    if (!enforced.ok()) return enforced.status();
    auto layout = RenderLayout(blocks_, key.instance, **series, rules, *enforced);
    if (!layout.ok()) return layout.status();
    blocks_.Shrink();
    MutexLock lock(mu_);
    // What was rendered with labels that have changed meanwhile is used this once and not kept.
    if (epoch == invalidations_) Keep(key, *layout);
    return *layout;
  }

  absl::StatusOr<Labels> SeriesLabels(InstanceNumber instance, uint64_t series) {
    absl::StatusOr<BlockCache::BlockPtr> block = blocks_.OfSeries(instance, series);
    if (!block.ok()) return block.status();
    return (*block)->series[series - (*block)->first_series];
  }

  void Invalidate(InstanceNumber instance) {
    MutexLock lock(mu_);
    ++invalidations_;
    rendered_.EraseIf([instance](const RenderedKey& key) { return key.instance == instance; });
  }

  size_t bytes() const {
    MutexLock lock(mu_);
    return blocks_.bytes() + resolved_.bytes() + rendered_.bytes();
  }
  LayoutCacheCounts counts() const {
    MutexLock lock(mu_);
    return counts_;
  }

 private:
  // A layout that is rendered again soon after it had to go shows that the cache is too small.
  void Keep(const RenderedKey& key, std::shared_ptr<const RenderedLayout> layout)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    ++counts_.renders;
    if (evicted_.erase(key) != 0) {
      ++counts_.rerenders;
      Log(too_small_, LogLevel::kWarn, "layouts do not fit their cache and are rendered again",
          {{"rerenders", std::to_string(counts_.rerenders)}});
    }
    const size_t bytes = RenderedWeight(*layout);
    for (const RenderedKey& gone : rendered_.Insert(key, std::move(layout), bytes)) {
      ++counts_.evictions;
      if (evicted_.size() >= kRememberedEvictions) evicted_.erase(evicted_.begin());
      evicted_.insert(gone);
    }
  }

  const BlockSource& source_;
  BlockCache blocks_;
  mutable Mutex mu_;
  ByteLru<SeriesKey, SeriesNumbers> resolved_ ABSL_GUARDED_BY(mu_);
  ByteLru<RenderedKey, RenderedLayout> rendered_ ABSL_GUARDED_BY(mu_);
  uint64_t invalidations_ ABSL_GUARDED_BY(mu_) = 0;
  LayoutCacheCounts counts_ ABSL_GUARDED_BY(mu_);
  std::set<RenderedKey> evicted_ ABSL_GUARDED_BY(mu_);
  LogLimit too_small_{absl::Minutes(1)};
};

LayoutCache::LayoutCache(const BlockSource& source, size_t max_bytes)
    : core_(std::make_unique<Core>(source, max_bytes)) {}
LayoutCache::~LayoutCache() = default;

absl::StatusOr<std::shared_ptr<const std::vector<uint64_t>>> LayoutCache::Series(
    InstanceNumber instance, uint64_t layout) {
  return core_->Series(instance, layout);
}

absl::StatusOr<Labels> LayoutCache::SeriesLabels(InstanceNumber instance, uint64_t series) {
  return core_->SeriesLabels(instance, series);
}

absl::StatusOr<std::shared_ptr<const RenderedLayout>> LayoutCache::Rendered(
    InstanceNumber instance, uint64_t layout, const RenderRules& rules) {
  return core_->Rendered({instance, layout, rules.generation}, rules);
}

void LayoutCache::Invalidate(InstanceNumber instance) { core_->Invalidate(instance); }
size_t LayoutCache::bytes() const { return core_->bytes(); }
uint64_t LayoutCache::renders_total() const { return core_->counts().renders; }
LayoutCacheCounts LayoutCache::counts() const { return core_->counts(); }

}  // namespace ampari
