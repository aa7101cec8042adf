// LogRetirements: files that are gone, until the gateway has heard that their positions can go. In
// stream order. Not thread-safe.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "common/frame/log_frame.h"

namespace ampari {

using LogPlaces = absl::flat_hash_map<std::string, LogPosition>;  // by key

class LogRetirements {
 public:
  static constexpr size_t kMaxFiles = 100'000;  // as many as a gateway keeps of a producer
  static constexpr size_t kFilesPerMessage = 4096;

  // `after`: the last frame that may hold a part of them; never decreases. With too many the oldest
  // are forgotten: their positions stay until the producer's end.
  void Add(std::vector<std::string> keys, uint64_t after);
  // The file is read again.
  void Cancel(const std::string& key);
  bool contains(const std::string& key) const { return keys_.contains(key); }
  bool empty() const { return keys_.empty(); }
  size_t size() const { return keys_.size(); }

  // Those that are due: all before them is acknowledged. They count as told before the frame
  // `sent` + 1.
  std::vector<std::string> Next(uint64_t acknowledged, uint64_t sent);
  // An acknowledgement covers all that was said before its frame.
  void OnAcknowledged(uint64_t acknowledged);
  // A stream begins at a gateway that knows `stored`: what it still has is told again, what is due
  // and not there needs no word.
  void OnStream(const LogPlaces& stored, uint64_t acknowledged);
  // Sequences from `from` on are free again.
  void Truncate(uint64_t from);
  // Sequences fell by `fall`.
  void Renumber(uint64_t fall);

 private:
  struct Entry {
    std::string key;
    uint64_t after = 0;
    uint64_t told_before = 0;  // the frame that was not sent yet when it was told; 0: was not told
  };
  void PopFront();

  std::deque<Entry> entries_;  // those that were told come first
  size_t told_ = 0;
  absl::flat_hash_set<std::string> keys_;
};

}  // namespace ampari
