// TailWatch: which directories changed (inotify), and what ends a wait.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/time/time.h"
#include "common/runtime/unique_fd.h"

namespace ampari {

// One thread uses it; Wakeup() may be called from any. Names in a directory are watched (made,
// renamed, removed), not writes: at a node's rate these would cost more than polling does.
class TailWatch {
 public:
  TailWatch();

  // Watches exactly these from now on, where their paths lead now. Those that cannot be watched now
  // (they are not there, or the kernel has no watches left) are tried again at each call.
  void Watch(const std::set<std::string>& directories);
  bool watches(const std::string& directory) const { return by_path_.contains(directory); }
  size_t unwatched() const { return unwatched_; }

  // Directories in which something changed since the last call; of more than the kernel keeps (some
  // ten thousand events) the next call has the rest. *all: events were lost, so any.
  std::vector<std::string> TakeChanged(bool* all);
  // Returns after a change, a Wakeup(), or `timeout`.
  void Wait(absl::Duration timeout);
  void Wakeup();

 private:
  void Add(const std::string& directory);
  void Remove(int watch);

  UniqueFd events_;  // eventfd
  UniqueFd inotify_;
  absl::flat_hash_map<std::string, int> by_path_;
  absl::flat_hash_map<int, std::string> by_watch_;
  size_t unwatched_ = 0;
};

}  // namespace ampari
