#include "gateway/status/gateway_metrics.h"

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "gateway/status/drain_estimate.h"

namespace ampari {
namespace {

constexpr auto kCounter = MetricKind::kCounter;
constexpr auto kGauge = MetricKind::kGauge;

MetricLabels LabelsOf(const DestinationId& id) {
  return {{"tenant", id.tenant},
          {"signal", std::string(SignalName(id.signal))},
          {"destination", id.name}};
}

// The same with one label more.
MetricLabels With(MetricLabels labels, std::string name, std::string value) {
  labels.emplace_back(std::move(name), std::move(value));
  return labels;
}

void AddSample(MetricFamily& family, MetricLabels labels, double value) {
  family.samples.push_back({std::move(labels), value, {}});
}

// One family over all destinations of the ledger.
void AddPerLedger(const GatewaySnapshot& snapshot, std::vector<MetricFamily>& families,
                  MetricFamily family, const std::function<double(const Ledger&)>& value) {
  for (const DestinationStatus& destination : snapshot.store.destinations) {
    AddSample(family, LabelsOf(destination.id), value(destination.ledger));
  }
  families.push_back(std::move(family));
}

using Reasons = std::map<std::string, uint64_t>;

// What never happened counts 0, so that the first time is an increase.
const Reasons kRejected = {{"bad_request", 0}, {"blocked", 0}, {"limit", 0}, {"too_large", 0}};
const Reasons kExpired = {{"age", 0},       {"budget", 0},   {"disk", 0},
                          {"instances", 0}, {"oversize", 0}, {"malformed", 0},
                          {"ring_full", 0}, {"removed", 0},  {"sample_age_limit", 0}};
const Reasons kAside = {{"parked", 0}, {"quarantined", 0}, {"too_old", 0}};

void AddPerReason(const GatewaySnapshot& snapshot, std::vector<MetricFamily>& families,
                  MetricFamily family, const Reasons& known,
                  const std::function<const Reasons&(const Ledger&)>& counts) {
  for (const DestinationStatus& destination : snapshot.store.destinations) {
    Reasons reasons = counts(destination.ledger);
    reasons.insert(known.begin(), known.end());
    for (const auto& [reason, count] : reasons) {
      AddSample(family, With(LabelsOf(destination.id), "reason", reason),
                static_cast<double>(count));
    }
  }
  families.push_back(std::move(family));
}

// One family over all running destinations.
void AddPerDelivery(const GatewaySnapshot& snapshot, std::vector<MetricFamily>& families,
                    MetricFamily family,
                    const std::function<double(const DeliveryStatus&)>& value) {
  for (const DeliveryStatus& delivery : snapshot.deliveries) {
    AddSample(family, LabelsOf(delivery.id), value(delivery));
  }
  families.push_back(std::move(family));
}

double Count(uint64_t value) { return static_cast<double>(value); }

// 0: it is not so.
double Since(const GatewaySnapshot& snapshot, int64_t since_ms) {
  return since_ms == 0 ? 0 : static_cast<double>(snapshot.now_ms - since_ms) / 1000;
}

void AddPendingAge(const GatewaySnapshot& snapshot, std::vector<MetricFamily>& families) {
  AddPerLedger(snapshot, families,
               {"ampari_gateway_oldest_pending_age_seconds",
                "Time since the oldest pending frame was taken in; 0 when nothing is pending.",
                kGauge,
                {}},
               [&](const Ledger& l) { return Since(snapshot, l.oldest_pending_intake_ms); });
}

void AddDrain(const GatewaySnapshot& snapshot, std::vector<MetricFamily>& families) {
  MetricFamily family{"ampari_gateway_drain_estimate_seconds",
                      "Time until nothing is pending at the rates of the last minute; absent while "
                      "the backlog does not shrink.",
                      kGauge,
                      {}};
  for (const DestinationStatus& destination : snapshot.store.destinations) {
    const DeliveryStatus* delivery = DeliveryOf(snapshot, destination.id);
    if (delivery == nullptr) continue;
    const std::optional<double> seconds = DrainSeconds(
        {destination.ledger.pending, delivery->accepted_rate, delivery->delivered_rate});
    if (seconds) AddSample(family, LabelsOf(destination.id), *seconds);
  }
  families.push_back(std::move(family));
}

}  // namespace

void AddLedgerMetrics(const GatewaySnapshot& snapshot, std::vector<MetricFamily>& out) {
  AddPerLedger(snapshot, out,
               {"ampari_gateway_samples_accepted_total",
                "Samples (lines of logs) taken in for the destination.",
                kCounter,
                {}},
               [](const Ledger& l) { return Count(l.accepted); });
  AddPerLedger(snapshot, out,
               {"ampari_gateway_samples_delivered_total",
                "Samples (lines of logs) that the region took.",
                kCounter,
                {}},
               [](const Ledger& l) { return Count(l.delivered); });
  AddPerLedger(
      snapshot, out,
      {"ampari_gateway_samples_pending",
       "Samples (lines) that are neither delivered nor given up, those set aside included.",
       kGauge,
       {}},
      [](const Ledger& l) { return Count(l.pending); });
  AddPerLedger(snapshot, out,
               {"ampari_gateway_samples_dropped_total",
                "Samples dropped by write_relabel_configs.",
                kCounter,
                {}},
               [](const Ledger& l) { return Count(l.dropped); });
  AddPerLedger(
      snapshot, out,
      {"ampari_gateway_samples_uncertain_total",
       "Samples (lines of logs) of a refusal that does not prove that the region lacks them.",
       kCounter,
       {}},
      [](const Ledger& l) { return Count(l.uncertain); });
  AddPerLedger(snapshot, out,
               {"ampari_gateway_samples_lost_total",
                "Samples (lines of logs) lost to damage of the storage.",
                kCounter,
                {}},
               [](const Ledger& l) { return Count(l.lost); });
  AddPerReason(snapshot, out,
               {"ampari_gateway_samples_rejected_total",
                "Samples (lines of logs) refused for good, by reason.",
                kCounter,
                {}},
               kRejected, [](const Ledger& l) -> const Reasons& { return l.rejected; });
  AddPerReason(snapshot, out,
               {"ampari_gateway_samples_expired_total",
                "Samples (lines of logs) given up at a bound, by reason.",
                kCounter,
                {}},
               kExpired, [](const Ledger& l) -> const Reasons& { return l.expired; });
  AddPerReason(snapshot, out,
               {"ampari_gateway_samples_aside",
                "Pending samples (lines of logs) that were set aside, by reason.",
                kGauge,
                {}},
               kAside, [](const Ledger& l) -> const Reasons& { return l.aside; });
  AddPerLedger(
      snapshot, out,
      {"ampari_gateway_pending_frames", "Frames that wait for the destination.", kGauge, {}},
      [](const Ledger& l) { return Count(l.pending_frames); });
  AddPerLedger(
      snapshot, out,
      {"ampari_gateway_pending_bytes", "Stored bytes that wait for the destination.", kGauge, {}},
      [](const Ledger& l) { return Count(l.pending_bytes); });
  AddPendingAge(snapshot, out);
  AddDrain(snapshot, out);
}

void AddStoreMetrics(const GatewaySnapshot& snapshot, std::vector<MetricFamily>& out) {
  const StoreStatus& store = snapshot.store;
  const auto add = [&out](std::string name, std::string help, MetricKind kind, double value) {
    out.push_back(
        SingleMetric("ampari_gateway_store_" + std::move(name), std::move(help), kind, value));
  };
  add("disk_bytes", "Bytes that the storage directory takes.", kGauge, Count(store.disk_bytes));
  add("max_bytes", "The configured bound of the storage directory.", kGauge,
      Count(store.max_bytes));
  add("paused", "1 while the reserve of the disk is reached and no frames are taken.", kGauge,
      store.paused ? 1 : 0);
  if (const std::optional<double> seconds = FullSeconds(DiskRatesOf(snapshot))) {
    add("full_estimate_seconds",
        "Time until max_bytes is reached at the rates of the last minute; absent while nothing "
        "grows.",
        kGauge, *seconds);
  }
  add("alarms", "Findings about the storage that a human must know; /api/v1/queue has their words.",
      kGauge, Count(store.alarms.size()));
  add("commits_total", "Synced write batches.", kCounter, Count(store.commits_total));
  add("fsync_seconds_total", "Time spent in synced commits.", kCounter, store.fsync_seconds_sum);
  add("frames_total", "Frames committed.", kCounter, Count(store.committed_frames_total));
  add("frame_bytes_total", "Bytes of the frames committed.", kCounter,
      Count(store.committed_bytes_total));
  add("duplicate_frames_total", "Frames that had been committed before and were acknowledged only.",
      kCounter, Count(store.duplicate_frames_total));
  add("rollbacks_total", "Hellos that found acknowledged frames missing.", kCounter,
      Count(store.rollbacks_total));
  add("reopened_total", "Times that the storage was closed and opened again after an error.",
      kCounter, Count(store.reopened_total));
  std::set<std::pair<std::string, std::string>> producers;
  size_t connected = 0, superseded = 0;
  for (const InstanceStatus& instance : store.instances) {
    producers.emplace(instance.entry, instance.forwarder_name);
    if (instance.connected) ++connected;
    if (instance.connected && instance.superseded) ++superseded;
  }
  add("instances",
      "Instances of forwarders that are remembered; a process has one for metrics and one for "
      "logs.",
      kGauge, Count(store.instances.size()));
  add("instances_connected", "Instances with an open stream.", kGauge, Count(connected));
  add("instances_superseded", "Instances with an open stream whose name a newer one uses.", kGauge,
      Count(superseded));
  add("producers", "Forwarders that are remembered.", kGauge, Count(producers.size()));
}

void AddIntakeMetrics(const GatewaySnapshot& snapshot, std::vector<MetricFamily>& out) {
  const IntakeStatus& intake = snapshot.intake;
  const auto add = [&out](std::string name, std::string help, MetricKind kind, double value) {
    out.push_back(
        SingleMetric("ampari_gateway_intake_" + std::move(name), std::move(help), kind, value));
  };
  add("streams_opened_total", "Streams that were let in.", kCounter,
      Count(intake.streams_opened_total));
  add("unauthenticated_total", "Streams refused for their credential.", kCounter,
      Count(intake.unauthenticated_total));
  add("over_limit_total", "Streams refused because a bound was reached.", kCounter,
      Count(intake.over_limit_total));
  add("invalid_streams_total", "Streams ended for what they sent.", kCounter,
      Count(intake.invalid_streams_total));
  add("frames_total", "Frames received and found well formed.", kCounter,
      Count(intake.frames_total));
  add("frame_bytes_total", "Bytes of the frames received.", kCounter,
      Count(intake.frame_bytes_total));
  add("gaps_total", "Gap records received.", kCounter, Count(intake.gaps_total));
  add("registrations_total", "Registration blocks received.", kCounter,
      Count(intake.registrations_total));
  add("registration_bytes_total", "Bytes of the registration blocks received.", kCounter,
      Count(intake.registration_bytes_total));
  add("reads_paused_total", "Times that a stream was not read because too much of it waited.",
      kCounter, Count(intake.reads_paused_total));
  add("waiting_bytes", "Bytes received that are not durable yet.", kGauge,
      Count(intake.waiting_bytes));
  add("max_waiting_bytes", "The bound of the bytes that wait.", kGauge,
      Count(intake.max_waiting_bytes));
  MetricFamily streams{"ampari_gateway_intake_streams", "Open streams, by entry.", kGauge, {}};
  for (const auto& [entry, count] : intake.streams) AddSample(streams, {{"entry", entry}}, count);
  MetricFamily refused{
      "ampari_gateway_intake_refused_frames_total", "Frames refused, by reason.", kCounter, {}};
  for (const auto& [reason, count] : intake.refused_frames_total) {
    AddSample(refused, {{"reason", reason}}, Count(count));
  }
  out.push_back(std::move(streams));
  out.push_back(std::move(refused));
}

void AddDeliveryMetrics(const GatewaySnapshot& snapshot, std::vector<MetricFamily>& out) {
  AddPerDelivery(snapshot, out,
                 {"ampari_gateway_delivery_requests_total", "Requests sent.", kCounter, {}},
                 [](const DeliveryStatus& d) { return Count(d.requests_total); });
  AddPerDelivery(snapshot, out,
                 {"ampari_gateway_delivery_retries_total", "Requests sent again.", kCounter, {}},
                 [](const DeliveryStatus& d) { return Count(d.retries_total); });
  AddPerDelivery(snapshot, out,
                 {"ampari_gateway_delivery_request_bytes_total",
                  "Compressed bytes of the requests sent.",
                  kCounter,
                  {}},
                 [](const DeliveryStatus& d) { return Count(d.request_bytes_total); });
  AddPerDelivery(snapshot, out,
                 {"ampari_gateway_delivery_samples_sent_total",
                  "Samples (lines of logs) in requests, those sent again included.",
                  kCounter,
                  {}},
                 [](const DeliveryStatus& d) { return Count(d.samples_sent_total); });
  AddPerDelivery(snapshot, out,
                 {"ampari_gateway_delivery_in_flight_requests",
                  "Requests without an answer so far.",
                  kGauge,
                  {}},
                 [](const DeliveryStatus& d) { return Count(d.in_flight); });
  AddPerDelivery(snapshot, out,
                 {"ampari_gateway_delivery_held",
                  "1 while the destination is held until a human acts.",
                  kGauge,
                  {}},
                 [](const DeliveryStatus& d) { return d.held ? 1.0 : 0.0; });
  AddPerDelivery(snapshot, out,
                 {"ampari_gateway_delivery_held_seconds",
                  "Time since the destination has been held; 0 while it is not.",
                  kGauge,
                  {}},
                 [&](const DeliveryStatus& d) { return Since(snapshot, d.held_since_ms); });
  AddPerDelivery(snapshot, out,
                 {"ampari_gateway_delivery_failing_seconds",
                  "Time since the last success while the destination fails; 0 while it does not.",
                  kGauge,
                  {}},
                 [&](const DeliveryStatus& d) { return Since(snapshot, d.failing_since_ms); });
  AddPerDelivery(snapshot, out,
                 {"ampari_gateway_delivery_over_limit_series",
                  "Series, or reasons and streams of lines, that a limit of the destination "
                  "refused, the first 100.",
                  kGauge,
                  {}},
                 [](const DeliveryStatus& d) { return Count(d.over_limit_series.size()); });
  MetricFamily cut{"ampari_gateway_delivery_lines_cut_total",
                   "Lines of logs sent cut to the limit of the destination.",
                   kCounter,
                   {}};
  for (const DeliveryStatus& delivery : snapshot.deliveries) {
    if (delivery.id.signal == Signal::kLogs)
      AddSample(cut, LabelsOf(delivery.id), Count(delivery.lines_cut_total));
  }
  if (!cut.samples.empty()) out.push_back(std::move(cut));
  MetricFamily responses{"ampari_gateway_delivery_responses_total",
                         "Answers by HTTP status; code 0 is no answer.",
                         kCounter,
                         {}};
  for (const DeliveryStatus& delivery : snapshot.deliveries) {
    for (const auto& [code, count] : delivery.responses_total) {
      AddSample(responses, With(LabelsOf(delivery.id), "code", std::to_string(code)), Count(count));
    }
  }
  out.push_back(std::move(responses));
}

void AddLayoutMetrics(const GatewaySnapshot& snapshot, std::vector<MetricFamily>& out) {
  out.push_back(SingleMetric("ampari_gateway_layout_cache_bytes",
                             "Bytes of rendered labels that are kept.", kGauge,
                             Count(snapshot.layout_cache_bytes)));
  out.push_back(SingleMetric("ampari_gateway_layout_renders_total", "Layouts rendered.", kCounter,
                             Count(snapshot.layouts.renders)));
  out.push_back(SingleMetric("ampari_gateway_layout_evictions_total",
                             "Rendered layouts forgotten because the cache was full.", kCounter,
                             Count(snapshot.layouts.evictions)));
  out.push_back(SingleMetric("ampari_gateway_layout_rerenders_total",
                             "Layouts rendered again after they had been forgotten; growing "
                             "steadily, the cache is too small.",
                             kCounter, Count(snapshot.layouts.rerenders)));
}

void AddReloadMetrics(const GatewaySnapshot& snapshot, std::vector<MetricFamily>& out) {
  out.push_back(SingleMetric("ampari_gateway_config_last_reload_successful",
                             "1 when the last reload of the configuration was taken over.", kGauge,
                             snapshot.reload.last_successful ? 1 : 0));
  out.push_back(SingleMetric("ampari_gateway_config_last_reload_success_timestamp_seconds",
                             "Time at which the configuration in force was taken over.", kGauge,
                             snapshot.reload.success_seconds));
  out.push_back(SingleMetric("ampari_gateway_token_files_readable",
                             "1 while every token file can be read again.", kGauge,
                             snapshot.tenants_problem.empty() ? 1 : 0));
  MetricFamily ends{"ampari_gateway_credential_expiry_timestamp_seconds",
                    "When certificates, authorities, and tokens that say so, end.",
                    kGauge,
                    {}};
  for (const CredentialEnd& end : snapshot.credentials) {
    const DestinationId& id = end.destination;
    MetricLabels labels = id.name.empty() ? MetricLabels{} : LabelsOf(id);
    AddSample(ends, With(std::move(labels), "credential", end.credential), end.unix_seconds);
  }
  if (!ends.samples.empty()) out.push_back(std::move(ends));
}

}  // namespace ampari
