// LayoutBook: the layouts and registration blocks of one target: which are living, what a new
// layout looks like as edits of the current one, and which blocks are done with.
//
// A layout is living while it is the current one, one of the last kRememberedLayouts, or one that
// those build on. A block is retired when nothing holds any of its series and none of its layouts
// lives. Used by one thread at a time.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <vector>

#include "common/frame/registration.h"
#include "forwarder/scrape/keyed_hash.h"

namespace ampari {

inline constexpr size_t kRememberedLayouts = 4;  // the current one included
// With more blocks than this the target's series are registered anew, in one block.
inline constexpr size_t kMaxLivingBlocks = 1024;

struct KnownLayout {
  uint64_t id = 0;
  uint64_t base = 0;
  uint64_t block = 0;
  uint32_t size = 0;
  int depth = 0;  // how many layouts it builds on
  Hash128 content;
};

// Blocks of one scrape as they were sent, for the books: one living and dying thing, named by the
// first one.
struct SentBlock {
  uint64_t number = 0;
  uint64_t first_series = 0;
  uint32_t series = 0;
  uint32_t blocks = 1;  // numbered on from `number`
};

class LayoutBook {
 public:
  // The layout of the last good body; id 0 when there is none.
  const KnownLayout& current() const { return current_; }
  // A remembered layout of these series numbers, nullptr when there is none.
  const KnownLayout* Find(const Hash128& content, size_t size) const;
  // The layout of `numbers`; old_positions[i] is where numbers[i] stands in the current layout, or
  // kNoPosition. In full, or as an edit where that takes fewer runs.
  Layout Compose(std::span<const uint64_t> numbers, std::span<const uint32_t> old_positions) const;

  void AddBlock(const SentBlock& block);
  // The layout becomes the current one: new (its block was added) or remembered.
  void MakeCurrent(const KnownLayout& layout);
  // Layouts outside the chain of bodies: the report's.
  void HoldLayout(uint64_t block);
  void ReleaseLayout(uint64_t block);
  // Somebody uses the series' number, or no longer does.
  void HoldSeries(uint64_t number);
  void ReleaseSeries(uint64_t number);

  size_t living_blocks() const { return blocks_.size(); }
  // Numbers of blocks that are done with since the last call.
  std::vector<uint64_t> TakeRetired();
  // Retires everything.
  std::vector<uint64_t> TakeAll();
  size_t memory_bytes() const;

 private:
  struct Block {
    uint64_t first_series = 0;
    uint32_t series = 0;
    uint32_t blocks = 1;
    uint64_t held_series = 0;
    uint64_t held_layouts = 0;
  };
  Block& BlockOfSeries(uint64_t number);
  void ForgetOldLayouts();

  KnownLayout current_;
  std::vector<KnownLayout> layouts_;  // all living ones of bodies, the most recently used last
  std::vector<uint64_t> recent_;      // ids, the most recent last
  std::map<uint64_t, Block> blocks_;  // by the first number
  std::map<uint64_t, uint64_t> by_first_series_;  // first series → block number
  bool check_retired_ = false;
};

}  // namespace ampari
