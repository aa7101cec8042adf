// The canary: sends one marked metric the whole way, forwarder -> gateway -> region, and checks the
// gateway's account of it. What `ampari-forwarder canary` and `helm test` run.
//
// It connects as a forwarder of its own (<name>-canary) with the configuration's credentials, waits
// until its sample is stored and then settled at every destination, ends the series with a
// staleness marker, drains, and reads the account at the gateway's status address before and after.
#pragma once

#include <iosfwd>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/labels/labels.h"
#include "common/runtime/clock.h"
#include "common/runtime/exit_codes.h"
#include "common/runtime/shutdown.h"
#include "forwarder/config.h"

namespace ampari {

struct CanaryOptions {
  GatewayClientConfig gateway;
  Labels external_labels;
  // The gateway's HTTP address; {host} stands for the host of each gateway. "none": the account
  // is not checked.
  std::string status_url = "http://{host}:4751";
  absl::Duration timeout = absl::Minutes(1);  // for each gateway, from connecting to settled
};

// The status address of the gateway at `address` (host:port), without a slash at its end; empty for
// "none". InvalidArgument: no http or https URL, or one with a user or password in it, which would
// be shown.
absl::StatusOr<std::string> StatusUrl(const std::string& pattern, const std::string& address);

// Goes to each gateway of the configuration in turn and writes a line for each step; what fails
// goes to `err` with what to do. kExitOk, or the code of the first gateway that failed. Blocking.
ExitCode RunCanary(const CanaryOptions& options, const Clock& clock, StopSignals& signals,
                   std::ostream& out, std::ostream& err);

}  // namespace ampari
