#include "forwarder/scrape/series_table.h"

#include <utility>

namespace ampari {
namespace {

constexpr size_t kSmallestIndex = 16;

// The slot where `matches` holds, or the free one that ends the search.
template <typename Matches>
size_t Probe(const std::vector<uint32_t>& index, uint64_t hash, const Matches& matches) {
  const size_t mask = index.size() - 1;
  size_t slot = hash & mask;
  while (index[slot] != 0 && !matches(index[slot] - 1)) slot = (slot + 1) & mask;
  return slot;
}

}  // namespace

EntryId SeriesTable::Find(const Hash128& text, size_t length) const {
  if (by_text_.empty()) return kNoEntry;
  const size_t slot = Probe(by_text_, text.low, [&](EntryId id) {
    return entries_[id].text == text && entries_[id].length == length;
  });
  return by_text_[slot] == 0 ? kNoEntry : by_text_[slot] - 1;
}

EntryId SeriesTable::Add(const Hash128& text, size_t length) {
  if ((entries_.size() + 1) * 4 > by_text_.size() * 3) Grow();
  SeriesEntry entry;
  entry.text = text;
  entry.number = 0;
  entry.length = length & kMaxLineBytes;
  entry.position = kNoPosition;
  entry.flags = 0;
  const auto id = static_cast<EntryId>(entries_.size());
  entries_.push_back(entry);
  IndexText(id);
  return id;
}

EntryId SeriesTable::FindLabels(uint64_t labels) const {
  if (by_labels_.empty()) return kNoEntry;
  const size_t slot =
      Probe(by_labels_, labels, [&](EntryId id) { return entries_[id].labels == labels; });
  return by_labels_[slot] == 0 ? kNoEntry : by_labels_[slot] - 1;
}

EntryId SeriesTable::SetLabels(EntryId id, uint64_t labels) {
  const EntryId first = FindLabels(labels);
  entries_[id].labels = labels;
  if (first == kNoEntry) {
    IndexLabels(id);
    return id;
  }
  if (first != id) {
    entries_[first].flags |= kSharedLabels;
    entries_[id].flags |= kSharedLabels;
  }
  return first;
}

void SeriesTable::IndexText(EntryId id) {
  by_text_[Probe(by_text_, entries_[id].text.low, [](EntryId) { return false; })] = id + 1;
}

void SeriesTable::IndexLabels(EntryId id) {
  const uint64_t labels = entries_[id].labels;
  const size_t slot =
      Probe(by_labels_, labels, [&](EntryId other) { return entries_[other].labels == labels; });
  if (by_labels_[slot] == 0) {
    by_labels_[slot] = id + 1;
    return;
  }
  const EntryId first = by_labels_[slot] - 1;
  if (first == id) return;
  entries_[first].flags |= kSharedLabels;
  entries_[id].flags |= kSharedLabels;
}

void SeriesTable::Grow() { BuildIndexes(by_text_.empty() ? kSmallestIndex : by_text_.size() * 2); }

void SeriesTable::BuildIndexes(size_t slots) {
  by_text_.assign(slots, 0);
  by_labels_.assign(slots, 0);
  for (EntryId id = 0; id < entries_.size(); ++id) {
    IndexText(id);
    if (entries_[id].labels != 0) IndexLabels(id);
  }
}

void SeriesTable::Truncate(size_t size) {
  if (entries_.size() <= size) return;
  entries_.resize(size);
  BuildIndexes(by_text_.size());
}

void SeriesTable::Sweep(std::vector<uint32_t>& order,
                        const std::function<bool(const SeriesEntry&)>& keep) {
  std::vector<EntryId> moved(entries_.size(), kNoEntry);
  std::vector<SeriesEntry> kept;
  kept.reserve(order.size() + order.size() / 8);
  const auto move = [&](EntryId id) {
    if (moved[id] != kNoEntry || !keep(entries_[id])) return;
    moved[id] = static_cast<EntryId>(kept.size());
    kept.push_back(entries_[id]);
    kept.back().flags &= ~kSharedLabels;
  };
  for (uint32_t& element : order) {
    move(EntryOf(element));
    element = moved[EntryOf(element)] | (element & kSkipBit);
  }
  for (EntryId id = 0; id < entries_.size(); ++id) move(id);
  entries_ = std::move(kept);
  size_t size = kSmallestIndex;
  while (entries_.size() * 4 > size * 3) size *= 2;
  by_text_ = std::vector<uint32_t>();
  by_labels_ = std::vector<uint32_t>();
  BuildIndexes(size);
}

void SeriesTable::Clear() { *this = SeriesTable(); }

size_t SeriesTable::memory_bytes() const {
  return entries_.capacity() * sizeof(SeriesEntry) +
         (by_text_.capacity() + by_labels_.capacity()) * sizeof(uint32_t);
}

}  // namespace ampari
