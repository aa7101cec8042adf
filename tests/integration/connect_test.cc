// The table "Connecting" of the wire contract, row by row, with the steps of both sides written
// out.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <thread>

#include "tests/integration/gateway_bed.h"
#include "tests/support/fake_clock.h"

namespace ampari {
namespace {

using testing::HasSubstr;

constexpr uint64_t Items(uint64_t frames) { return frames * kSamplesPerFrame; }

// Sends the frames first..last and waits for the acknowledgement of the last.
void Ship(ShipClient& client, uint64_t first, uint64_t last) {
  for (uint64_t sequence = first; sequence <= last; ++sequence)
    ASSERT_TRUE(client.SendFrame(sequence));
  ASSERT_TRUE(client.AwaitDurable(last));
}

TEST(Connect, NeverWelcomedIsNewWithMarkZero) {
  GatewayBed bed;
  ShipClient client(bed.target());
  const v1::Welcome welcome = client.Hello({.first = 1, .last = 2});
  EXPECT_EQ(welcome.found(), v1::Welcome::FOUND_NEW);
  EXPECT_EQ(welcome.mark(), 0u);
  EXPECT_EQ(welcome.store_id().size(), 16u);
  EXPECT_GT(welcome.epoch(), 0u);
  EXPECT_EQ(welcome.limits().max_frame_bytes(), uint64_t{16} << 20);
  EXPECT_EQ(welcome.limits().max_unacknowledged_bytes(), uint64_t{8} << 20);
  Ship(client, 1, 2);
  EXPECT_EQ(bed.ledger().accepted, Items(2));
}

TEST(Connect, CrashBetweenCommitAndWelcome) {
  GatewayBed bed;
  {
    ShipClient client(bed.target());
    client.Hello({});  // committed; the forwarder never sees the answer
  }
  bed.Restart();
  ShipClient client(bed.target());
  const v1::Welcome welcome = client.Hello({.first = 1, .last = 1});
  EXPECT_TRUE(welcome.found() == v1::Welcome::FOUND_NEW ||
              welcome.found() == v1::Welcome::FOUND_KNOWN);
  EXPECT_EQ(welcome.mark(), 0u);
  Ship(client, 1, 1);
}

TEST(Connect, CrashBetweenCommitAndAcknowledgement) {
  GatewayBed bed;
  ShipIdentity identity{.first = 1, .last = 3};
  {
    ShipClient client(bed.target());
    identity.store_id = client.Hello(identity).store_id();
    Ship(client, 1, 3);  // durable; the forwarder forgets that it was told
  }
  bed.Restart();
  ShipClient client(bed.target());
  const v1::Welcome welcome = client.Hello(identity);
  EXPECT_EQ(welcome.found(), v1::Welcome::FOUND_KNOWN);
  EXPECT_EQ(welcome.mark(), 3u) << "what the mark covers counts as acknowledged";
  for (uint64_t sequence = 1; sequence <= 3; ++sequence) client.SendFrame(sequence);
  Ship(client, 4, 4);
  EXPECT_EQ(bed.ledger().accepted, Items(4)) << "a resend counts once";
  EXPECT_EQ(bed.store().status().duplicate_frames_total, 3u);
}

TEST(Connect, TheOlderStreamOfAnInstanceIsClosedByANewHello) {
  GatewayBed bed;
  ShipClient older(bed.target());
  ShipIdentity identity{.first = 1, .last = 2};
  identity.store_id = older.Hello(identity).store_id();
  Ship(older, 1, 1);
  ShipClient newer(bed.target());
  const v1::Welcome welcome = newer.Hello(identity);
  EXPECT_EQ(welcome.found(), v1::Welcome::FOUND_KNOWN);
  EXPECT_EQ(welcome.mark(), 1u);
  EXPECT_FALSE(older.End().ok());
  Ship(newer, 2, 2);
  EXPECT_EQ(bed.ledger().accepted, Items(2));
}

TEST(Connect, ANewInstanceSupersedesAndWaitsUntilTheOlderHasDrained) {
  GatewayBed bed;
  ShipClient older(bed.target());
  older.Hello({.first = 1, .last = 2});
  Ship(older, 1, 1);
  ShipClient newer(bed.target());
  const v1::Welcome welcome =
      newer.Hello({.instance = std::string(16, 'b'), .first = 1, .last = 1});
  EXPECT_EQ(welcome.found(), v1::Welcome::FOUND_NEW);
  EXPECT_FALSE(welcome.superseded());
  const auto waits = newer.AwaitNotice();
  ASSERT_TRUE(waits);
  EXPECT_FALSE(waits->admitted());
  const auto superseded = older.AwaitNotice();
  ASSERT_TRUE(superseded);
  EXPECT_TRUE(superseded->superseded());
  Ship(older, 2, 2);  // the older one drains its ring
  v1::ForwarderMessage drained;
  drained.mutable_drained();
  ASSERT_TRUE(older.Send(drained));
  const auto admitted = newer.AwaitNotice();
  ASSERT_TRUE(admitted);
  EXPECT_TRUE(admitted->admitted());
  Ship(newer, 1, 1);
  EXPECT_EQ(bed.ledger().accepted, Items(3));
}

TEST(Connect, ANewInstanceIsAdmittedWhenTheOlderHasNoStream) {
  GatewayBed bed;
  {
    ShipClient older(bed.target());
    older.Hello({.first = 1, .last = 1});
    Ship(older, 1, 1);
    older.HalfClose();
    EXPECT_TRUE(older.End().ok());
  }
  ShipClient newer(bed.target());
  newer.Hello({.instance = std::string(16, 'b'), .first = 1, .last = 1});
  Ship(newer, 1, 1);
}

TEST(Connect, ADrainingHelloSupersedesNobody) {
  GatewayBed bed;
  ShipClient running(bed.target());
  running.Hello({.first = 1, .last = 1});
  ShipClient draining(bed.target());
  draining.Hello({.instance = std::string(16, 'b'), .first = 1, .last = 1, .draining = true});
  Ship(draining, 1, 1);
  Ship(running, 1, 1);
  for (const InstanceStatus& instance : bed.store().status().instances)
    EXPECT_FALSE(instance.superseded);
}

TEST(Connect, AClonedInstanceTakesTheStreamAndDoublesNothing) {
  GatewayBed bed;
  ShipClient original(bed.target());
  ShipIdentity identity{.first = 1, .last = 2};
  identity.store_id = original.Hello(identity).store_id();
  Ship(original, 1, 2);
  identity.acknowledged = 2;
  ShipClient clone(bed.target());  // the same instance from a copied machine
  EXPECT_EQ(clone.Hello(identity).mark(), 2u);
  EXPECT_FALSE(original.End().ok());
  Ship(clone, 3, 3);
  ShipClient again(bed.target());  // the original comes back with a third frame of its own
  EXPECT_EQ(again.Hello(identity).mark(), 3u);
  EXPECT_FALSE(clone.End().ok());
  EXPECT_EQ(bed.ledger().accepted, Items(3));
}

TEST(Connect, ALostDiskIsAnotherStore) {
  GatewayBed bed;
  ShipIdentity identity{.first = 1, .last = 3};
  {
    ShipClient client(bed.target());
    identity.store_id = client.Hello(identity).store_id();
    Ship(client, 1, 3);
  }
  bed.Restart(bed.dir.File("empty"));
  identity.acknowledged = 3;
  {
    ShipClient client(bed.target());
    const v1::Welcome welcome = client.Hello(identity);
    EXPECT_EQ(welcome.found(), v1::Welcome::FOUND_OTHER_STORE);
    EXPECT_NE(welcome.store_id(), identity.store_id);
  }
  // It comes back as a new instance and sends what is above the last settled number: here all.
  ShipClient client(bed.target());
  const v1::Welcome welcome =
      client.Hello({.instance = std::string(16, 'b'), .first = 1, .last = 3});
  EXPECT_EQ(welcome.found(), v1::Welcome::FOUND_NEW);
  Ship(client, 1, 3);
  EXPECT_EQ(bed.ledger().accepted, Items(3));
}

// Frames 1..2, a snapshot, frames 3..5, and the snapshot comes back. Returns the store id.
std::string RollBack(GatewayBed& bed) {
  ShipIdentity identity{.first = 1, .last = 5};
  {
    ShipClient client(bed.target());
    identity.store_id = client.Hello(identity).store_id();
    Ship(client, 1, 2);
  }
  const std::string snapshot = bed.Snapshot("snapshot");
  {
    ShipClient client(bed.target());
    client.Hello(identity);
    Ship(client, 3, 5);
  }
  bed.Restart(snapshot);
  return identity.store_id;
}

TEST(Connect, ARestoredSnapshotIsAnAlarmAndTheRingHeals) {
  GatewayBed bed;
  ShipIdentity identity{
      .store_id = RollBack(bed), .acknowledged = 5, .settled = 1, .first = 2, .last = 5};
  ShipClient client(bed.target());
  const v1::Welcome welcome = client.Hello(identity);
  EXPECT_EQ(welcome.found(), v1::Welcome::FOUND_ROLLED_BACK);
  EXPECT_EQ(welcome.mark(), 2u);
  EXPECT_THAT(bed.alarms(), HasSubstr("lost acknowledged data"));
  EXPECT_EQ(bed.store().status().rollbacks_total, 1u);
  Ship(client, 3, 5);
  EXPECT_EQ(bed.ledger().accepted, Items(5));
}

TEST(Connect, ARestoredSnapshotWhoseGapTheRingCannotFillIsNamed) {
  GatewayBed bed;
  ShipIdentity identity{
      .store_id = RollBack(bed), .acknowledged = 5, .settled = 4, .first = 5, .last = 6};
  ShipClient client(bed.target());
  const v1::Welcome welcome = client.Hello(identity);
  EXPECT_EQ(welcome.found(), v1::Welcome::FOUND_ROLLED_BACK);
  EXPECT_EQ(welcome.mark(), 4u) << "set to the ring's beginning - 1";
  EXPECT_THAT(bed.alarms(), HasSubstr("frames 3 to 4"));
  Ship(client, 5, 6);
  EXPECT_EQ(bed.ledger().accepted, Items(4)) << "the ledger is untouched by the gap";
}

TEST(Connect, AnInstanceForgottenByAgeComesBackAsANewOne) {
  FakeClock clock;
  GatewayBed bed({}, clock);
  ShipIdentity identity{.first = 1, .last = 1};
  {
    ShipClient client(bed.target());
    identity.store_id = client.Hello(identity).store_id();
    Ship(client, 1, 1);
    bed.Deliver(1);
  }
  // Housekeeping forgets it on its own; max_age is 72 h.
  for (int step = 0; step < 2000 && !bed.store().status().instances.empty(); ++step) {
    clock.Advance(absl::Hours(1));
    std::this_thread::sleep_for(std::chrono::milliseconds(5));  // polls a real thread
  }
  ASSERT_TRUE(bed.store().status().instances.empty());
  identity.acknowledged = 1;
  v1::Welcome welcome;
  {
    ShipClient client(bed.target());
    welcome = client.Hello(identity);
  }
  EXPECT_EQ(welcome.found(), v1::Welcome::FOUND_FORGOTTEN);
  ShipClient client(bed.target());
  EXPECT_EQ(client.Hello({.instance = std::string(16, 'b'), .first = 1, .last = 1}).found(),
            v1::Welcome::FOUND_NEW);
  Ship(client, 1, 1);
}

TEST(Connect, TheNumberThatIsSettledComesBackWithTheWelcome) {
  GatewayBed bed;
  ShipIdentity identity{.first = 1, .last = 3};
  ShipClient client(bed.target());
  identity.store_id = client.Hello(identity).store_id();
  Ship(client, 1, 3);
  bed.Deliver(2);
  EXPECT_TRUE(client.AwaitSettled(2));
  ShipClient again(bed.target());
  const v1::Welcome welcome = again.Hello(identity);
  EXPECT_EQ(welcome.mark(), 3u);
  EXPECT_EQ(welcome.settled(), 2u);
}

}  // namespace
}  // namespace ampari
