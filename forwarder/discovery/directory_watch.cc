#include "forwarder/discovery/directory_watch.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>

#include <algorithm>
#include <array>
#include <cstdint>

#include "common/runtime/logging.h"

namespace ampari {
namespace {

constexpr uint32_t kChanges =
    IN_CREATE | IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_ATTRIB;
// A writer's several changes are taken together.
constexpr int kQuietMilliseconds = 50;

}  // namespace

DirectoryWatch::DirectoryWatch() : events_(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {}

void DirectoryWatch::Watch(const std::set<std::string>& directories) {
  if (directories == watched_) return;
  inotify_.reset(::inotify_init1(IN_NONBLOCK | IN_CLOEXEC));
  watched_.clear();
  if (!inotify_) {
    Log(LogLevel::kWarn, "no inotify: files are only read again at their refresh_interval");
    return;
  }
  for (const std::string& directory : directories) {
    if (::inotify_add_watch(inotify_.get(), directory.c_str(), kChanges) >= 0) {
      watched_.insert(directory);
    }
  }
}

void DirectoryWatch::Wait(absl::Duration timeout) {
  std::array<pollfd, 2> fds{pollfd{events_.get(), POLLIN, 0}, pollfd{inotify_.get(), POLLIN, 0}};
  const int64_t milliseconds =
      std::clamp<int64_t>(absl::ToInt64Milliseconds(timeout), 0, 24 * 3600 * 1000);
  if (::poll(fds.data(), fds.size(), static_cast<int>(milliseconds)) <= 0) return;
  if ((fds[1].revents & POLLIN) != 0) {
    while (Drain() && ::poll(&fds[1], 1, kQuietMilliseconds) > 0) {
    }
  }
  uint64_t count = 0;
  if ((fds[0].revents & POLLIN) != 0) (void)!::read(events_.get(), &count, sizeof(count));
}

bool DirectoryWatch::Drain() {
  alignas(inotify_event) std::array<char, 4096> buffer;
  bool any = false;
  while (::read(inotify_.get(), buffer.data(), buffer.size()) > 0) any = true;
  return any;
}

void DirectoryWatch::Wakeup() {
  const uint64_t one = 1;
  (void)!::write(events_.get(), &one, sizeof(one));
}

}  // namespace ampari
