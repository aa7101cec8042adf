#include "common/runtime/shutdown.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <utility>

#include "common/runtime/check.h"
#include "common/runtime/clock.h"
#include "common/runtime/exit_codes.h"

namespace ampari {
namespace {

sigset_t WatchedSignals() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGHUP);
  return set;
}

}  // namespace

StopSignals::StopSignals(std::function<void()> on_reload) : on_reload_(std::move(on_reload)) {
  const sigset_t set = WatchedSignals();
  Check(pthread_sigmask(SIG_BLOCK, &set, nullptr) == 0, "cannot block signals");
  std::signal(SIGPIPE, SIG_IGN);
  signals_.reset(signalfd(-1, &set, SFD_CLOEXEC));
  quit_.reset(eventfd(0, EFD_CLOEXEC));
  Check(signals_ && quit_, "cannot make a signalfd");
  thread_ = std::thread([this] { Watch(); });
}

StopSignals::~StopSignals() {
  const uint64_t one = 1;
  Check(write(quit_.get(), &one, sizeof one) == sizeof one, "cannot wake the signal thread");
  thread_.join();
}

void StopSignals::Wait() {
  MutexLock lock(mu_);
  while (!stopped_) stopped_changed_.Wait(mu_);
}

bool StopSignals::WaitFor(absl::Duration timeout) {
  const absl::Duration end = SystemClock().Monotonic() + timeout;
  MutexLock lock(mu_);
  while (!stopped_) {
    const absl::Duration left = end - SystemClock().Monotonic();
    if (left <= absl::ZeroDuration()) return false;
    stopped_changed_.WaitFor(mu_, left);
  }
  return true;
}

void StopSignals::RequestStop() {
  MutexLock lock(mu_);
  stopped_ = true;
  stopped_changed_.NotifyAll();
}

void StopSignals::Watch() {
  bool stopping = false;
  for (;;) {
    pollfd fds[2] = {{signals_.get(), POLLIN, 0}, {quit_.get(), POLLIN, 0}};
    if (poll(fds, 2, -1) < 0 && errno != EINTR) return;
    if ((fds[1].revents & POLLIN) != 0) return;
    if ((fds[0].revents & POLLIN) == 0) continue;
    signalfd_siginfo signal{};
    if (read(signals_.get(), &signal, sizeof signal) != sizeof signal) continue;
    if (signal.ssi_signo == SIGHUP) {
      if (on_reload_) on_reload_();
      continue;
    }
    if (stopping) _exit(kExitRuntime);
    stopping = true;
    RequestStop();
  }
}

}  // namespace ampari
