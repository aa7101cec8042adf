// SeriesTable: what one target's series are remembered by, 40 bytes each, with two open-addressing
// indexes over them: by the hash of the series' text in the exposition, and by the hash of its
// labels (two texts may mean one series).
//
// Used by one thread at a time. Entries keep their ids until Sweep(). Bounded by the caller
// (ScrapePass).
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

#include "forwarder/scrape/keyed_hash.h"

namespace ampari {

using EntryId = uint32_t;
inline constexpr EntryId kNoEntry = ~EntryId{0};

// Series text beyond this many bytes fails the scrape; also the bound of a line carried from piece
// to piece.
inline constexpr size_t kMaxLineBytes = (size_t{16} << 20) - 1;
inline constexpr uint32_t kNoPosition = (uint32_t{1} << 28) - 1;
inline constexpr uint64_t kMaxSeriesNumber = (uint64_t{1} << 39) - 1;

// Bits of SeriesEntry::flags. An entry with none of them and a number is a plain sample.
inline constexpr uint32_t kDroppedByRules = 1;  // metric_relabel_configs drop it
inline constexpr uint32_t kUntracked =
    2;  // its last sample had a timestamp of its own: no staleness markers
inline constexpr uint32_t kSharedLabels = 4;  // another entry has the same labels

struct SeriesEntry {
  Hash128 text;
  uint64_t labels = 0;   // hash; 0 while unknown or dropped
  uint64_t number : 40;  // 0: not registered; above kMaxSeriesNumber: pending, to be registered by
                         // this scrape
  uint64_t length : 24;  // of the text, in bytes
  uint32_t seen = 0;     // the last scrape (its count) that had it
  uint32_t position : 28;  // in the order of the last good body, kNoPosition when not in it
  uint32_t flags : 4;
};
static_assert(sizeof(SeriesEntry) == 40);

class SeriesTable {
 public:
  SeriesEntry& operator[](EntryId id) { return entries_[id]; }
  const SeriesEntry& operator[](EntryId id) const { return entries_[id]; }
  size_t size() const { return entries_.size(); }

  EntryId Find(const Hash128& text, size_t length) const;
  // The text must not be in the table.
  EntryId Add(const Hash128& text, size_t length);
  // The first entry that was given these labels.
  EntryId FindLabels(uint64_t labels) const;
  // Gives the entry its labels; marks it and the first one as shared when they are not new. Returns
  // the first one.
  EntryId SetLabels(EntryId id, uint64_t labels);

  // Keeps the entries for which `keep` says so, those of `order` first and in that order; rewrites
  // the ids in `order` (whose high bit is kept) and builds the indexes anew.
  void Sweep(std::vector<uint32_t>& order, const std::function<bool(const SeriesEntry&)>& keep);
  // Forgets the entries added last, all but the first `size`.
  void Truncate(size_t size);
  void Clear();
  size_t memory_bytes() const;

 private:
  void Grow();
  void BuildIndexes(size_t slots);
  void IndexText(EntryId id);
  void IndexLabels(EntryId id);

  std::vector<SeriesEntry> entries_;
  std::vector<uint32_t> by_text_,
      by_labels_;  // ids + 1, 0 is free; size a power of two, at most 3/4 full
};

// An element of a body's order: an entry and whether its line yielded no sample (dropped or a
// duplicate).
inline constexpr uint32_t kSkipBit = uint32_t{1} << 31;
inline EntryId EntryOf(uint32_t element) { return element & ~kSkipBit; }
inline bool IsSkip(uint32_t element) { return (element & kSkipBit) != 0; }

}  // namespace ampari
