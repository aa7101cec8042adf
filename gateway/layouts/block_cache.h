// BlockCache: decoded registration blocks, found by a series or a layout number, in a byte-bounded
// cache.
#pragma once

#include <cstdint>
#include <memory>
#include <utility>

#include "absl/status/statusor.h"
#include "common/frame/registration.h"
#include "common/runtime/mutex.h"
#include "gateway/layouts/byte_lru.h"
#include "gateway/layouts/layout_cache.h"

namespace ampari {

// Thread-safe; blocks are read and decoded outside the lock. `source` must outlive it.
class BlockCache {
 public:
  using BlockPtr = std::shared_ptr<const RegistrationBlock>;

  BlockCache(const BlockSource& source, size_t max_bytes) : source_(source), blocks_(max_bytes) {}

  // The block that registers the number. NotFound when there is none, DataLoss when it is malformed
  // or does not hold what it was asked for.
  absl::StatusOr<BlockPtr> OfLayout(InstanceNumber instance, uint64_t layout);
  absl::StatusOr<BlockPtr> OfSeries(InstanceNumber instance, uint64_t series);

  // Decoded blocks are for rendering: afterwards only the latest ones stay, for the layouts that
  // they share.
  void Shrink();
  size_t bytes() const;

 private:
  // A block is filed under its first series and its first layout; `kind` keeps the two apart.
  enum class Kind : uint8_t { kSeries, kLayout };
  struct Key {
    InstanceNumber instance = 0;
    Kind kind = Kind::kSeries;
    uint64_t first = 0;
    friend auto operator<=>(const Key&, const Key&) = default;
  };

  BlockPtr Find(const Key& wanted);
  absl::StatusOr<BlockPtr> Decode(const Key& wanted, const absl::StatusOr<std::string>& bytes);
  static bool Holds(const RegistrationBlock& block, const Key& wanted);

  const BlockSource& source_;
  mutable Mutex mu_;
  ByteLru<Key, RegistrationBlock> blocks_ ABSL_GUARDED_BY(mu_);
};

}  // namespace ampari
