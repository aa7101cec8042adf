// StopSignals: turns SIGTERM, SIGINT and SIGHUP into a wait and a callback on ordinary threads.
#pragma once

#include <functional>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "absl/time/time.h"
#include "common/runtime/mutex.h"
#include "common/runtime/unique_fd.h"

namespace ampari {

// One per process, made by main() before any other thread, so that all threads inherit the blocked
// signals; ignores SIGPIPE too. A second SIGTERM or SIGINT ends the process at once with
// kExitRuntime.
class StopSignals {
 public:
  // `on_reload` (may be null) runs on the watching thread at each SIGHUP.
  explicit StopSignals(std::function<void()> on_reload);
  ~StopSignals();
  StopSignals(const StopSignals&) = delete;
  StopSignals& operator=(const StopSignals&) = delete;

  // Blocks until SIGTERM, SIGINT or RequestStop().
  void Wait() ABSL_LOCKS_EXCLUDED(mu_);
  // True when stopped; false after `timeout`.
  bool WaitFor(absl::Duration timeout) ABSL_LOCKS_EXCLUDED(mu_);
  // The same as a first SIGTERM; from any thread.
  void RequestStop() ABSL_LOCKS_EXCLUDED(mu_);

 private:
  void Watch();

  std::function<void()> on_reload_;
  UniqueFd signals_;  // signalfd
  UniqueFd quit_;     // eventfd: the destructor's
  Mutex mu_;
  CondVar stopped_changed_;
  bool stopped_ ABSL_GUARDED_BY(mu_) = false;
  std::thread thread_;
};

}  // namespace ampari
