#include "forwarder/tail/tail_watch.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "common/runtime/logging.h"

namespace ampari {
namespace {

constexpr uint32_t kChanges = IN_CREATE | IN_MOVED_FROM | IN_MOVED_TO | IN_DELETE | IN_DELETE_SELF |
                              IN_MOVE_SELF | IN_ONLYDIR | IN_DONT_FOLLOW;
// Of events: who makes them as fast as they are read does not keep the thread.
constexpr int kReadsAtOnce = 256;

}  // namespace

TailWatch::TailWatch()
    : events_(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)),
      inotify_(::inotify_init1(IN_NONBLOCK | IN_CLOEXEC)) {
  if (!inotify_) Log(LogLevel::kWarn, "no inotify: directories of logs are looked at every second");
}

void TailWatch::Watch(const std::set<std::string>& directories) {
  std::vector<int> superfluous;
  for (const auto& [watch, path] : by_watch_) {
    if (!directories.contains(path)) superfluous.push_back(watch);
  }
  for (const int watch : superfluous) {
    ::inotify_rm_watch(inotify_.get(), watch);
    Remove(watch);
  }
  unwatched_ = 0;
  for (const std::string& directory : directories) Add(directory);
}

void TailWatch::Add(const std::string& directory) {
  const int watch =
      inotify_ ? ::inotify_add_watch(inotify_.get(), directory.c_str(), kChanges) : -1;
  if (watch < 0) {
    const int error = errno;
    ++unwatched_;
    static LogLimit limit;
    if (error == ENOSPC) {
      Log(limit, LogLevel::kWarn,
          "no directory more can be watched (sysctl fs.inotify.max_user_watches): the others are "
          "looked at every second",
          {{"watched", by_path_.size()}});
    }
    return;
  }
  const auto known = by_path_.find(directory);
  if (known != by_path_.end()) {
    const int before = known->second;
    if (before == watch) return;
    // The path leads elsewhere now, by a mount, or while events were lost.
    ::inotify_rm_watch(inotify_.get(), before);
    Remove(before);
  }
  Remove(watch);  // another name of the same directory
  by_path_[directory] = watch;
  by_watch_[watch] = directory;
}

void TailWatch::Remove(int watch) {
  const auto found = by_watch_.find(watch);
  if (found == by_watch_.end()) return;
  by_path_.erase(found->second);
  by_watch_.erase(found);
}

std::vector<std::string> TailWatch::TakeChanged(bool* all) {
  *all = false;
  std::set<std::string> changed;
  alignas(inotify_event) std::array<char, 16384> buffer;
  for (int i = 0; inotify_ && i < kReadsAtOnce; ++i) {
    const ssize_t n = ::read(inotify_.get(), buffer.data(), buffer.size());
    if (n <= 0) break;
    for (size_t at = 0; at < static_cast<size_t>(n);) {
      inotify_event event;
      std::memcpy(&event, buffer.data() + at, sizeof(event));
      at += sizeof(event) + event.len;
      if ((event.mask & IN_Q_OVERFLOW) != 0) *all = true;
      const auto found = by_watch_.find(event.wd);
      if (found != by_watch_.end()) changed.insert(found->second);
      // A directory that was renamed would be watched on, for nobody.
      if ((event.mask & IN_MOVE_SELF) != 0) ::inotify_rm_watch(inotify_.get(), event.wd);
      if ((event.mask & (IN_IGNORED | IN_MOVE_SELF)) != 0) Remove(event.wd);
    }
  }
  return {changed.begin(), changed.end()};
}

void TailWatch::Wait(absl::Duration timeout) {
  std::array<pollfd, 2> fds{pollfd{events_.get(), POLLIN, 0}, pollfd{inotify_.get(), POLLIN, 0}};
  const int64_t milliseconds = std::clamp<int64_t>(
      absl::ToInt64Milliseconds(absl::Ceil(timeout, absl::Milliseconds(1))), 0, 60'000);
  (void)::poll(fds.data(), fds.size(), static_cast<int>(milliseconds));
  uint64_t count = 0;
  if ((fds[0].revents & POLLIN) != 0) (void)!::read(events_.get(), &count, sizeof(count));
}

void TailWatch::Wakeup() {
  const uint64_t one = 1;
  (void)!::write(events_.get(), &one, sizeof(one));
}

}  // namespace ampari
