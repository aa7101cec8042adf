#include "gateway/status/queue_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace ampari {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

DestinationStatus Destination(const std::string& tenant, const std::string& name) {
  DestinationStatus destination;
  destination.id = {tenant, Signal::kMetrics, name};
  destination.ledger.accepted = 1234567;
  destination.ledger.delivered = 1234000;
  destination.ledger.pending = 500;
  destination.ledger.pending_frames = 2;
  destination.ledger.rejected = {{"bad_request", 60}, {"limit", 0}};
  destination.ledger.lost = 7;
  destination.ledger.oldest_pending_intake_ms = 1'000'000;
  return destination;
}

GatewaySnapshot Snapshot() {
  GatewaySnapshot snapshot;
  snapshot.now_ms = 1'090'000;
  snapshot.store.disk_bytes = 3 << 20;
  snapshot.store.max_bytes = uint64_t{512} << 20;
  snapshot.store.destinations = {Destination("team-b", "region"), Destination("team-a", "region"),
                                 Destination("team-a", "copy")};
  return snapshot;
}

TEST(QueueText, TellsTheWholeAccount) {
  EXPECT_THAT(QueueText(Snapshot()),
              HasSubstr("accepted 1,234,567 = delivered 1,234,000 + pending 500 + "
                        "rejected{bad_request} 60 + lost{corrupt} 7\n"));
}

TEST(QueueText, TellsFirstWhetherItIsEmptyAndWhoIsConnected) {
  GatewaySnapshot snapshot = Snapshot();
  snapshot.store.instances.resize(3);
  snapshot.store.instances[1].connected = true;
  EXPECT_THAT(QueueText(snapshot), StartsWith("queue    not empty, 1 forwarder is connected\n"));
  for (DestinationStatus& destination : snapshot.store.destinations) destination.ledger.pending = 0;
  snapshot.store.instances[1].connected = false;
  EXPECT_THAT(QueueText(snapshot), StartsWith("queue    empty, 0 forwarders are connected\n"));
}

// Its streams of metrics and of logs are an instance each.
TEST(QueueText, CountsAForwarderOfBothSignalsOnce) {
  GatewaySnapshot snapshot = Snapshot();
  snapshot.store.instances.resize(4);
  for (InstanceStatus& instance : snapshot.store.instances) {
    instance.connected = true;
    instance.entry = "east";
    instance.forwarder_name = "node-1";
  }
  snapshot.store.instances[2].forwarder_name = "node-2";
  snapshot.store.instances[3].entry = "west";
  EXPECT_THAT(QueueText(snapshot), StartsWith("queue    not empty, 3 forwarders are connected\n"));
}

TEST(QueueText, TellsWhatWaitsAndHowLong) {
  EXPECT_THAT(QueueText(Snapshot()), HasSubstr("2 frames, 0.0 MiB, the oldest 1m30s old"));
  EXPECT_THAT(QueueText(Snapshot()), HasSubstr("storage  3.0 MiB of 512.0 MiB\n"));
}

// What is set aside has no place in the queue, and so no age.
TEST(QueueText, TellsNoAgeWhenAllThatIsPendingIsSetAside) {
  GatewaySnapshot snapshot = Snapshot();
  Ledger& ledger = snapshot.store.destinations[0].ledger;
  ledger.pending_frames = 0;
  ledger.oldest_pending_intake_ms = 0;
  ledger.aside = {{"parked", 500}};
  EXPECT_THAT(QueueText(snapshot), HasSubstr("0 frames, 0.0 MiB; set aside as parked: 500\n"));
}

TEST(QueueText, TellsAlarmsAndAPause) {
  GatewaySnapshot snapshot = Snapshot();
  snapshot.store.paused = true;
  snapshot.store.alarms = {"queue team-a: a hole of 3 frames"};
  EXPECT_THAT(QueueText(snapshot), HasSubstr("PAUSED"));
  EXPECT_THAT(QueueText(snapshot), HasSubstr("ALARM    queue team-a: a hole of 3 frames\n"));
}

TEST(QueueText, TellsWhyADestinationIsHeldAndNotWhatIsOver) {
  GatewaySnapshot snapshot = Snapshot();
  DeliveryStatus delivery;
  delivery.id = snapshot.store.destinations[0].id;
  delivery.state = "held";
  delivery.brake = "401 100 %";
  delivery.last_error = "HTTP 401: no such token";
  snapshot.deliveries = {delivery};
  EXPECT_THAT(QueueText(snapshot), HasSubstr("held, slowed by 401 100 %"));
  EXPECT_THAT(QueueText(snapshot), HasSubstr("HTTP 401: no such token"));
  snapshot.deliveries[0].state = "delivering";
  EXPECT_THAT(QueueText(snapshot), Not(HasSubstr("no such token")));
}

TEST(QueueText, EstimatesADrainOnlyOfWhatWaits) {
  GatewaySnapshot snapshot = Snapshot();
  DeliveryStatus delivery;
  delivery.id = snapshot.store.destinations[0].id;
  delivery.state = "delivering";
  delivery.accepted_rate = 10;
  delivery.delivered_rate = 60;
  snapshot.deliveries = {delivery};
  EXPECT_THAT(QueueText(snapshot), HasSubstr("delivering, drained in about 10s\n"));
  snapshot.store.destinations[0].ledger.pending = 0;
  EXPECT_THAT(QueueText(snapshot), HasSubstr("state    delivering\n"));
}

TEST(QueueText, NamesEachTenantOnce) {
  EXPECT_THAT(TenantsOf(Snapshot()), testing::ElementsAre("team-a", "team-b"));
}

TEST(DeadLettersText, NamesSeriesStatusAndTheRegionsWords) {
  const DeadLetter letter{42, 3, 400, "{__name__=\"up\"}", "label value too long"};
  EXPECT_EQ(DeadLettersText("team-a", {letter}),
            "team-a  frame 42  3 refused  HTTP 400  {__name__=\"up\"}\n    label value too long\n");
  EXPECT_EQ(DeadLettersText("team-a", {}), "");
}

TEST(VerifyText, IsOkOrEachProblem) {
  EXPECT_THAT(VerifyText({}), testing::StartsWith("ok"));
  EXPECT_EQ(VerifyText({{"queue a: 3 frames missing"}}), "queue a: 3 frames missing\n");
}

}  // namespace
}  // namespace ampari
