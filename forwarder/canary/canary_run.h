// CanaryRun: one canary through one gateway, step by step.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/runtime/clock.h"
#include "common/runtime/exit_codes.h"
#include "common/runtime/shutdown.h"
#include "forwarder/canary/canary.h"
#include "forwarder/canary/gateway_pages.h"
#include "forwarder/canary/status_client.h"
#include "forwarder/shipping/metrics_shipper.h"

namespace ampari {

// Why a canary did not arrive.
struct CanaryFailure {
  ExitCode code = kExitRuntime;
  std::string what;
  std::string advice;
};

// One thread's. `options`, `clock` and `signals` outlive it.
class CanaryRun {
 public:
  // `say` is called with each step that went well. `status_url`: empty: the account is not checked.
  CanaryRun(const CanaryOptions& options, const std::string& address, const std::string& status_url,
            const Clock& clock, StopSignals& signals, std::function<void(std::string_view)> say);

  // nullopt: everything arrived and adds up.
  std::optional<CanaryFailure> Run();

 private:
  using Accounts = std::vector<DestinationAccount>;

  std::optional<CanaryFailure> Connect();
  std::optional<CanaryFailure> ReadAccounts();
  std::optional<CanaryFailure> Send();
  std::optional<CanaryFailure> End(bool delivered);
  std::optional<CanaryFailure> CheckAccounts();
  std::optional<CanaryFailure> CheckAccount(const DestinationAccount& before,
                                            const DestinationAccount& after);
  CanaryFailure NotSettled();
  CanaryFailure NotDelivered(const DestinationAccount& after, const std::string& growth);
  CanaryFailure Unreadable(const absl::Status& why) const;
  CanaryFailure Stopped() const;
  // True once `done`; false at the deadline or when told to stop.
  bool WaitUntil(absl::Duration deadline, const std::function<bool()>& done);
  bool Durable() const;
  bool Settled() const;
  int64_t NextTimestamp();

  const CanaryOptions& options_;
  const std::string address_, forwarder_name_, id_;
  const std::optional<StatusClient> status_;
  const Clock& clock_;
  StopSignals& signals_;
  const std::function<void(std::string_view)> say_;
  const absl::Duration deadline_;

  MetricsShipper shipper_;
  bool stopped_ = false;
  uint64_t pushed_ = 0;  // shipments, each of which becomes a frame
  int64_t timestamp_ms_ = 0;
  InstanceIdentity identity_;
  Accounts before_;  // of the canary's tenant
};

}  // namespace ampari
