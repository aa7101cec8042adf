#include "gateway/status/pages.h"

#include <algorithm>
#include <optional>

#include "common/http/json_writer.h"
#include "gateway/status/drain_estimate.h"
#include "gateway/status/queue_text.h"

namespace ampari {
namespace {

void WriteOptional(JsonWriter& json, std::string_view key, std::optional<double> value) {
  json.Key(key);
  value ? json.Value(*value) : json.Null();
}

double SecondsSince(const GatewaySnapshot& snapshot, int64_t since_ms) {
  return since_ms == 0 ? 0 : static_cast<double>(snapshot.now_ms - since_ms) / 1000;
}

void WriteId(JsonWriter& json, const DestinationId& id) {
  json.Field("tenant", id.tenant)
      .Field("signal", SignalName(id.signal))
      .Field("destination", id.name);
}

void WriteRates(JsonWriter& json, const GatewaySnapshot& snapshot,
                const DestinationStatus& destination) {
  const Ledger& ledger = destination.ledger;
  const DeliveryStatus* delivery = DeliveryOf(snapshot, destination.id);
  DrainRates rates{ledger.pending, 0, 0};
  if (delivery != nullptr) {
    rates.accepted_per_second = delivery->accepted_rate;
    rates.delivered_per_second = delivery->delivered_rate;
  }
  WriteOptional(json, "drain_seconds", DrainSeconds(rates));
  json.Field("accepted_rate", rates.accepted_per_second);
  json.Field("delivered_rate", rates.delivered_per_second);
  json.Field("brake", delivery == nullptr ? "" : delivery->brake);
  const char* without = destination.removed ? "removed" : "not running";
  json.Field("state", delivery == nullptr ? without : delivery->state);
}

void WriteLedger(JsonWriter& json, const GatewaySnapshot& snapshot,
                 const DestinationStatus& destination) {
  const Ledger& ledger = destination.ledger;
  json.BeginObject();
  json.Field("accepted", ledger.accepted).Field("delivered", ledger.delivered);
  json.Field("pending", ledger.pending).Field("pending_frames", ledger.pending_frames);
  json.Field("pending_bytes", ledger.pending_bytes).Field("dropped", ledger.dropped);
  json.Field("uncertain", ledger.uncertain).Field("lost", ledger.lost);
  json.Counts("rejected", ledger.rejected)
      .Counts("expired", ledger.expired)
      .Counts("aside", ledger.aside);
  json.Field("oldest_pending_seconds", SecondsSince(snapshot, ledger.oldest_pending_intake_ms));
  WriteRates(json, snapshot, destination);
  json.EndObject();
}

void WriteQueue(JsonWriter& json, const GatewaySnapshot& snapshot,
                const DestinationStatus& destination) {
  json.BeginObject();
  WriteId(json, destination.id);
  json.Field("removed", destination.removed);
  json.Field("pending", destination.ledger.pending)
      .Field("pending_frames", destination.ledger.pending_frames);
  json.Field("pending_bytes", destination.ledger.pending_bytes)
      .Counts("aside", destination.ledger.aside);
  json.Field("oldest_pending_seconds",
             SecondsSince(snapshot, destination.ledger.oldest_pending_intake_ms));
  WriteRates(json, snapshot, destination);
  json.EndObject();
}

void WriteDelivery(JsonWriter& json, const DeliveryStatus& delivery) {
  json.BeginObject();
  WriteId(json, delivery.id);
  json.Field("url", delivery.url).Field("state", delivery.state).Field("held", delivery.held);
  json.Field("held_since_ms", delivery.held_since_ms)
      .Field("failing_since_ms", delivery.failing_since_ms);
  json.Field("last_error", delivery.last_error).Field("brake", delivery.brake);
  json.Field("requests", delivery.requests_total).Field("retries", delivery.retries_total);
  json.Field("request_bytes", delivery.request_bytes_total).Field("in_flight", delivery.in_flight);
  json.Field("samples_sent", delivery.samples_sent_total);
  json.Field("accepted_rate", delivery.accepted_rate)
      .Field("delivered_rate", delivery.delivered_rate);
  json.Key("responses").BeginObject();
  for (const auto& [status, count] : delivery.responses_total)
    json.Field(std::to_string(status), count);
  json.EndObject().Counts("over_limit_series", delivery.over_limit_series);
  if (delivery.id.signal == Signal::kLogs) json.Field("lines_cut", delivery.lines_cut_total);
  json.EndObject();
}

void WriteInstance(JsonWriter& json, const GatewaySnapshot& snapshot,
                   const InstanceStatus& instance) {
  json.BeginObject();
  json.Field("tenant", instance.tenant).Field("entry", instance.entry);
  json.Field("forwarder", instance.forwarder_name).Field("instance", instance.instance_hex);
  json.Field("signal", SignalName(instance.signal));
  json.Field("peer", instance.peer).Field("epoch", instance.epoch);
  json.Field("mark", instance.mark).Field("settled", instance.settled);
  json.Field("connected", instance.connected).Field("superseded", instance.superseded);
  json.Field("admitted", instance.admitted);
  json.Field("last_contact_seconds", SecondsSince(snapshot, instance.last_contact_ms));
  json.EndObject();
}

void WriteEntry(JsonWriter& json, const GatewaySnapshot& snapshot, const EntryIdentity& entry) {
  const auto streams = snapshot.intake.streams.find(entry.entry);
  json.BeginObject();
  json.Field("name", entry.entry).Field("tenant", entry.tenant);
  json.Field("streams", streams == snapshot.intake.streams.end() ? 0 : streams->second);
  json.Key("labels").BeginObject();
  for (const Label& label : entry.labels) json.Field(label.name, label.value);
  json.EndObject().EndObject();
}

}  // namespace

std::string LedgerPage(const GatewaySnapshot& snapshot) {
  JsonWriter json;
  json.BeginObject().Key("destinations").BeginArray();
  for (const DestinationStatus& destination : snapshot.store.destinations) {
    json.BeginObject();
    WriteId(json, destination.id);
    json.Field("removed", destination.removed).Key("ledger");
    WriteLedger(json, snapshot, destination);
    json.EndObject();
  }
  return json.EndArray().EndObject().Take();
}

std::string QueuePage(const GatewaySnapshot& snapshot) {
  const StoreStatus& store = snapshot.store;
  JsonWriter json;
  json.BeginObject().Field("store_id", store.store_id_hex).Field("paused", store.paused);
  json.Field("disk_bytes", store.disk_bytes).Field("max_bytes", store.max_bytes);
  json.Field("empty", IsEmpty(store));
  WriteOptional(json, "full_seconds", FullSeconds(DiskRatesOf(snapshot)));
  json.Key("alarms").BeginArray();
  for (const std::string& alarm : store.alarms) json.Value(alarm);
  json.EndArray().Key("destinations").BeginArray();
  for (const DestinationStatus& destination : store.destinations)
    WriteQueue(json, snapshot, destination);
  return json.EndArray().EndObject().Take();
}

std::string VerifyPage(const std::vector<VerifyProblem>& problems) {
  JsonWriter json;
  json.BeginObject().Field("ok", problems.empty()).Key("problems").BeginArray();
  for (const VerifyProblem& problem : problems) json.Value(problem.what);
  return json.EndArray().EndObject().Take();
}

std::string ForwardersPage(const GatewaySnapshot& snapshot) {
  JsonWriter json;
  json.BeginObject().Key("entries").BeginArray();
  for (const EntryIdentity& entry : snapshot.entries) WriteEntry(json, snapshot, entry);
  json.EndArray().Key("instances").BeginArray();
  for (const InstanceStatus& instance : snapshot.store.instances)
    WriteInstance(json, snapshot, instance);
  return json.EndArray().EndObject().Take();
}

std::string DestinationsPage(const GatewaySnapshot& snapshot) {
  JsonWriter json;
  json.BeginObject().Key("destinations").BeginArray();
  for (const DeliveryStatus& delivery : snapshot.deliveries) WriteDelivery(json, delivery);
  return json.EndArray().EndObject().Take();
}

std::string DeadLettersPage(std::string_view tenant, const std::vector<DeadLetter>& letters) {
  JsonWriter json;
  json.BeginObject().Field("tenant", tenant).Key("dead_letters").BeginArray();
  for (const DeadLetter& letter : letters) {
    json.BeginObject().Field("sequence", letter.sequence).Field("samples", letter.samples);
    json.Field("http_status", letter.http_status).Field("series", letter.series);
    json.Field("response", letter.response).EndObject();
  }
  return json.EndArray().EndObject().Take();
}

std::string ErrorPage(std::string_view words) {
  JsonWriter json;
  return json.BeginObject().Field("error", words).EndObject().Take();
}

}  // namespace ampari
