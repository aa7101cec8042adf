// The whole shipping stage over real gRPC, straight to a gateway in memory and through a relay that
// breaks things.
#include "forwarder/shipping/metrics_shipper.h"

#include <gtest/gtest.h>

#include <fstream>
#include <functional>
#include <numeric>

#include "common/runtime/clock.h"
#include "tests/support/eventually.h"
#include "tests/support/relay.h"
#include "tests/support/temp_dir.h"
#include "tests/unit/forwarder/shipping/fake_gateway.h"

namespace ampari {
namespace {

constexpr absl::Duration kPatience = absl::Seconds(60);

ShippingOptions Options(const std::string& address) {
  ShippingOptions options;
  options.address = address;
  options.forwarder_name = "node-1";
  options.insecure = true;
  options.flush_interval = absl::Milliseconds(10);
  options.flush_bytes = 2000;
  return options;
}

Shipment ShipmentOf(uint64_t samples, uint64_t block = 0) {
  Shipment shipment;
  shipment.scrape.body_layout = 1;
  for (uint64_t i = 0; i < samples; ++i)
    shipment.scrape.body_values.push_back(0x3ff0000000000000 + i * i * i);
  shipment.samples = samples;
  if (block != 0) {
    shipment.registrations.emplace_back().number = block;
  }
  return shipment;
}

uint64_t Items(const FakeInstance& instance) {
  return std::accumulate(instance.items.begin(), instance.items.end(), uint64_t{0});
}

TEST(MetricsShipper, EverythingPushedArrivesOnceAndStopSaysSo) {
  FakeGateway gateway({});
  MetricsShipper shipper(Options(gateway.address()), SystemClock());
  shipper.Start();
  uint64_t pushed = 0;
  for (uint64_t i = 1; i <= 200; ++i) {
    shipper.Push(ShipmentOf(i, i));
    pushed += i;
  }
  EXPECT_TRUE(shipper.Stop(kPatience).ok());
  const auto instances = gateway.instances();
  ASSERT_EQ(instances.size(), 1u);
  const FakeInstance& instance = instances.begin()->second;
  EXPECT_EQ(Items(instance), pushed);
  EXPECT_EQ(instance.blocks.size(), 200u);
  EXPECT_EQ(instance.drained, 1u);
  EXPECT_EQ(instance.resent, 0u);
  EXPECT_EQ(gateway.complaint(), "");
  EXPECT_EQ(shipper.status().samples_total, pushed);
}

TEST(MetricsShipper, AGatewayThatComesLateGetsWhatWaitedAndTheRestAsAGap) {
  FakeGateway gateway({});
  gateway.Stop();
  ShippingOptions options = Options(gateway.address());
  options.ring_bytes = 20000;
  MetricsShipper shipper(options, SystemClock());
  shipper.Start();
  uint64_t pushed = 0;
  for (int i = 0; i < 100; ++i, pushed += 300) shipper.Push(ShipmentOf(300));
  ASSERT_TRUE(Eventually([&] { return !shipper.status().last_error.empty(); }));
  EXPECT_FALSE(shipper.status().connected);
  EXPECT_EQ(shipper.status().connects_total, 0u);
  EXPECT_GT(shipper.status().expired_samples_total, 0u);
  EXPECT_LE(shipper.status().ring_bytes, 20000u);
  gateway.Restart();
  ASSERT_TRUE(Eventually([&] { return shipper.status().acknowledged_sequence == 100; }));
  EXPECT_EQ(shipper.status().connects_total, 1u);
  EXPECT_TRUE(shipper.Stop(kPatience).ok());
  const FakeInstance instance = gateway.instances().begin()->second;
  EXPECT_EQ(Items(instance) + instance.expired, pushed);
  EXPECT_EQ(instance.expired, shipper.status().expired_samples_total);
  EXPECT_EQ(gateway.complaint(), "");
}

TEST(MetricsShipper, TheTokenGoesWithTheCallAndStaysOutOfErrors) {
  FakeGateway gateway({.token = "right"});
  TempDir folder;
  const std::string file = folder.path() + "/token";
  std::ofstream(file) << "wrong-secret\n";
  ShippingOptions options = Options(gateway.address());
  options.token_file = file;
  MetricsShipper shipper(options, SystemClock());
  shipper.Start();
  shipper.Push(ShipmentOf(1));
  ASSERT_TRUE(Eventually([&] { return !shipper.status().last_error.empty(); }));
  EXPECT_NE(shipper.status().last_error.find("no entry has this token"), std::string::npos);
  EXPECT_EQ(shipper.status().last_error.find("wrong-secret"), std::string::npos);
  std::ofstream(file) << "right\n";  // read again for the next attempt
  EXPECT_TRUE(Eventually([&] { return shipper.status().acknowledged_sequence == 1; }));
}

TEST(MetricsShipper, StopWithoutAGatewayTellsWhatIsLeft) {
  FakeGateway gateway({});
  gateway.Stop();
  MetricsShipper shipper(Options(gateway.address()), SystemClock());
  shipper.Start();
  shipper.Push(ShipmentOf(7));
  const absl::Status stopped = shipper.Stop(absl::Milliseconds(50));
  EXPECT_TRUE(absl::IsDeadlineExceeded(stopped));
  EXPECT_NE(stopped.ToString().find("7 samples"), std::string::npos);
}

std::string FileText(const std::string& path) {
  std::ifstream in(path);
  return std::string(std::istreambuf_iterator<char>(in), {});
}

// A reload may begin a stream while the program stops.
TEST(MetricsShipper, NothingStartsAfterAStop) {
  FakeGateway gateway({});
  MetricsShipper shipper(Options(gateway.address()), SystemClock());
  EXPECT_TRUE(shipper.Stop(kPatience).ok());
  shipper.Start();
  shipper.Push(ShipmentOf(3));
  EXPECT_FALSE(shipper.status().connected);
}

TEST(MetricsShipper, ThroughARelayThatCutsAndDropsAcksNothingIsLostOrDoubled) {
  FakeGateway gateway({});
  TempDir folder;
  auto relay = Relay::Start({"127.0.0.1:0", gateway.address(), folder.path() + "/record"});
  ASSERT_TRUE(relay.ok()) << relay.status();
  MetricsShipper shipper(Options((*relay)->address()), SystemClock());
  shipper.Start();
  uint64_t pushed = 0;
  for (int round = 0; round < 8; ++round) {
    (*relay)->DropAcks(round % 2 == 1);
    for (uint64_t i = 1; i <= 20; ++i, pushed += 200)
      shipper.Push(ShipmentOf(200, static_cast<uint64_t>(round) * 20 + i));
    const uint64_t hellos = gateway.hellos();
    (*relay)->Cut();
    ASSERT_TRUE(Eventually([&] { return gateway.hellos() > hellos; })) << round;
  }
  (*relay)->DropAcks(false);
  (*relay)->Cut();  // acknowledgements that were dropped are not repeated on a living stream
  EXPECT_TRUE(shipper.Stop(kPatience).ok());
  const auto instances = gateway.instances();
  ASSERT_EQ(instances.size(), 1u);
  EXPECT_EQ(Items(instances.begin()->second), pushed);
  EXPECT_EQ(gateway.complaint(), "");
  const std::string record = FileText(folder.path() + "/record");
  const std::string last = "\"to\":" + std::to_string(instances.begin()->second.items.size()) + ",";
  EXPECT_NE(record.find(last), std::string::npos) << record;
}

uint64_t ItemsOf(const FakeGateway& gateway) {
  uint64_t items = 0;
  for (const auto& [id, instance] : gateway.instances()) items += Items(instance);
  return items;
}

TEST(MetricsShipper, AMoveUnderLoadLosesAndDoublesNothing) {
  FakeGateway here({.settle = true}), there({.settle = true});
  MetricsShipper shipper(Options(here.address()), SystemClock());
  shipper.Start();
  uint64_t pushed = 0;
  for (uint64_t move = 1; move <= 6; ++move) {
    for (uint64_t i = 1; i <= 50; ++i, pushed += 200) {
      shipper.Push(ShipmentOf(200, move * 100 + i));
      if (i != 25) continue;
      ASSERT_TRUE(Eventually([&] { return shipper.status().acknowledged_sequence > 0; })) << move;
      shipper.MoveTo(move % 2 == 1 ? there.address() : here.address());
    }
    ASSERT_TRUE(Eventually([&] { return shipper.status().moves_total == move; })) << move;
  }
  EXPECT_TRUE(shipper.Stop(kPatience).ok());
  EXPECT_EQ(ItemsOf(here) + ItemsOf(there), pushed);
  EXPECT_GT(ItemsOf(here), 0u);
  EXPECT_GT(ItemsOf(there), 0u);
  EXPECT_EQ(shipper.status().impatient_moves_total, 0u);
  EXPECT_EQ(here.complaint() + there.complaint(), "");
}

TEST(MetricsShipper, AGatewayThatIsAwayIsLeftAfterAWhile) {
  FakeGateway here({.acknowledge = false}), there({});
  ShippingOptions options = Options(here.address());
  options.move_patience = absl::Milliseconds(200);
  MetricsShipper shipper(options, SystemClock());
  shipper.Start();
  shipper.Push(ShipmentOf(7));
  ASSERT_TRUE(Eventually([&] { return shipper.status().sent_sequence == 1; }));
  here.Stop();
  shipper.MoveTo(there.address());
  EXPECT_TRUE(Eventually([&] { return ItemsOf(there) == 7; }));
  EXPECT_EQ(shipper.status().impatient_moves_total, 1u);
  EXPECT_EQ(shipper.status().gateway, there.address());
}

TEST(MetricsShipper, AHeldConnectionHoldsTheWindowAndPushNeverWaits) {
  FakeGateway gateway({});
  auto relay = Relay::Start({"127.0.0.1:0", gateway.address(), ""});
  ASSERT_TRUE(relay.ok());
  ShippingOptions options = Options((*relay)->address());
  MetricsShipper shipper(options, SystemClock());
  shipper.Start();
  ASSERT_TRUE(Eventually([&] { return shipper.status().connected; }));
  (*relay)->Hold(true);
  for (int i = 0; i < 3000; ++i) shipper.Push(ShipmentOf(300));
  EXPECT_LT(shipper.status().sent_sequence, 3000u);  // 1 MiB of window, 2.4 KB of frames
  (*relay)->Hold(false);
  EXPECT_TRUE(Eventually([&] { return shipper.status().acknowledged_sequence == 3000; }));
  EXPECT_TRUE(shipper.Stop(kPatience).ok());
  EXPECT_EQ(gateway.complaint(), "");
}

}  // namespace
}  // namespace ampari
