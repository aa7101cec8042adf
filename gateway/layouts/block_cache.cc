#include "gateway/layouts/block_cache.h"

#include "absl/strings/str_cat.h"

namespace ampari {
namespace {

constexpr size_t kIdleBlockBytes = size_t{1} << 20;

size_t Weight(const RegistrationBlock& block) {
  size_t bytes = sizeof(block);
  for (const Labels& labels : block.series) bytes += sizeof(labels) + labels.bytes().size() + 16;
  for (const Layout& layout : block.layouts) {
    bytes += sizeof(layout) + layout.runs.size() * sizeof(LayoutRun);
  }
  return bytes;
}

}  // namespace

bool BlockCache::Holds(const RegistrationBlock& block, const Key& wanted) {
  const bool series = wanted.kind == Kind::kSeries;
  const uint64_t first = series ? block.first_series : block.first_layout;
  const uint64_t count = series ? block.series.size() : block.layouts.size();
  return wanted.first >= first && wanted.first - first < count;
}

BlockCache::BlockPtr BlockCache::Find(const Key& wanted) {
  MutexLock lock(mu_);
  auto [key, block] = blocks_.FindAtOrBelow(wanted);
  if (block == nullptr || key.instance != wanted.instance || key.kind != wanted.kind)
    return nullptr;
  return Holds(*block, wanted) ? block : nullptr;
}

absl::StatusOr<BlockCache::BlockPtr> BlockCache::Decode(const Key& wanted,
                                                        const absl::StatusOr<std::string>& bytes) {
  if (!bytes.ok()) return bytes.status();
  absl::StatusOr<RegistrationBlock> decoded = DecodeRegistration(*bytes);
  if (!decoded.ok()) return decoded.status();
  if (!Holds(*decoded, wanted)) {
    return absl::DataLossError(
        absl::StrCat("registration block ", decoded->number, " does not hold ",
                     wanted.kind == Kind::kSeries ? "series " : "layout ", wanted.first));
  }
  auto block = std::make_shared<const RegistrationBlock>(*std::move(decoded));
  const size_t weight = Weight(*block) / 2 + 1;  // filed twice
  MutexLock lock(mu_);
  if (!block->series.empty())
    blocks_.Insert({wanted.instance, Kind::kSeries, block->first_series}, block, weight);
  if (!block->layouts.empty())
    blocks_.Insert({wanted.instance, Kind::kLayout, block->first_layout}, block, weight);
  return block;
}

absl::StatusOr<BlockCache::BlockPtr> BlockCache::OfLayout(InstanceNumber instance,
                                                          uint64_t layout) {
  const Key wanted{instance, Kind::kLayout, layout};
  if (BlockPtr block = Find(wanted)) return block;
  return Decode(wanted, source_.BlockOfLayout(instance, layout));
}

absl::StatusOr<BlockCache::BlockPtr> BlockCache::OfSeries(InstanceNumber instance,
                                                          uint64_t series) {
  const Key wanted{instance, Kind::kSeries, series};
  if (BlockPtr block = Find(wanted)) return block;
  return Decode(wanted, source_.BlockOfSeries(instance, series));
}

void BlockCache::Shrink() {
  MutexLock lock(mu_);
  blocks_.Shrink(kIdleBlockBytes, 0);
}

size_t BlockCache::bytes() const {
  MutexLock lock(mu_);
  return blocks_.bytes();
}

}  // namespace ampari
