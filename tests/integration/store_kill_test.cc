// kill -9 at random moments, under load: everything acknowledged is there, nothing is there twice,
// and the ledger holds. The victim is this program again, with the directory in
// AMPARI_STORE_VICTIM; it is a disabled test, which only its parent runs: so it is nobody's skipped
// test.
#include <gtest/gtest.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <map>
#include <random>
#include <set>
#include <string>
#include <thread>

#include "gateway/store/ledger.h"
#include "tests/support/eventually.h"
#include "tests/support/fake_clock.h"
#include "tests/unit/gateway/store/store_rig.h"

extern char** environ;

namespace ampari {
namespace {

constexpr int kKills = 40;

// Tells the parent, by writing one byte pair to stdout, each time a mark is durable.
class TellingSink final : public StreamSink {
 public:
  explicit TellingSink(uint64_t forwarder) : forwarder_(forwarder) {}
  void OnWelcome(const WelcomeReply& welcome) override {
    MutexLock lock(mu_);
    mark_ = welcome.mark;
    welcomed_ = true;
    changed_.NotifyAll();
  }
  void OnDurable(uint64_t mark, uint64_t) override {
    uint64_t words[2] = {forwarder_, mark};
    if (::write(STDOUT_FILENO, words, sizeof(words)) != sizeof(words)) std::_Exit(9);
  }
  void OnRefused(const FrameRefusal&) override {}
  void OnNotice(bool, bool, bool) override {}
  void OnClosed(const absl::Status&) override {}
  uint64_t WaitMark() {
    MutexLock lock(mu_);
    while (!welcomed_) changed_.Wait(mu_);
    return mark_;
  }

 private:
  const uint64_t forwarder_;
  Mutex mu_;
  CondVar changed_;
  bool welcomed_ = false;
  uint64_t mark_ = 0;
};

StoreOptions OptionsIn(const std::string& directory) {
  StoreOptions options;
  options.directory = directory;
  options.max_bytes = uint64_t{256} << 20;
  return options;
}

// Sends without end on three streams, settling as it goes, until it is killed.
void RunVictim(const std::string& directory) {
  auto store = Store::Open(OptionsIn(directory), SystemClock());
  if (!store.ok()) std::_Exit(8);
  QueueTopology queue{"t", Signal::kMetrics, 0, {{"region"}}};
  if (!(*store)->Apply({queue}).ok()) std::_Exit(7);
  std::map<uint64_t, std::pair<StreamId, uint64_t>> streams;
  for (uint64_t i = 0; i < 3; ++i) {
    auto sink = std::make_shared<TellingSink>(i);
    HelloRequest hello = HelloOf("node-" + std::to_string(i), 'a');
    StreamId id = (*store)->OpenStream(hello, sink);
    streams[i] = {id, sink->WaitMark()};
  }
  DestinationId region{"t", Signal::kMetrics, "region"};
  for (;;) {
    for (auto& [i, stream] : streams) {
      for (int burst = 0; burst < 4; ++burst) {
        (*store)->SubmitFrame(stream.first, FrameOf(++stream.second, 5, 3000));
      }
    }
    uint32_t lane = LaneOf("cluster-a", "node-0");
    uint64_t from = (*store)->Lanes(region)[lane].cursor, next = 0;
    auto records = (*store)->Read(region, from, 1 << 16, &next);
    Settlement settlement;
    settlement.destination = region;
    settlement.lane = lane;
    settlement.from = settlement.upto = from;
    for (size_t i = 0; records.ok() && i < records->size(); ++i) {
      const RecordPtr& record = (*records)[i];
      if (record->header.lane != lane) continue;
      // All but one, which is parked.
      settlement.delivered += record->header.items - 1;
      settlement.aside.push_back({record->sequence, AsideReason::kParked, 1, "no", {"a request"}});
      settlement.upto = record->sequence + 1;
    }
    Mutex mu;
    CondVar changed;
    bool done = settlement.upto == from;
    if (!done) {
      (*store)->Settle(settlement, [&] {
        MutexLock lock(mu);
        done = true;
        changed.NotifyAll();
      });
    }
    MutexLock lock(mu);
    while (!done) changed.Wait(mu);
  }
}

// What the victim said was durable before it was killed.
std::map<uint64_t, uint64_t> RunAndKill(const std::string& directory, uint64_t after_marks) {
  int ends[2];
  EXPECT_EQ(::pipe(ends), 0);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
  posix_spawn_file_actions_addclose(&actions, ends[0]);
  ::setenv("AMPARI_STORE_VICTIM", directory.c_str(), 1);
  std::string program = "/proc/self/exe", filter = "--gtest_filter=StoreVictim.*";
  std::string disabled = "--gtest_also_run_disabled_tests", quiet = "--gtest_brief=1";
  char* arguments[] = {program.data(), filter.data(), disabled.data(), quiet.data(), nullptr};
  pid_t victim = 0;
  EXPECT_EQ(::posix_spawn(&victim, "/proc/self/exe", &actions, nullptr, arguments, environ), 0);
  ::unsetenv("AMPARI_STORE_VICTIM");
  posix_spawn_file_actions_destroy(&actions);
  ::close(ends[1]);
  std::map<uint64_t, uint64_t> durable;
  uint64_t words[2], told = 0;
  // What follows the kill counts as well: it was durable.
  while (::read(ends[0], words, sizeof(words)) == sizeof(words)) {
    durable[words[0]] = std::max(durable[words[0]], words[1]);
    if (++told == after_marks) ::kill(victim, SIGKILL);
  }
  ::close(ends[0]);
  int status = 0;
  EXPECT_EQ(::waitpid(victim, &status, 0), victim);
  EXPECT_TRUE(WIFSIGNALED(status)) << status;
  return durable;
}

TEST(StoreVictim, DISABLED_Runs) {
  const char* directory = std::getenv("AMPARI_STORE_VICTIM");
  ASSERT_NE(directory, nullptr) << "started by the test below";
  RunVictim(directory);
}

// What is set aside ends with its age: all that the ledger counts is there, and no more.
void ExpectAsideIsThere(const std::string& directory) {
  FakeClock later(absl::Now() + absl::Hours(24));
  auto store = Store::Open(OptionsIn(directory), later);
  ASSERT_TRUE(store.ok()) << store.status();
  EXPECT_GT((*store)->status().destinations[0].ledger.aside["parked"], 0u);
  later.Advance(absl::Hours(80));
  EXPECT_TRUE(Eventually([&] { return (*store)->status().destinations[0].ledger.pending == 0; }));
  const Ledger ledger = (*store)->status().destinations[0].ledger;
  EXPECT_TRUE(Holds(ledger));
  EXPECT_EQ(ledger.lost, 0u);
}

TEST(StoreKillTest, EverythingAcknowledgedIsThereAndNothingTwice) {
  TempDir dir;
  std::string directory = dir.path() + "/store";
  std::mt19937 rng(7);
  std::map<uint64_t, uint64_t> durable;
  for (int kill = 0; kill < kKills; ++kill) {
    SCOPED_TRACE(kill);
    for (const auto& [forwarder, mark] : RunAndKill(directory, 1 + rng() % 120)) {
      durable[forwarder] = std::max(durable[forwarder], mark);
    }
    if (kill % 8 != 7) continue;
    auto store = Store::Open(OptionsIn(directory), SystemClock());
    ASSERT_TRUE(store.ok()) << store.status();
    StoreStatus status = (*store)->status();
    for (const InstanceStatus& instance : status.instances) {
      EXPECT_GE(instance.mark, durable[instance.forwarder_name.back() - '0']);
    }
    ASSERT_EQ(status.destinations.size(), 1u);
    EXPECT_TRUE(Holds(status.destinations[0].ledger));
    EXPECT_EQ(status.destinations[0].ledger.lost, 0u);
    EXPECT_TRUE((*store)->Verify().empty());
    // Frames of each instance are contiguous and end at its mark.
    std::map<InstanceNumber, uint64_t> last;
    DestinationId region{"t", Signal::kMetrics, "region"};
    for (uint64_t from = 0, next = 0;; from = next) {
      auto records = (*store)->Read(region, from, 1 << 20, &next);
      ASSERT_TRUE(records.ok());
      if (records->empty()) break;
      for (const RecordPtr& record : *records) {
        uint64_t& before = last[record->header.instance];
        if (before != 0) {
          ASSERT_EQ(record->header.frame_sequence, before + 1);
        }
        before = record->header.frame_sequence;
      }
    }
    for (const InstanceStatus& instance : status.instances) {
      EXPECT_EQ(last[instance.number], instance.mark);
    }
  }
  ExpectAsideIsThere(directory);
}

}  // namespace
}  // namespace ampari
