// What the store finds after damage: frames that are gone, flipped bits, cut tails, trimmed keys
// that came back, full disks.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rocksdb/convenience.h>
#include <rocksdb/db.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "gateway/store/committer.h"
#include "gateway/store/keys.h"
#include "gateway/store/ledger.h"
#include "gateway/store/recovery.h"
#include "gateway/store/repair.h"
#include "gateway/store/tasks.h"
#include "gateway/store/topology.h"
#include "tests/support/ballast.h"
#include "tests/support/file_size_limit.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/gateway/store/store_rig.h"

namespace ampari {
namespace {

using testing::HasSubstr;

// The store's RocksDB, opened behind its back.
class RawDatabase {
 public:
  explicit RawDatabase(const std::string& directory) {
    rocksdb::DBOptions options;
    std::vector<std::string> names;
    EXPECT_TRUE(rocksdb::DB::ListColumnFamilies(options, directory, &names).ok());
    std::vector<rocksdb::ColumnFamilyDescriptor> families;
    for (const std::string& name : names) {
      families.emplace_back(name, rocksdb::ColumnFamilyOptions());
    }
    rocksdb::DB* db = nullptr;
    rocksdb::Status opened = rocksdb::DB::Open(options, directory, families, &handles_, &db);
    EXPECT_TRUE(opened.ok()) << opened.ToString();
    db_.reset(db);
  }
  ~RawDatabase() {
    for (auto* handle : handles_) db_->DestroyColumnFamilyHandle(handle).PermitUncheckedError();
  }
  rocksdb::ColumnFamilyHandle* Queue() {
    for (auto* handle : handles_) {
      if (handle->GetName().starts_with("q.")) return handle;
    }
    return nullptr;
  }
  rocksdb::DB* operator->() { return db_.get(); }

 private:
  std::unique_ptr<rocksdb::DB> db_;
  std::vector<rocksdb::ColumnFamilyHandle*> handles_;
};

class StoreDamageTest : public testing::Test {
 protected:
  void SetUp() override { Open(); }
  void Open() {
    rig_.Open();
    rig_.Apply({"region"});
  }
  Ledger Now() { return rig_.LedgerOf(rig_.Id()); }
  std::string Database() const { return rig_.directory() + "/db"; }
  // Flips one bit in the middle of the largest log, or of the largest file of another kind.
  void FlipBitInLog() { FlipBitIn(".log"); }
  void FlipBitIn(const std::string& extension) {
    std::filesystem::path largest;
    for (const auto& entry : std::filesystem::directory_iterator(Database())) {
      if (entry.path().extension() != extension) continue;
      if (largest.empty() || entry.file_size() > std::filesystem::file_size(largest)) {
        largest = entry.path();
      }
    }
    std::fstream file(largest, std::ios::in | std::ios::out | std::ios::binary);
    auto middle = static_cast<std::streamoff>(std::filesystem::file_size(largest) / 2);
    file.seekg(middle);
    char byte = static_cast<char>(file.get());
    file.seekp(middle);
    file.put(static_cast<char>(byte ^ 0x10));
  }
  // The store is not paused, nor about to be, as long as the disk is not full.
  void AwaitReserve() {
    rig_.WaitUntil([&] {
      return BallastHeld(rig_.directory(), rig_.options().max_bytes) &&
             !rig_.store().status().paused;
    });
  }
  // The state of the disk as a kill would leave it: a copy of the running store's files.
  void Kill() {
    std::string copy = rig_.directory() + "-copy";
    std::filesystem::copy(rig_.directory(), copy, std::filesystem::copy_options::recursive);
    rig_.Close();
    std::filesystem::remove_all(rig_.directory());
    std::filesystem::rename(copy, rig_.directory());
  }
  StoreRig rig_;
};

TEST_F(StoreDamageTest, AFrameDeletedBehindTheGatewaysBackIsLostOfExactlyItsSize) {
  StoreRig::Stream stream = rig_.Connect(HelloOf("node", 'a'));
  rig_.Send(stream, 1, 4, 10);
  rig_.Send(stream, 5, 5, 13);
  rig_.Send(stream, 6, 9, 10);
  rig_.Close();
  {
    RawDatabase raw(Database());
    ASSERT_TRUE(raw->Delete(rocksdb::WriteOptions(), raw.Queue(), SequenceKey(5)).ok());
  }
  for (int start = 0; start < 2; ++start) {
    Open();
    EXPECT_EQ(Now().lost, 13u) << "counted once";
    EXPECT_EQ(Now().pending, 80u);
    EXPECT_TRUE(Holds(Now()));
    std::vector<VerifyProblem> problems = rig_.store().Verify();
    ASSERT_EQ(problems.size(), 1u);
    EXPECT_THAT(problems[0].what, HasSubstr("t/metrics: frames 5 to 5 (1 frames, 13 items)"));
    if (start > 0) continue;
    EXPECT_THAT(rig_.store().status().alarms, testing::Contains(HasSubstr("5 to 5")));
    rig_.Close();
  }
  rig_.SettleAll(rig_.Id());
  EXPECT_EQ(Now().pending, 0u);
  EXPECT_EQ(Now().delivered, 80u);
  EXPECT_TRUE(Holds(Now()));
}

TEST_F(StoreDamageTest, AFlippedBitInTheMiddleOfTheLogIsCountedAndNamed) {
  StoreRig::Stream stream = rig_.Connect(HelloOf("node", 'a'));
  for (uint64_t sequence = 1; sequence <= 60; ++sequence) {
    rig_.Send(stream, sequence, sequence, 10, 20'000);
  }
  Kill();
  FlipBitInLog();
  Open();
  Ledger ledger = Now();
  EXPECT_EQ(ledger.accepted, 600u);
  EXPECT_GE(ledger.lost, 10u);
  EXPECT_LE(ledger.lost, 40u) << "the records of one block of the log at most";
  EXPECT_EQ(ledger.lost + ledger.pending, 600u);
  EXPECT_EQ(rig_.ReadAll(rig_.Id()).size(), ledger.pending / 10);
  EXPECT_TRUE(Holds(ledger));
  EXPECT_FALSE(rig_.store().Verify().empty());
  EXPECT_TRUE(std::filesystem::exists(rig_.directory() + "/wal-damaged"));
  HelloRequest hello = HelloOf("node", 'a');
  hello.store_id = stream.welcome.store_id;
  hello.acknowledged = 60;
  EXPECT_EQ(rig_.Connect(hello).welcome.mark, 60u);
}

TEST_F(StoreDamageTest, ACutTailIsARollBackThatTheNextHelloFinds) {
  StoreRig::Stream stream = rig_.Connect(HelloOf("node", 'a'));
  for (uint64_t sequence = 1; sequence <= 9; ++sequence) {
    rig_.Send(stream, sequence, sequence, 10, 20'000);
  }
  Kill();
  for (const auto& entry : std::filesystem::directory_iterator(Database())) {
    if (entry.path().extension() != ".log" || entry.file_size() < 40'000) continue;
    std::filesystem::resize_file(entry.path(), entry.file_size() - 10'000);
  }
  Open();
  HelloRequest hello = HelloOf("node", 'a');
  hello.store_id = stream.welcome.store_id;
  hello.acknowledged = 9;
  hello.first_sequence = 2;
  hello.last_sequence = 9;
  StoreRig::Stream again = rig_.Connect(hello);
  EXPECT_EQ(again.welcome.found, HelloFound::kRolledBack);
  EXPECT_LT(again.welcome.mark, 9u);
  EXPECT_EQ(rig_.store().status().rollbacks_total, 1u);
  rig_.Send(again, again.welcome.mark + 1, 10, 10);
  EXPECT_EQ(rig_.ReadAll(rig_.Id()).size(), 10u);
  EXPECT_EQ(Now().accepted, 100u);
  EXPECT_TRUE(rig_.store().Verify().empty());
}

TEST_F(StoreDamageTest, TrimmedKeysThatComeBackAreIgnored) {
  StoreRig::Stream stream = rig_.Connect(HelloOf("node", 'a'));
  rig_.Send(stream, 1, 50, 10);
  rig_.SettleAll(rig_.Id());
  rig_.clock().Advance(absl::Seconds(61));
  rig_.Send(stream, 51, 60, 1);
  rig_.WaitUntil([&] { return rig_.ReadAll(rig_.Id()).size() == 10; });
  rig_.Close();
  {
    RawDatabase raw(Database());
    for (uint64_t sequence = 1; sequence <= 50; ++sequence) {
      ASSERT_TRUE(
          raw->Put(rocksdb::WriteOptions(), raw.Queue(), SequenceKey(sequence), "came back").ok());
    }
  }
  Open();
  std::vector<RecordPtr> records = rig_.ReadAll(rig_.Id());
  ASSERT_EQ(records.size(), 10u);
  EXPECT_EQ(records.front()->sequence, 51u);
  EXPECT_EQ(Now().pending, 10u);
  EXPECT_EQ(Now().lost, 0u);
  EXPECT_TRUE(rig_.store().Verify().empty());
}

TEST_F(StoreDamageTest, DroppingWholeFilesBringsNothingBack) {
  StoreRig::Stream stream = rig_.Connect(HelloOf("node", 'a'));
  uint64_t sequence = 0;
  for (int round = 0; round < 4; ++round) {
    rig_.Send(stream, sequence + 1, sequence + 20, 10, 100'000);
    sequence += 20;
    rig_.SettleBelow(rig_.Id(), sequence - 4);
    rig_.clock().Advance(absl::Seconds(61));
    rig_.Close();  // flushes at the next start: one file a round
    Open();
    HelloRequest hello = HelloOf("node", 'a');
    hello.store_id = stream.welcome.store_id;
    hello.acknowledged = sequence;
    stream = rig_.Connect(hello);
    EXPECT_EQ(rig_.ReadAll(rig_.Id()).back()->sequence, sequence);
    EXPECT_EQ(Now().pending, 50u);
    EXPECT_TRUE(rig_.store().Verify().empty());
  }
}

TEST_F(StoreDamageTest, AFullDiskReopensTheStoreInPlace) {
  StoreRig::Stream stream = rig_.Connect(HelloOf("node", 'a'));
  rig_.Send(stream, 1, 5, 10);
  AwaitReserve();
  {
    FileSizeLimit limit(64 << 10);
    rig_.store().SubmitFrame(stream.id, FrameOf(6, 10, 1 << 20));
    EXPECT_THAT(stream.sink->WaitClosed(), StatusIs(absl::StatusCode::kUnavailable));
  }
  rig_.WaitUntil([&] { return rig_.store().status().reopened_total == 1; });
  AwaitReserve();
  HelloRequest hello = HelloOf("node", 'a');
  hello.store_id = stream.welcome.store_id;
  hello.acknowledged = 5;
  StoreRig::Stream again = rig_.Connect(hello);
  EXPECT_EQ(again.welcome.mark, 5u);
  rig_.Send(again, 6, 7, 10);
  rig_.SettleAll(rig_.Id());
  EXPECT_EQ(Now().delivered, 70u);
  EXPECT_TRUE(Holds(Now()));
}

std::vector<std::string> DestinationsOf(const Store& store) {
  std::vector<std::string> names;
  for (const DestinationStatus& destination : store.status().destinations) {
    names.push_back(destination.id.tenant + "/" + destination.id.name);
  }
  return names;
}

TEST_F(StoreDamageTest, ATopologyThatCannotBeAppliedWhollyIsNotAppliedInPart) {
  StoreRig::Stream stream = rig_.Connect(HelloOf("node", 'a'));
  rig_.Send(stream, 1, 5, 10, 10'000);
  rig_.Close();
  Open();  // the frames are in a table now
  FlipBitIn(".sst");
  const QueueTopology other{"other", Signal::kMetrics, 0, {{"region"}}};
  const QueueTopology oldest{"t", Signal::kMetrics, 7, {{"end"}, {"oldest", true}}};
  EXPECT_THAT(rig_.store().Apply({other, oldest}), StatusIs(absl::StatusCode::kDataLoss));
  for (int start = 0; start < 2; ++start) {
    EXPECT_THAT(DestinationsOf(rig_.store()), testing::ElementsAre("t/region"));
    EXPECT_FALSE(rig_.store().status().destinations[0].removed);
    rig_.Close();
    rig_.Open();
  }
  ASSERT_THAT(rig_.store().Apply({other}), IsOk()) << "what is left of the first try is no bar";
}

TEST_F(StoreDamageTest, ANewTenantOnAFullDiskIsRefusedAndTheOthersGoOn) {
  StoreRig::Stream stream = rig_.Connect(HelloOf("node", 'a'));
  rig_.Send(stream, 1, 5, 10);
  const QueueTopology other{"other", Signal::kMetrics, 0, {{"region"}}};
  absl::Status applied;
  AwaitReserve();
  {
    auto full = std::make_unique<FileSizeLimit>(1);
    std::thread apply([&] { applied = rig_.store().Apply({other}); });
    rig_.WaitUntil([&] { return rig_.store().status().destinations.empty(); });
    full.reset();  // the store tries to open again until then
    apply.join();
  }
  AwaitReserve();
  EXPECT_FALSE(applied.ok());
  EXPECT_THAT(DestinationsOf(rig_.store()), testing::ElementsAre("t/region"));
  EXPECT_FALSE(rig_.store().status().destinations[0].removed);
  HelloRequest hello = HelloOf("node", 'a');
  hello.store_id = stream.welcome.store_id;
  hello.acknowledged = 5;
  StoreRig::Stream again = rig_.Connect(hello);
  rig_.Send(again, 6, 7, 10);
  EXPECT_EQ(Now().accepted, 70u);
  EXPECT_THAT(rig_.store().Apply({other}), IsOk());
}

// Writes one batch whose sync fails.
void CommitWithFailingSync(const StoreOptions& options) {
  Vault vault(options, SystemClock());
  auto recovered = RecoverStore(options, options.max_bytes, {}, *vault.env);
  if (!recovered.ok()) std::_Exit(1);
  vault.persisted = std::make_unique<PersistedClock>(SystemClock());
  vault.SetDatabase(std::move(recovered->database));
  {
    MutexLock lock(vault.mu);
    vault.state = std::move(recovered->state);
  }
  vault.syncs.fail_next = 1;
  Inbox inbox;
  Committer committer(vault, inbox);
  committer.Start();
  absl::Status applied = RunInBatch(inbox, [](Commit& commit) {
    return ApplyTopology(commit, {{"t", {}, 0, {}}});
  });
  std::_Exit(applied.ok() ? 2 : 3);
}

TEST_F(StoreDamageTest, AfterAFailedSyncTheProcessEnds) {
  rig_.Close();
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(CommitWithFailingSync(rig_.options()), testing::ExitedWithCode(kExitSyncFailed),
              "a sync failed");
}

TEST_F(StoreDamageTest, RepairKeepsACopyAndTheQueue) {
  StoreRig::Stream stream = rig_.Connect(HelloOf("node", 'a'));
  rig_.Send(stream, 1, 20, 10);
  rig_.SettleBelow(rig_.Id(), 6);
  EXPECT_THAT(RepairStore(rig_.options()), StatusIs(absl::StatusCode::kFailedPrecondition));
  rig_.Close();
  Open();
  rig_.Close();
  for (const auto& entry : std::filesystem::directory_iterator(Database())) {
    if (entry.path().filename().string().starts_with("MANIFEST")) {
      std::filesystem::resize_file(entry.path(), entry.file_size() / 2);
    }
  }
  auto refused = Store::Open(rig_.options(), rig_.clock());
  EXPECT_THAT(refused, StatusIs(absl::StatusCode::kDataLoss, HasSubstr("queue repair")));
  absl::StatusOr<std::vector<std::string>> words = RepairStore(rig_.options());
  ASSERT_THAT(words, IsOk());
  EXPECT_THAT(*words, testing::Contains(HasSubstr("db-before-repair")));
  EXPECT_TRUE(std::filesystem::exists(rig_.directory() + "/db-before-repair/CURRENT"));
  Open();
  EXPECT_EQ(Now().pending, 150u);
  EXPECT_TRUE(rig_.store().Verify().empty());
}

TEST_F(StoreDamageTest, AStoppedStoreCanBeInspected) {
  StoreRig::Stream stream = rig_.Connect(HelloOf("node", 'a'));
  rig_.Send(stream, 1, 20, 10);
  EXPECT_THAT(InspectStore(rig_.options()), StatusIs(absl::StatusCode::kFailedPrecondition));
  rig_.Close();
  absl::StatusOr<StoreStatus> status = InspectStore(rig_.options());
  ASSERT_THAT(status, IsOk());
  ASSERT_EQ(status->destinations.size(), 1u);
  EXPECT_EQ(status->destinations[0].ledger.pending, 200u);
}

}  // namespace
}  // namespace ampari
