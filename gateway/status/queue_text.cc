#include "gateway/status/queue_text.h"

#include <algorithm>
#include <map>
#include <set>
#include <string_view>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/time.h"
#include "gateway/status/drain_estimate.h"

namespace ampari {
namespace {

constexpr double kMebi = 1 << 20;

std::string Grouped(uint64_t number) {
  std::string digits = std::to_string(number);
  for (size_t at = digits.size(); at > 3; at -= 3) digits.insert(at - 3, 1, ',');
  return digits;
}

std::string Mebibytes(uint64_t bytes) {
  return absl::StrFormat("%.1f MiB", static_cast<double>(bytes) / kMebi);
}

// " + rejected{bad_request} 3" for each reason that counted anything.
std::string Reasons(const char* name, const std::map<std::string, uint64_t>& counts) {
  std::string text;
  for (const auto& [reason, count] : counts) {
    if (count > 0) absl::StrAppend(&text, " + ", name, "{", reason, "} ", Grouped(count));
  }
  return text;
}

std::string One(const char* name, uint64_t count) {
  return count == 0 ? "" : absl::StrCat(" + ", name, " ", Grouped(count));
}

std::string Account(const Ledger& ledger) {
  return absl::StrCat("accepted ", Grouped(ledger.accepted), " = delivered ",
                      Grouped(ledger.delivered), " + pending ", Grouped(ledger.pending),
                      Reasons("rejected", ledger.rejected), Reasons("expired", ledger.expired),
                      One("dropped", ledger.dropped), One("lost{corrupt}", ledger.lost),
                      One("uncertain", ledger.uncertain));
}

std::string Waiting(const GatewaySnapshot& snapshot, const DestinationStatus& destination) {
  const Ledger& ledger = destination.ledger;
  if (ledger.pending == 0) return "nothing waits";
  std::string text =
      absl::StrCat(Grouped(ledger.pending_frames), " frames, ", Mebibytes(ledger.pending_bytes));
  if (ledger.oldest_pending_intake_ms != 0) {
    const int64_t age_ms = std::max<int64_t>(0, snapshot.now_ms - ledger.oldest_pending_intake_ms);
    absl::StrAppend(&text, ", the oldest ", absl::FormatDuration(absl::Seconds(age_ms / 1000)),
                    " old");
  }
  for (const auto& [reason, count] : ledger.aside) {
    if (count > 0) absl::StrAppend(&text, "; set aside as ", reason, ": ", Grouped(count));
  }
  return text;
}

void AppendDelivery(const DeliveryStatus& delivery, const Ledger& ledger, std::string* text) {
  absl::StrAppend(text, "  state    ", delivery.state);
  if (!delivery.brake.empty()) absl::StrAppend(text, ", slowed by ", delivery.brake);
  const auto drain =
      DrainSeconds({ledger.pending, delivery.accepted_rate, delivery.delivered_rate});
  if (drain && ledger.pending > 0) {
    absl::StrAppend(text, ", drained in about ",
                    absl::FormatDuration(absl::Seconds(static_cast<int64_t>(*drain))));
  }
  absl::StrAppend(text, "\n");
  if (!delivery.last_error.empty() && delivery.state != "idle" && delivery.state != "delivering")
    absl::StrAppend(text, "  because  ", delivery.last_error, "\n");
}

// What is asked before a gateway is taken away for good.
std::string Whole(const StoreStatus& store) {
  std::set<std::pair<std::string_view, std::string_view>> names;  // one has an instance a signal
  for (const InstanceStatus& instance : store.instances) {
    if (instance.connected) names.emplace(instance.entry, instance.forwarder_name);
  }
  const size_t connected = names.size();
  return absl::StrCat("queue    ", IsEmpty(store) ? "empty" : "not empty", ", ", connected,
                      connected == 1 ? " forwarder is" : " forwarders are", " connected\n");
}

}  // namespace

bool IsEmpty(const StoreStatus& store) {
  return std::all_of(
      store.destinations.begin(), store.destinations.end(),
      [](const DestinationStatus& destination) { return destination.ledger.pending == 0; });
}

std::string QueueText(const GatewaySnapshot& snapshot) {
  const StoreStatus& store = snapshot.store;
  std::string text = absl::StrCat(Whole(store), "storage  ", Mebibytes(store.disk_bytes), " of ",
                                  Mebibytes(store.max_bytes),
                                  store.paused ? ", PAUSED: the reserve is reached" : "", "\n");
  for (const std::string& alarm : store.alarms) absl::StrAppend(&text, "ALARM    ", alarm, "\n");
  for (const DestinationStatus& destination : store.destinations) {
    const DestinationId& id = destination.id;
    absl::StrAppend(&text, "\n", id.tenant.empty() ? "" : id.tenant + "/", id.name, " (",
                    std::string(SignalName(id.signal)),
                    destination.removed ? ", removed: held for 24 h" : "", ")\n");
    absl::StrAppend(&text, "  account  ", Account(destination.ledger), "\n");
    absl::StrAppend(&text, "  waiting  ", Waiting(snapshot, destination), "\n");
    const DeliveryStatus* delivery = DeliveryOf(snapshot, id);
    if (delivery != nullptr) AppendDelivery(*delivery, destination.ledger, &text);
  }
  return text;
}

std::string DeadLettersText(std::string_view tenant, const std::vector<DeadLetter>& letters) {
  std::string text;
  for (const DeadLetter& letter : letters) {
    absl::StrAppend(&text, tenant.empty() ? "" : std::string(tenant) + "  ", "frame ",
                    letter.sequence, "  ", letter.samples, " refused  HTTP ", letter.http_status,
                    "  ", letter.series, "\n    ", letter.response, "\n");
  }
  return text;
}

std::vector<std::string> TenantsOf(const GatewaySnapshot& snapshot) {
  std::vector<std::string> tenants;
  for (const DestinationStatus& destination : snapshot.store.destinations)
    tenants.push_back(destination.id.tenant);
  std::sort(tenants.begin(), tenants.end());
  tenants.erase(std::unique(tenants.begin(), tenants.end()), tenants.end());
  return tenants;
}

std::string VerifyText(const std::vector<VerifyProblem>& problems) {
  if (problems.empty()) return "ok: what is stored and the account agree\n";
  std::string text;
  for (const VerifyProblem& problem : problems) absl::StrAppend(&text, problem.what, "\n");
  return text;
}

}  // namespace ampari
