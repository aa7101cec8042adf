// The shipper of logs over real gRPC, through a relay that breaks connections, to a real gateway's
// intake and store: what the store holds at the end is every line once.
#include "forwarder/shipping/log_shipper.h"

#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <memory>

#include "tests/integration/gateway_bed.h"
#include "tests/support/eventually.h"
#include "tests/support/relay.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/forwarder/shipping/line_reader.h"

namespace ampari {
namespace {

constexpr absl::Duration kPatience = absl::Seconds(60);

GatewayConfig LogConfig() {
  GatewayConfig config = BedConfig();
  config.tenants[0].loki_write.emplace_back().name = "logs";
  return config;
}

struct LogBed : GatewayBed {
  LogBed() : GatewayBed({}, SystemClock(), LogConfig()) {}

  // Adds what is stored, line by line in the store's order.
  void AddLines(std::map<char, std::vector<uint64_t>>* lines) {
    const DestinationId id{"t", Signal::kLogs, "logs"};
    for (uint64_t from = 0, next = 0;; from = next) {
      const auto records = store().Read(id, from, size_t{1} << 20, &next);
      ASSERT_THAT(records, IsOk());
      if (records->empty()) return;
      for (const RecordPtr& record : *records) {
        for (const auto& [file, number] : LinesOf(record->frame)) (*lines)[file].push_back(number);
      }
    }
  }
};

ShippingOptions Options(const std::string& address) {
  ShippingOptions options;
  options.address = address;
  options.forwarder_name = "node-1";
  options.insecure = true;
  options.token = "east-token";
  options.ring_bytes = 16000;
  options.move_patience = absl::Milliseconds(200);
  return options;
}

// A reader with its shipper.
struct Process {
  Process(const LineDisk& disk, const std::string& address)
      : reader(disk), shipper(Options(address), SystemClock(), [this] { ++wakes; }) {
    shipper.Start();
  }
  void Step(std::mt19937_64& random) {
    if (const auto directions = shipper.TakeDirections(); directions) reader.Take(*directions);
    const bool superseded = shipper.status().superseded;
    if (!shipper.HasRoom()) return;
    if (const auto flush = reader.Read(random, superseded); flush && shipper.Push(*flush)) {
      reader.OnPushed(*flush);
    }
    if (std::vector<std::string> gone = reader.Gone(); !gone.empty())
      shipper.Retire(std::move(gone));
  }
  bool Done() {
    const ShippingStatus status = shipper.status();
    return reader.AtEnd() && status.connected &&
           status.acknowledged_sequence == status.last_sequence;
  }

  std::atomic<int> wakes = 0;
  LineReader reader;
  LogShipper shipper;
};

// Ships everything that is written, and finds it stored once in all of the beds together.
void FinishAndVerify(Process& process, const LineDisk& disk, std::mt19937_64& random,
                     const std::vector<LogBed*>& beds) {
  ASSERT_TRUE(Eventually([&] {
    process.Step(random);
    return process.Done() && !process.shipper.TakeDirections();
  }));
  EXPECT_TRUE(process.shipper.Stop(kPatience).ok());
  std::map<char, std::vector<uint64_t>> lines;
  for (LogBed* bed : beds) bed->AddLines(&lines);
  for (const auto& [name, file] : disk.files) {
    ASSERT_EQ(lines[name].size(), file.size) << name;
    for (uint64_t line = 0; line < file.size; ++line) ASSERT_EQ(lines[name][line], line) << name;
  }
}

LineDisk SomeFiles() {
  LineDisk disk;
  for (const char file : {'a', 'b', 'c', 'd'}) disk.files[file].size = 5;
  return disk;
}
void Write(LineDisk& disk, std::mt19937_64& random) {
  for (auto& [name, file] : disk.files) {
    if (!file.gone) file.size += random() % 5;
  }
}

TEST(LogShipper, PositionsComeFirstAndEverythingArrivesOnce) {
  LogBed bed;
  LineDisk disk = SomeFiles();
  std::mt19937_64 random(1);
  Process process(disk, bed.target());
  EXPECT_TRUE(process.shipper.HasRoom());
  EXPECT_FALSE(process.shipper.Push({0, "", 0, {}})) << "nothing before the first directions";
  for (int i = 0; i < 100; ++i, Write(disk, random)) process.Step(random);
  FinishAndVerify(process, disk, random, {&bed});
  const ShippingStatus status = process.shipper.status();
  uint64_t written = 0;
  for (const auto& [name, file] : disk.files) written += file.size;
  EXPECT_EQ(status.samples_total, written);
  EXPECT_EQ(status.expired_frames_total, 0u);
  EXPECT_EQ(status.refused_frames_total, 0u);
  EXPECT_GT(process.wakes, 0);
}

TEST(LogShipper, CutsAndDeathsAtAnyPointLoseAndDoubleNothing) {
  LogBed bed;
  auto relay = Relay::Start({"127.0.0.1:0", bed.target(), ""});
  ASSERT_TRUE(relay.ok());
  LineDisk disk = SomeFiles();
  std::mt19937_64 random(2);
  auto process = std::make_unique<Process>(disk, (*relay)->address());
  for (int round = 0; round < 60; ++round) {
    (*relay)->DropAcks(random() % 3 == 0);
    const uint64_t steps = random() % 40;
    for (uint64_t step = 0; step < steps; ++step, Write(disk, random)) process->Step(random);
    if (random() % 4 == 0) {
      process.reset();  // as a kill: nothing is drained
      process = std::make_unique<Process>(disk, (*relay)->address());
    } else {
      (*relay)->Cut();
    }
    if (random() % 2 == 0) {
      ASSERT_TRUE(Eventually([&] { return process->shipper.status().connected; })) << round;
    }
  }
  (*relay)->DropAcks(false);
  (*relay)->Cut();
  FinishAndVerify(*process, disk, random, {&bed});
}

TEST(LogShipper, TwoProcessesOfOneNodeDoubleNothing) {
  LogBed bed;
  LineDisk disk = SomeFiles();
  std::mt19937_64 random(3);
  auto older = std::make_unique<Process>(disk, bed.target());
  for (int surge = 0; surge < 5; ++surge) {
    for (int i = 0; i < 20; ++i, Write(disk, random)) older->Step(random);
    ASSERT_TRUE(Eventually([&] { return older->shipper.status().connected; }));
    auto newer = std::make_unique<Process>(disk, bed.target());
    for (int i = 0; i < 200; ++i, Write(disk, random)) (i % 3 == 0 ? older : newer)->Step(random);
    ASSERT_TRUE(Eventually([&] {
      older->Step(random);
      newer->Step(random);
      return older->shipper.status().superseded && newer->Done();
    })) << surge;
    older = std::move(newer);  // the older one ends
  }
  FinishAndVerify(*older, disk, random, {&bed});
}

TEST(LogShipper, AMoveThereAndBackTakesPositionsAlong) {
  LogBed here, there;
  LineDisk disk = SomeFiles();
  std::mt19937_64 random(4);
  Process process(disk, here.target());
  for (uint64_t move = 1; move <= 4; ++move) {
    for (int i = 0; i < 50; ++i, Write(disk, random)) process.Step(random);
    ASSERT_TRUE(Eventually([&] {
      process.Step(random);
      return process.shipper.status().acknowledged_sequence > 0;
    }));
    process.shipper.MoveTo(move % 2 == 1 ? there.target() : here.target());
    ASSERT_TRUE(Eventually([&] {
      process.Step(random);
      return process.shipper.status().moves_total == move;
    }));
    ASSERT_TRUE(Eventually([&] {
      process.Step(random);
      return process.Done();
    }));
  }
  std::map<char, std::vector<uint64_t>> lines;
  ASSERT_TRUE(process.shipper.Stop(kPatience).ok());
  here.AddLines(&lines);
  there.AddLines(&lines);
  for (auto& [name, file] : disk.files) {
    std::sort(lines[name].begin(), lines[name].end());
    ASSERT_EQ(lines[name].size(), file.size) << name;
    for (uint64_t line = 0; line < file.size; ++line) ASSERT_EQ(lines[name][line], line) << name;
  }
}

TEST(LogShipper, AFullRingTakesNoMoreAndGivesNothingUp) {
  LogBed bed;
  auto relay = Relay::Start({"127.0.0.1:0", bed.target(), ""});
  ASSERT_TRUE(relay.ok());
  LineDisk disk = SomeFiles();
  std::mt19937_64 random(5);
  Process process(disk, (*relay)->address());
  ASSERT_TRUE(Eventually([&] { return process.shipper.status().connected; }));
  (*relay)->Hold(true);
  for (int i = 0; i < 1000; ++i, Write(disk, random)) process.Step(random);
  EXPECT_FALSE(process.shipper.HasRoom());
  EXPECT_LE(process.shipper.status().ring_bytes, Options("").ring_bytes);
  const int wakes = process.wakes;
  (*relay)->Hold(false);
  EXPECT_TRUE(Eventually([&] { return process.wakes > wakes && process.shipper.HasRoom(); }));
  FinishAndVerify(process, disk, random, {&bed});
}

TEST(LogShipper, WhatIsGoneIsRetired) {
  LogBed bed;
  LineDisk disk = SomeFiles();
  std::mt19937_64 random(6);
  Process process(disk, bed.target());
  ASSERT_TRUE(Eventually([&] {
    process.Step(random);
    return process.Done();
  }));
  disk.files['b'].gone = true;
  Write(disk, random);
  FinishAndVerify(process, disk, random, {&bed});
  Process next(disk, bed.target());
  std::optional<LogDirections> directions;
  ASSERT_TRUE(Eventually([&] { return (directions = next.shipper.TakeDirections()).has_value(); }));
  EXPECT_TRUE(directions->all);
  std::set<char> files;
  for (const FileStart& file : directions->files) files.insert(file.key[0]);
  EXPECT_EQ(files, (std::set<char>{'a', 'c', 'd'}));
}

}  // namespace
}  // namespace ampari
