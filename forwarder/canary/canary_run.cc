#include "forwarder/canary/canary_run.h"

#include <algorithm>
#include <random>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "forwarder/canary/account.h"
#include "forwarder/canary/canary_metric.h"
#include "forwarder/gateway_connection.h"

namespace ampari {
namespace {

constexpr absl::Duration kPoll = absl::Milliseconds(10);
constexpr absl::Duration kFlush = absl::Milliseconds(10);
constexpr absl::Duration kLastWords = absl::Seconds(5);  // marker and goodbye after a time-out
constexpr size_t kRingBytes = size_t{1} << 20;

std::string RandomId() {
  std::random_device random;
  std::string id;
  while (id.size() < 8) id.push_back(static_cast<char>(random()));
  return absl::BytesToHexString(id);
}

ShippingOptions OptionsOf(const CanaryOptions& options, const std::string& address,
                          const std::string& forwarder_name) {
  ShippingOptions shipping = ConnectionTo(options.gateway, address, forwarder_name);
  shipping.ring_bytes = kRingBytes;
  shipping.flush_interval = kFlush;
  return shipping;
}

// What trying again cannot change.
bool IsFinal(const std::string& error) {
  for (const char* code : {"UNAUTHENTICATED", "PERMISSION_DENIED", "FAILED_PRECONDITION",
                           "INVALID_ARGUMENT", "NOT_FOUND", "UNIMPLEMENTED"}) {
    if (absl::StartsWith(error, code)) return true;
  }
  return false;
}

std::string Place(const std::string& tenant, const std::string& destination) {
  return absl::StrCat("destination ", destination, tenant.empty() ? "" : " of tenant ", tenant);
}

}  // namespace

CanaryRun::CanaryRun(const CanaryOptions& options, const std::string& address,
                     const std::string& status_url, const Clock& clock, StopSignals& signals,
                     std::function<void(std::string_view)> say)
    : options_(options),
      address_(address),
      forwarder_name_(options.gateway.name + "-canary"),
      id_(RandomId()),
      status_(status_url.empty() ? std::nullopt : std::optional<StatusClient>(status_url)),
      clock_(clock),
      signals_(signals),
      say_(std::move(say)),
      deadline_(clock.Monotonic() + options.timeout),
      shipper_(OptionsOf(options, address, forwarder_name_), clock) {}

std::optional<CanaryFailure> CanaryRun::Run() {
  shipper_.Start();
  std::optional<CanaryFailure> failure = Connect();
  if (!failure) failure = ReadAccounts();
  if (failure) return failure;
  failure = Send();
  std::optional<CanaryFailure> unended = End(!failure);
  if (!failure) failure = std::move(unended);
  if (!failure) failure = CheckAccounts();
  return failure;
}

std::optional<CanaryFailure> CanaryRun::Connect() {
  std::string error;
  const bool ended = WaitUntil(deadline_, [&] {
    const ShippingStatus status = shipper_.status();
    error = status.last_error;
    return status.connected || IsFinal(error);
  });
  const ShippingStatus status = shipper_.status();
  if (status.connected) {
    say_(absl::StrCat("connected to gateway ", address_, " as forwarder ", forwarder_name_));
    return std::nullopt;
  }
  if (stopped_) return Stopped();
  const std::string why = error.empty() ? "no answer" : error;
  if (ended) {
    return CanaryFailure{kExitCanaryRefused,
                         absl::StrCat("gateway ", address_, " refuses this forwarder: ", why),
                         "compare gateway.token_file (or token) with the gateway's forwarders "
                         "entries; the gateway reads its token files again every five seconds"};
  }
  return CanaryFailure{
      kExitCanaryUnreachable, absl::StrCat("no connection to gateway ", address_, ": ", why),
      "is the gateway running and ready; do its name, port 4750 and the NetworkPolicies let this "
      "place through; do insecure and tls_config (ca_file, server_name) fit its certificate"};
}

std::optional<CanaryFailure> CanaryRun::ReadAccounts() {
  if (!status_) {
    say_("the gateway's account is not checked (--gateway-status=none)");
    return std::nullopt;
  }
  absl::StatusOr<InstanceIdentity> identity = status_->Identity(shipper_.status().instance);
  if (!identity.ok()) return Unreadable(identity.status());
  identity_ = *std::move(identity);
  absl::StatusOr<Accounts> accounts = status_->Accounts();
  if (!accounts.ok()) return Unreadable(accounts.status());
  for (DestinationAccount& account : *accounts) {
    if (account.tenant != identity_.tenant) continue;
    say_(absl::StrCat("before: ", Place(account.tenant, account.destination),
                      account.removed ? " (removed)" : "", ": ", Equation(account)));
    before_.push_back(std::move(account));
  }
  return std::nullopt;
}

std::optional<CanaryFailure> CanaryRun::Send() {
  const Labels series = CanarySeries(id_, forwarder_name_, options_.external_labels);
  const absl::Duration begin = clock_.Monotonic();
  const auto took = [&] {
    return absl::FormatDuration(absl::Trunc(clock_.Monotonic() - begin, absl::Milliseconds(1)));
  };
  shipper_.Push(CanarySample(series, NextTimestamp()));
  say_(absl::StrCat("sent ", series.ToString()));
  const bool durable = WaitUntil(deadline_, [this] { return Durable(); });
  if (stopped_) return Stopped();
  if (!durable) {
    const ShippingStatus status = shipper_.status();
    return CanaryFailure{
        kExitCanaryNotDurable,
        absl::StrCat("gateway ", address_, " did not acknowledge the metric within ",
                     absl::FormatDuration(options_.timeout),
                     status.paused ? ": it takes nothing, as its storage is full" : "",
                     status.last_error.empty() ? "" : ": " + status.last_error),
        "look at the gateway's log and `ampari-gateway queue status`: its disk may be full or "
        "slow"};
  }
  say_(absl::StrCat("durable: the gateway has it on disk, ", took(), " after it was sent"));
  const bool settled = WaitUntil(deadline_, [this] { return Settled(); });
  if (stopped_) return Stopped();
  if (!settled) return NotSettled();
  say_(absl::StrCat("settled at every destination, ", took(), " after it was sent"));
  return std::nullopt;
}

std::optional<CanaryFailure> CanaryRun::End(bool delivered) {
  const absl::Duration deadline = delivered ? std::max(deadline_, clock_.Monotonic() + kLastWords)
                                            : clock_.Monotonic() + kLastWords;
  shipper_.Push(CanaryEnd(NextTimestamp()));
  // A marker that only waits for the region will get there: the gateway has it.
  const bool ended =
      WaitUntil(deadline, [&] { return delivered ? Settled() : Durable(); }) && !stopped_;
  const absl::Status drained = shipper_.Stop(kLastWords);
  if (ended && drained.ok()) {
    say_("ended the series with a staleness marker, drained and disconnected");
    return std::nullopt;
  }
  if (stopped_) return Stopped();
  return CanaryFailure{kExitCanaryNotSettled,
                       absl::StrCat("the staleness marker that ends the series did not arrive: ",
                                    drained.ok() ? "not settled" : drained.message()),
                       "look at `ampari-gateway queue status`; the series ends by itself after "
                       "five minutes"};
}

std::optional<CanaryFailure> CanaryRun::CheckAccounts() {
  if (!status_) return std::nullopt;
  const absl::StatusOr<Accounts> accounts = status_->Accounts();
  if (!accounts.ok()) return Unreadable(accounts.status());
  for (const DestinationAccount& before : before_) {
    const DestinationAccount* after = FindAccount(*accounts, before.tenant, before.destination);
    if (after == nullptr || after->removed) continue;
    std::optional<CanaryFailure> failure = CheckAccount(before, *after);
    if (failure) return failure;
  }
  return std::nullopt;
}

std::optional<CanaryFailure> CanaryRun::CheckAccount(const DestinationAccount& before,
                                                     const DestinationAccount& after) {
  const Judgement judgement = Judge(before, after, kCanarySamples);
  const std::string place = Place(after.tenant, after.destination);
  if (judgement.fate == Fate::kWrongCount) {
    return CanaryFailure{
        kExitCanaryLedger, absl::StrCat("the account of ", place, " is wrong: ", judgement.words),
        "this is a bug: run `ampari-gateway queue verify` and report both outputs"};
  }
  if (judgement.fate == Fate::kNotDelivered || judgement.fate == Fate::kNotAccepted) {
    return NotDelivered(after, judgement.words);
  }
  const absl::StatusOr<std::optional<std::string>> refusal = status_->Refusal(after.tenant, id_);
  if (!refusal.ok()) return Unreadable(refusal.status());
  if (*refusal) return NotDelivered(after, judgement.words);
  say_(absl::StrCat("after: ", place, ": ", Equation(after)));
  say_(absl::StrCat("it adds up; meanwhile ", judgement.words,
                    judgement.fate == Fate::kAmongOthers
                        ? ": what was not delivered cannot be told apart from other series'"
                        : ""));
  return std::nullopt;
}

CanaryFailure CanaryRun::NotDelivered(const DestinationAccount& after, const std::string& growth) {
  std::string what =
      absl::StrCat(Place(after.tenant, after.destination), " did not deliver the metric: ", growth);
  const absl::StatusOr<std::optional<std::string>> refusal = status_->Refusal(after.tenant, id_);
  if (refusal.ok() && *refusal) {
    absl::StrAppend(&what, "; the region refused it: ", **refusal);
  }
  return {kExitCanaryNotDelivered, std::move(what),
          "rejected: read the region's words (`ampari-gateway queue list`); dropped: "
          "write_relabel_configs drop ampari_canary_timestamp_seconds"};
}

CanaryFailure CanaryRun::NotSettled() {
  std::string what = absl::StrCat("the metric is safe at the gateway and was not delivered within ",
                                  absl::FormatDuration(options_.timeout));
  const absl::StatusOr<std::vector<DestinationState>> states =
      status_ ? status_->Destinations() : std::vector<DestinationState>();
  if (!states.ok()) absl::StrAppend(&what, "; ", states.status().message());
  for (size_t i = 0; states.ok() && i < states->size(); ++i) {
    const DestinationState& state = (*states)[i];
    if (state.tenant != identity_.tenant) continue;
    absl::StrAppend(&what, "; ", Place(state.tenant, state.destination), ": ",
                    state.held ? "held" : state.state, state.brake.empty() ? "" : ", brake ",
                    state.brake,
                    state.last_error.empty() ? "" : ", last error: ", state.last_error);
  }
  return {kExitCanaryNotSettled, std::move(what),
          "it is delivered once the destination takes it: held means that its URL, credentials or "
          "certificate must be put right; else the region does not answer, or a backlog goes first "
          "(`ampari-gateway queue status`), and a longer --timeout helps"};
}

CanaryFailure CanaryRun::Unreadable(const absl::Status& why) const {
  return {kExitCanaryStatus,
          absl::StrCat("the account of gateway ", address_, " cannot be read: ", why.message()),
          "give the gateway's HTTP address with --gateway-status (its http.listen_address must not "
          "be loopback then, and port 4751 open), or --gateway-status=none to leave this out"};
}

CanaryFailure CanaryRun::Stopped() const {
  return {kExitRuntime, "stopped by a signal before the end", "run it again"};
}

bool CanaryRun::WaitUntil(absl::Duration deadline, const std::function<bool()>& done) {
  while (!done()) {
    if (stopped_ || clock_.Monotonic() >= deadline) return false;
    stopped_ = signals_.WaitFor(kPoll);
  }
  return true;
}

bool CanaryRun::Durable() const {
  const ShippingStatus status = shipper_.status();
  return status.frames_total >= pushed_ && status.acknowledged_sequence == status.last_sequence;
}

bool CanaryRun::Settled() const {
  const ShippingStatus status = shipper_.status();
  return Durable() && status.settled_sequence >= status.last_sequence;
}

// Later than the one before, whatever the clock does.
int64_t CanaryRun::NextTimestamp() {
  timestamp_ms_ = std::max(timestamp_ms_ + 1, absl::ToUnixMillis(clock_.Now()));
  ++pushed_;
  return timestamp_ms_;
}

}  // namespace ampari
