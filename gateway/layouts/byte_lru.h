// ByteLru: a map of shared immutable values that forgets the least recently used ones beyond a
// bound in bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <utility>
#include <vector>

namespace ampari {

// Not thread-safe. A value larger than the bound is kept until the next one comes, so that its user
// makes progress.
template <typename Key, typename Value>
class ByteLru {
 public:
  explicit ByteLru(size_t max_bytes) : max_bytes_(max_bytes) {}

  // Null when absent; a value found becomes the most recent.
  std::shared_ptr<const Value> Find(const Key& key) {
    auto found = entries_.find(key);
    if (found == entries_.end()) return nullptr;
    order_.splice(order_.begin(), order_, found->second.place);
    return found->second.value;
  }

  // Greatest key <= `key`, for keys that begin ranges; null when there is none.
  std::pair<Key, std::shared_ptr<const Value>> FindAtOrBelow(const Key& key) {
    auto above = entries_.upper_bound(key);
    if (above == entries_.begin()) return {};
    const auto found = std::prev(above);
    order_.splice(order_.begin(), order_, found->second.place);
    return {found->first, found->second.value};
  }

  // Replaces an earlier value of the key. `bytes`: what the value weighs. Returns the keys that had
  // to go.
  std::vector<Key> Insert(const Key& key, std::shared_ptr<const Value> value, size_t bytes) {
    Erase(key);
    order_.push_front(key);
    entries_.emplace(key, Entry{std::move(value), bytes, order_.begin()});
    bytes_ += bytes;
    return Shrink(max_bytes_, 1);
  }

  // Forgets the least recent values until the rest weighs at most `max_bytes` or is `min_entries`.
  std::vector<Key> Shrink(size_t max_bytes, size_t min_entries) {
    std::vector<Key> gone;
    while (bytes_ > max_bytes && entries_.size() > min_entries) {
      gone.push_back(order_.back());
      Erase(order_.back());
    }
    return gone;
  }

  // Forgets every value whose key `wanted` accepts.
  template <typename Predicate>
  void EraseIf(Predicate wanted) {
    for (auto it = entries_.begin(); it != entries_.end();) {
      const Key key = it->first;
      ++it;
      if (wanted(key)) Erase(key);
    }
  }

  size_t bytes() const { return bytes_; }

 private:
  struct Entry {
    std::shared_ptr<const Value> value;
    size_t bytes;
    typename std::list<Key>::iterator place;
  };

  void Erase(const Key& key_in) {
    const Key key = key_in;  // the caller's may be the one in order_
    auto found = entries_.find(key);
    if (found == entries_.end()) return;
    bytes_ -= found->second.bytes;
    order_.erase(found->second.place);
    entries_.erase(found);
  }

  const size_t max_bytes_;
  size_t bytes_ = 0;
  std::map<Key, Entry> entries_;
  std::list<Key> order_;  // most recent first
};

}  // namespace ampari
