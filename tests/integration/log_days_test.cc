// Days pass between tailer, shipper, intake and store, all real: the clock seam is the machine's
// clock and as many hours as a test adds. A position stands until max_age (72 h) after the last
// contact of its producer; whatever happens, a line is stored once, or counted as skipped.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/frame/log_frame.h"
#include "forwarder/shipping/log_shipper.h"
#include "forwarder/tail/log_tailer.h"
#include "tests/integration/gateway_bed.h"
#include "tests/support/eventually.h"
#include "tests/support/relay.h"
#include "tests/support/status_matchers.h"

namespace ampari {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

constexpr absl::Duration kPatience = absl::Seconds(90);

bool Await(const std::function<bool()>& condition) { return Eventually(condition, kPatience); }

// The machine's clocks, and what was added to them.
class DayClock final : public Clock {
 public:
  absl::Time Now() const override { return SystemClock().Now() + added(); }
  absl::Duration Monotonic() const override { return SystemClock().Monotonic() + added(); }
  void Add(absl::Duration by) { hours_ += absl::ToInt64Hours(by); }

 private:
  absl::Duration added() const { return absl::Hours(hours_.load()); }

  std::atomic<int64_t> hours_ = 0;
};

GatewayConfig LogConfig() {
  GatewayConfig config = BedConfig();
  config.tenants[0].loki_write.emplace_back().name = "logs";
  return config;
}

// What is left of a forwarder that only ships logs.
class Node {
 public:
  Node(const Clock& clock, const std::string& gateway, const std::string& root)
      : shipper_(Shipping(gateway), clock, [this] { tailer_.Wake(); }), tailer_(Tailing(clock)) {
    tailer_.Start();
    shipper_.Start();
    Read(root);
  }
  ~Node() {
    tailer_.Stop();
    EXPECT_THAT(shipper_.Stop(kPatience), IsOk()) << "everything is acknowledged";
  }
  Node(const Node&) = delete;
  Node& operator=(const Node&) = delete;

  ShippingStatus shipping() const { return shipper_.status(); }
  uint64_t skipped_bytes() const {
    return tailer_.status(/*with_files=*/false).skipped_bytes_total;
  }

 private:
  static ShippingOptions Shipping(const std::string& gateway) {
    ShippingOptions options;
    options.address = gateway;
    options.forwarder_name = "node-1";
    options.insecure = true;
    options.token = "east-token";
    return options;
  }
  LogTailerOptions Tailing(const Clock& clock) {
    LogTailerOptions options;
    options.clock = &clock;
    options.take_directions = [this] { return shipper_.TakeDirections(); };
    options.has_room = [this] { return shipper_.HasRoom(); };
    options.push = [this](LogFlush flush) { return shipper_.Push(std::move(flush)); };
    options.retire = [this](std::vector<std::string> keys) { shipper_.Retire(std::move(keys)); };
    options.superseded = [this] { return shipper_.status().superseded; };
    options.flush_interval = absl::Milliseconds(20);
    return options;
  }
  void Read(const std::string& root) {
    auto job = std::make_shared<LogJob>();
    job->job_name = "pods";
    LogTarget target;
    target.job = job;
    target.path = target.id = absl::StrCat(root, "/*/*/*.log");
    LogTargetSet set;
    set.targets.push_back(std::move(target));
    set.job_names = {"pods"};
    tailer_.Apply(std::move(set));
  }

  LogShipper shipper_;
  LogTailer tailer_;
};

// Another forwarder, which is connected and silent.
class Witness final : public StreamSink {
 public:
  void OnWelcome(const WelcomeReply&) override { welcomed = true; }
  void OnDurable(uint64_t, uint64_t) override {}
  void OnRefused(const FrameRefusal&) override {}
  void OnNotice(bool, bool, bool) override {}
  void OnClosed(const absl::Status&) override {}

  std::atomic<bool> welcomed = false;
};

class LogDays : public testing::Test {
 protected:
  LogDays() : root_(bed_.dir.File("pods")) {}

  // --- the node
  void StartNode() { node_ = std::make_unique<Node>(clock_, bed_.target(), root_); }
  void StopNode() { node_.reset(); }
  // Appends a line of now, or of `age` ago, to the log of a pod.
  void Write(const std::string& pod, const std::string& text,
             absl::Duration age = absl::ZeroDuration()) {
    std::filesystem::create_directories(DirectoryOf(pod));
    std::ofstream(LogOf(pod), std::ios::app | std::ios::binary)
        << absl::FormatTime("%Y-%m-%d%ET%H:%M:%E9SZ", clock_.Now() - age, absl::UTCTimeZone())
        << " stdout F " << text << "\n";
  }
  std::string DirectoryOf(const std::string& pod) const {
    return absl::StrCat(root_, "/shop_", pod, "_uid-", pod, "/app");
  }
  std::string LogOf(const std::string& pod) const { return DirectoryOf(pod) + "/0.log"; }
  uint64_t SizeOf(const std::string& pod) const { return std::filesystem::file_size(LogOf(pod)); }

  // --- time
  // A day at a time; the store's housekeeping goes on with each, and has seen all but the last two
  // at the least.
  void PassDays(int days) {
    if (witness_ == nullptr) AddWitness();
    for (int day = 0; day < days; ++day) {
      Collect();  // before it is expired: nobody delivers
      const uint64_t before = bed_.store().status().commits_total;
      clock_.Add(absl::Hours(24));
      // It notes the witness's contact, if nobody else's.
      ASSERT_TRUE(Await([&] { return bed_.store().status().commits_total > before; }));
    }
  }
  void AddWitness() {
    witness_ = std::make_shared<Witness>();
    HelloRequest hello;
    hello.tenant = "t";
    hello.entry = "east";
    hello.forwarder_name = "witness";
    hello.instance_id = std::string(16, 'w');
    hello.signal = Signal::kLogs;
    bed_.store().OpenStream(hello, witness_);
    ASSERT_TRUE(Await([&] { return witness_->welcomed.load(); }));
  }

  // --- the gateway
  void Collect() {
    const DestinationId id{"t", Signal::kLogs, "logs"};
    while (true) {
      const auto records = bed_.store().Read(id, next_, size_t{1} << 20, &next_);
      ASSERT_THAT(records, IsOk());
      if (records->empty()) return;
      for (const RecordPtr& record : *records) Take(record->frame);
    }
  }
  void Take(const std::string& frame) {
    LogFrameDecoder decoder;
    const auto streams = decoder.Decode(frame, size_t{1} << 20);
    ASSERT_THAT(streams, IsOk());
    for (const LogStream& stream : *streams) {
      for (const LogEntry& entry : stream.entries) stored_.emplace_back(entry.line);
    }
  }
  // Every line that was ever stored, in the store's order, once there are `count` of them.
  const std::vector<std::string>& Stored(size_t count) {
    EXPECT_TRUE(Await([&] {
      Collect();
      return stored_.size() >= count;
    })) << count;
    return stored_;
  }
  // How many files of the node the gateway knows.
  int KnownFiles() {
    ShipClient client(bed_.target());
    (void)client.Hello({.instance = std::string(16, 'z'), .signal = v1::SIGNAL_LOGS});
    const auto told = client.Await([](const v1::GatewayMessage& m) { return m.has_positions(); });
    return told ? told->positions().files_size() : -1;
  }

  DayClock clock_;
  GatewayBed bed_{{}, clock_, LogConfig()};
  const std::string root_;
  std::unique_ptr<Node> node_;
  std::shared_ptr<Witness> witness_;
  std::vector<std::string> stored_;
  uint64_t next_ = 0;  // of the queue
};

TEST_F(LogDays, AQuietFileOfAConnectedForwarderKeepsItsPlace) {
  Write("quiet", "1");
  Write("gone", "2");
  StartNode();
  EXPECT_THAT(Stored(2), UnorderedElementsAre("1", "2"));
  std::filesystem::remove_all(std::filesystem::path(DirectoryOf("gone")).parent_path());
  PassDays(5);
  Write("quiet", "3");
  EXPECT_EQ(Stored(3).back(), "3");
  PassDays(5);
  StopNode();
  Write("quiet", "4");
  StartNode();
  Write("quiet", "5");
  EXPECT_THAT(Stored(5), ElementsAre(testing::_, testing::_, "3", "4", "5"));
  EXPECT_EQ(node_->skipped_bytes(), 0u);
  StopNode();
  EXPECT_EQ(KnownFiles(), 1) << "what is gone was retired";
  EXPECT_EQ(Stored(5).size(), 5u);
}

TEST_F(LogDays, AForwarderThatIsAwayForLessThanMaxAgeGoesOnWhereItWas) {
  Write("pod", "1");
  StartNode();
  EXPECT_THAT(Stored(1), ElementsAre("1"));
  StopNode();
  Write("pod", "2");
  PassDays(2);
  Write("pod", "3");
  StartNode();
  Write("pod", "4");
  EXPECT_THAT(Stored(4), ElementsAre("1", "2", "3", "4"));
  EXPECT_EQ(node_->skipped_bytes(), 0u);
}

TEST_F(LogDays, AForwarderThatIsAwayForLongerIsANewOneByTheRuleOfTheStart) {
  Write("old", "1");
  StartNode();
  EXPECT_THAT(Stored(1), ElementsAre("1"));
  StopNode();
  Write("old", "skipped");
  PassDays(6);
  Write("young", "2", absl::Minutes(50));
  Write("aged", "skipped too", absl::Minutes(70));
  EXPECT_EQ(KnownFiles(), 0) << "and that was a first contact";
  const uint64_t skipped = SizeOf("old") + SizeOf("aged");
  StartNode();
  EXPECT_THAT(Stored(2), ElementsAre("1", "2"));
  ASSERT_TRUE(Await([&] { return node_->skipped_bytes() == skipped; }))
      << node_->skipped_bytes() << " of " << skipped;
  Write("old", "3");
  EXPECT_THAT(Stored(3), ElementsAre("1", "2", "3"));
  Write("aged", "4");
  Write("young", "5");
  EXPECT_THAT(Stored(5), ElementsAre("1", "2", "3", testing::_, testing::_));
  StopNode();
  EXPECT_EQ(KnownFiles(), 3);
  EXPECT_EQ(Stored(5).size(), 5u);
}

// Its beginning was passed over at the first contact; that it is old is not asked again.
TEST_F(LogDays, AnOldFileThatIsKnownIsReadOn) {
  Write("pod", "long ago", absl::Hours(24 * 10));
  StartNode();
  ASSERT_TRUE(Await([&] { return node_->skipped_bytes() == SizeOf("pod"); }));
  ASSERT_TRUE(Await([&] { return node_->shipping().acknowledged_sequence > 0; }));
  PassDays(5);
  StopNode();
  Write("pod", "1");  // while nobody looks
  PassDays(1);
  StartNode();
  Write("pod", "2");
  EXPECT_THAT(Stored(2), ElementsAre("1", "2"));
  EXPECT_EQ(node_->skipped_bytes(), 0u);
}

// The process lives and reads; only the gateway is out of reach, and forgets it.
TEST_F(LogDays, AForwarderThatIsCutOffForLongerBringsItsPositionsAlong) {
  auto relay = Relay::Start({"127.0.0.1:0", bed_.target(), ""});
  ASSERT_THAT(relay, IsOk());
  Write("pod", "1", absl::Hours(2));
  Write("quiet", "2");
  node_ = std::make_unique<Node>(clock_, (*relay)->address(), root_);
  ASSERT_TRUE(Await([&] { return node_->skipped_bytes() == SizeOf("pod"); }));
  EXPECT_THAT(Stored(1), ElementsAre("2"));
  Write("pod", "3");
  EXPECT_THAT(Stored(2), ElementsAre("2", "3"));
  ASSERT_TRUE(Await([&] { return node_->shipping().acknowledged_sequence >= 2; }));
  (*relay)->Refuse(true);
  (*relay)->Cut();
  ASSERT_TRUE(Await([&] { return !node_->shipping().connected; }));
  PassDays(3);
  Write("pod", "4");
  PassDays(3);
  (*relay)->Refuse(false);
  Write("pod", "5");
  EXPECT_THAT(Stored(4), ElementsAre("2", "3", "4", "5"));
  ASSERT_TRUE(Await([&] { return node_->shipping().connected; }));
  EXPECT_EQ(node_->shipping().instances_total, 2u) << "the gateway had forgotten it";
  Write("quiet", "6");
  EXPECT_THAT(Stored(5), ElementsAre("2", "3", "4", "5", "6"));
  StopNode();  // while its way to the gateway is there
}

// A stopped gateway ages by a day at the most.
TEST_F(LogDays, AGatewayThatIsAwayForDaysForgetsNothing) {
  Write("pod", "1");
  StartNode();
  EXPECT_THAT(Stored(1), ElementsAre("1"));
  StopNode();
  bed_.Stop();
  Write("pod", "2");
  clock_.Add(absl::Hours(24 * 10));
  Write("pod", "3");
  bed_.Restart();
  StartNode();
  Write("pod", "4");
  EXPECT_THAT(Stored(4), ElementsAre("1", "2", "3", "4"));
  EXPECT_EQ(node_->skipped_bytes(), 0u);
  EXPECT_THAT(bed_.alarms(), IsEmpty());
}

}  // namespace
}  // namespace ampari
