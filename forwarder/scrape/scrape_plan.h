// ScrapePlan: which target is due when. Pure: time is told to it, in stamps of MonotonicStamps.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>

#include "absl/time/time.h"
#include "forwarder/scrape/schedule.h"

namespace ampari {

// Thread-compatible. Holds the targets by id; missed slots are skipped, never made up for.
class ScrapePlan {
 public:
  struct Due {
    std::string id;
    bool end_of_run = false;  // the target is gone: it is forgotten, unless Postpone() is called
    absl::Time timestamp;     // of the samples or of the markers
  };

  // Adds a target, or brings back one that had left, or changes its interval. `offset` is
  // OffsetInInterval().
  void Put(const std::string& id, absl::Duration interval, absl::Duration offset, absl::Time now);
  // The target is gone: its end of run becomes due. Does nothing if it has left already or is
  // unknown.
  void Leave(const std::string& id, absl::Time now);
  // The next thing that is due at `now`, and moves that target on.
  std::optional<Due> Pop(absl::Time now);
  // Puts an end of run that Pop() just gave off until `at`.
  void Postpone(const Due& due, absl::Time at);
  // After a jump of the clock: everything is planned anew from `now`.
  void Replan(absl::Time now);
  // When the next is due; InfiniteFuture when nothing is.
  absl::Time next() const;
  size_t size() const { return entries_.size(); }

 private:
  struct Entry {
    absl::Duration interval, offset;
    absl::Time due;
    absl::Time end_stamp;
    bool leaving = false;
  };
  void Enqueue(const std::string& id, Entry& entry, absl::Time due);

  std::unordered_map<std::string, Entry> entries_;
  std::set<std::pair<absl::Time, std::string>> queue_;
};

}  // namespace ampari
