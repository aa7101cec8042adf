// How the simulated region answers: a plain value, set as a whole or in parts by name=value text.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/time/time.h"
#include "bench/region/log_rules.h"
#include "common/runtime/mutex.h"

namespace ampari::bench {

enum class RegionMode : uint8_t {
  kOk,               // stores and answers 200
  kDown,             // closes the connection without storing
  kStatus,           // answers `status` without storing
  kHang,             // does not answer until the next update
  kCommitThenClose,  // stores, then closes the connection
};

struct Behaviour {
  RegionMode mode = RegionMode::kOk;
  int status = 500;         // of kStatus
  std::string retry_after;  // header of kStatus answers, as it is; empty: none
  std::string status_body = "scripted answer\n";
  int64_t times = -1;  // requests until the mode is kOk again; -1: for ever
  int64_t every = 1;   // the mode applies to every n-th request only
  // These hold in every mode that stores.
  absl::Duration delay;       // before the answer
  size_t max_bytes = 0;       // larger bodies (as sent) get 413; 0: no limit
  std::string reject_metric;  // series with this metric name are refused with 400
  bool partial =
      true;  // ... and the rest of the request is stored, as Mimir does; false: nothing is
  bool in_order_only =
      false;  // refuses what is older than the series' newest sample, as Prometheus does
  int64_t out_of_order_window_s =
      0;  // with in_order_only: accepted when younger than the tenant's newest less this
  int64_t too_old_window_s =
      0;              // refuses what is older than the tenant's newest sample less this; 0: off
  std::string token;  // required as bearer token or basic-auth password; empty: none
  LogRules logs;      // of Loki pushes
};

// `name=value&name=value`, the members' names as above with delay_ms for delay; mode by word: ok,
// down, status, hang, commit_then_close; or status=N alone; those of log_rules.h. InvalidArgument
// names what is unknown. `values` are taken over into *behaviour.
absl::Status UpdateBehaviour(const std::map<std::string, std::string>& values,
                             Behaviour* behaviour);

// The behaviours of all tenants. Thread-safe.
class BehaviourTable {
 public:
  // For one tenant, or, with an empty name, for all that have none of their own.
  absl::Status Update(const std::string& tenant, const std::map<std::string, std::string>& values)
      ABSL_LOCKS_EXCLUDED(mu_);
  // What the next request of the tenant meets; counts it against `times` and `every`.
  Behaviour Take(const std::string& tenant) ABSL_LOCKS_EXCLUDED(mu_);
  // Waits for the next Update() of anything, or Close().
  void WaitForUpdate() ABSL_LOCKS_EXCLUDED(mu_);
  // Waits `delay`, or less after Close().
  void Delay(absl::Duration delay) ABSL_LOCKS_EXCLUDED(mu_);
  // Ends every wait, now and later.
  void Close() ABSL_LOCKS_EXCLUDED(mu_);

 private:
  Behaviour& Of(const std::string& tenant) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  Mutex mu_;
  CondVar changed_;
  bool closed_ ABSL_GUARDED_BY(mu_) = false;
  uint64_t updates_ ABSL_GUARDED_BY(mu_) = 0;
  std::map<std::string, Behaviour> by_tenant_ ABSL_GUARDED_BY(mu_);
  std::map<std::string, int64_t> seen_ ABSL_GUARDED_BY(mu_);
};

}  // namespace ampari::bench
