#include "forwarder/canary/canary.h"

#include <optional>
#include <ostream>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/strip.h"
#include "forwarder/canary/canary_run.h"

namespace ampari {
namespace {

constexpr char kNone[] = "none";

// One gateway, after its status address is known.
ExitCode RunOne(const CanaryOptions& options, const std::string& address,
                const std::string& status_url, const Clock& clock, StopSignals& signals,
                std::ostream& out, std::ostream& err) {
  const absl::Duration begin = clock.Monotonic();
  const auto seconds = [&] {
    return absl::StrFormat("%7.3f s  ", absl::ToDoubleSeconds(clock.Monotonic() - begin));
  };
  CanaryRun run(options, address, status_url, clock, signals,
                [&](std::string_view step) { out << seconds() << step << std::endl; });
  const std::optional<CanaryFailure> failure = run.Run();
  if (!failure) {
    out << seconds() << "OK: the metric went the whole way through gateway " << address
        << std::endl;
    return kExitOk;
  }
  err << seconds() << "FAILED (exit code " << failure->code << "): " << failure->what << "\n"
      << "           what to do: " << failure->advice << std::endl;
  return failure->code;
}

}  // namespace

absl::StatusOr<std::string> StatusUrl(const std::string& pattern, const std::string& address) {
  if (pattern == kNone) return std::string();
  const std::string host = address.substr(0, address.rfind(':'));
  const std::string url = absl::StrReplaceAll(pattern, {{"{host}", host}});
  absl::string_view rest = url;
  if (!absl::ConsumePrefix(&rest, "http://") && !absl::ConsumePrefix(&rest, "https://")) {
    return absl::InvalidArgumentError(
        "--gateway-status must be an http:// or https:// URL, or none");
  }
  if (absl::StrContains(rest.substr(0, rest.find('/')), "@")) {
    return absl::InvalidArgumentError("--gateway-status must not hold a user or a password");
  }
  if (rest.empty() || rest[0] == '/' || absl::StrContains(rest, "?")) {
    return absl::InvalidArgumentError(
        "--gateway-status must be an address such as http://{host}:4751");
  }
  return std::string(absl::StripSuffix(url, "/"));
}

ExitCode RunCanary(const CanaryOptions& options, const Clock& clock, StopSignals& signals,
                   std::ostream& out, std::ostream& err) {
  ExitCode first = kExitOk;
  for (const std::string& address : options.gateway.addresses) {
    const absl::StatusOr<std::string> status_url = StatusUrl(options.status_url, address);
    if (!status_url.ok()) {
      err << status_url.status().message() << "\n";
      return kExitUsage;
    }
    const ExitCode code = RunOne(options, address, *status_url, clock, signals, out, err);
    if (first == kExitOk) first = code;
    if (code == kExitRuntime) break;  // told to stop
  }
  return first;
}

}  // namespace ampari
