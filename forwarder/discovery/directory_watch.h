// DirectoryWatch: wakes a thread when something in some directories changes (inotify), when told
// to, or after a time.
#pragma once

#include <set>
#include <string>

#include "absl/time/time.h"
#include "common/runtime/unique_fd.h"

namespace ampari {

// One thread waits; Wakeup() may be called from any. Where inotify is not available, or a directory
// does not exist yet, only time and Wakeup() end a wait: the caller looks again by itself.
class DirectoryWatch {
 public:
  DirectoryWatch();

  // Watches exactly these from now on; directories that could not be watched before are tried
  // again.
  void Watch(const std::set<std::string>& directories);
  // Returns after a change (and everything that follows it within 50 ms), a Wakeup(), or `timeout`.
  void Wait(absl::Duration timeout);
  void Wakeup();

 private:
  bool Drain();

  UniqueFd events_;  // eventfd
  UniqueFd inotify_;
  std::set<std::string> watched_;
};

}  // namespace ampari
