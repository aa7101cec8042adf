// LogStages: tailing -> shipping of logs. They begin with the first job of log_configs that is in
// force; until then no file is looked at and no stream is opened for logs.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/time/time.h"
#include "common/runtime/clock.h"
#include "common/runtime/mutex.h"
#include "forwarder/discovery/log_targets.h"
#include "forwarder/log_view.h"
#include "forwarder/shipping/shipping_options.h"

namespace ampari {

// Thread-safe; Stop() belongs to the owner. `clock` must outlive it.
class LogStages {
 public:
  LogStages(ShippingOptions shipping, const Clock& clock);
  ~LogStages();  // Stop(zero)
  LogStages(const LogStages&) = delete;
  LogStages& operator=(const LogStages&) = delete;

  // There are jobs. Once begun, the stages stay until Stop(): without targets nothing more is read,
  // and what was read is shipped.
  void Begin() ABSL_LOCKS_EXCLUDED(mu_);
  void Apply(DiscoveredLogs found) ABSL_LOCKS_EXCLUDED(mu_);
  // The gateway of the stages, now or when they begin.
  void MoveTo(const std::string& address) ABSL_LOCKS_EXCLUDED(mu_);
  // Without `with_files` neither files nor targets.
  LogView view(bool with_files) const ABSL_LOCKS_EXCLUDED(mu_);
  // What view() has of it, at once: nobody waits for the tailer.
  ShippingStatus shipping() const ABSL_LOCKS_EXCLUDED(mu_);
  // Reads what there is room for and waits until the gateway has it. DeadlineExceeded says what is
  // left after `grace`.
  absl::Status Stop(absl::Duration grace) ABSL_LOCKS_EXCLUDED(mu_);

 private:
  class Running;
  Running* running() const ABSL_LOCKS_EXCLUDED(mu_);

  const Clock& clock_;
  mutable Mutex mu_;
  ShippingOptions shipping_ ABSL_GUARDED_BY(mu_);
  std::vector<LogTarget> targets_ ABSL_GUARDED_BY(mu_);
  DroppedTargets dropped_ ABSL_GUARDED_BY(mu_);
  bool stopped_ ABSL_GUARDED_BY(mu_) = false;
  std::unique_ptr<Running> running_ ABSL_GUARDED_BY(mu_);  // set once
};

}  // namespace ampari
