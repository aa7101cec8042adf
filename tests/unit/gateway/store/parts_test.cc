// The store's pure parts: records, keys, the ledger's arithmetic, clocks, registrations, the cache,
// shares and the reserve.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "gateway/store/disk_reserve.h"
#include "gateway/store/expiry.h"
#include "gateway/store/keys.h"
#include "gateway/store/ledger.h"
#include "gateway/store/live_cache.h"
#include "gateway/store/persisted_clock.h"
#include "gateway/store/record.h"
#include "gateway/store/registrations.h"
#include "tests/support/fake_clock.h"

namespace ampari {
namespace {

using testing::ElementsAre;

RecordHeader SomeHeader() {
  RecordHeader header;
  header.instance = 7;
  header.lane = 63;
  header.frame_sequence = 11;
  header.items = 13;
  header.cumulative_items = 17;
  header.intake_ms = 1'700'000'000'000;
  header.origin_ms = 1'699'999'999'000;
  header.cumulative_bytes = 19;
  header.lane_items = 23;
  header.lane_frames = 29;
  header.lane_bytes = 31;
  return header;
}

TEST(RecordTest, RoundTrips) {
  std::string value = EncodeRecordHeader(SomeHeader(), 5, 3) + "abc";
  absl::StatusOr<RecordPtr> record = DecodeRecord(value, 5);
  ASSERT_TRUE(record.ok()) << record.status();
  EXPECT_EQ((*record)->frame, "abc");
  EXPECT_EQ((*record)->header.lane, 63);
  EXPECT_EQ((*record)->header.origin_ms, 1'699'999'999'000);
  EXPECT_EQ((*record)->header.lane_bytes, 31u);
}

TEST(RecordTest, EveryFlippedBitOfTheHeadAndAWrongKeyAreRefused) {
  std::string value = EncodeRecordHeader(SomeHeader(), 5, 3) + "abc";
  for (size_t bit = 0; bit < kRecordHeaderBytes * 8; ++bit) {
    std::string bad = value;
    bad[bit / 8] = static_cast<char>(bad[bit / 8] ^ (1 << (bit % 8)));
    EXPECT_FALSE(DecodeRecordHeader(bad, 5).ok()) << bit;
  }
  EXPECT_FALSE(DecodeRecordHeader(value, 6).ok());
  for (size_t cut = 0; cut < value.size(); ++cut) {
    EXPECT_FALSE(DecodeRecordHeader(value.substr(0, cut), 5).ok()) << cut;
  }
}

TEST(RecordTest, LanesAreFixedByTheFormat) {
  struct Row {
    const char *entry, *name;
    uint8_t lane;
  };
  for (const Row& row : {Row{"default", "node-1", 22}, Row{"default", "node-2", 23},
                         Row{"cluster-a", "node-1", 45}, Row{"", "", 27}}) {
    EXPECT_EQ(LaneOf(row.entry, row.name), row.lane) << row.entry << " " << row.name;
  }
}

TEST(KeysTest, SortAsNumbersDo) {
  EXPECT_LT(SequenceKey(255), SequenceKey(256));
  EXPECT_EQ(ParseSequenceKey(SequenceKey(1ull << 40)), 1ull << 40);
  auto parts = ParseMetaKey(MetaKey(MetaKind::kRetired, 9, uint64_t{1} << 33));
  ASSERT_TRUE(parts.has_value());
  EXPECT_EQ(parts->number, 9u);
  EXPECT_EQ(parts->second, uint64_t{1} << 33);
  EXPECT_EQ(PrefixEnd("ab"), "ac");
  EXPECT_EQ(PrefixEnd(std::string("a\xff")), "b");
  EXPECT_FALSE(ParseMetaKey("abc").has_value());
}

TEST(LedgerTest, HoldsThroughEveryChange) {
  Ledger ledger;
  AddAccepted(ledger, {100, 4, 4000});
  EXPECT_TRUE(Holds(ledger));
  AddGap(ledger, 9, "ring_full");
  Settlement settlement;
  settlement.delivered = 20;
  settlement.dropped = 3;
  settlement.uncertain = 2;
  settlement.rejected = {{"too_late", 4}};
  settlement.expired = {{"sample_age_limit", 1}};
  settlement.aside.push_back({3, AsideReason::kParked, 10, "refused for an hour"});
  EXPECT_EQ(SettledItems(settlement), 40u);
  AddSettled(ledger, {40, 2, 2000}, settlement);
  EXPECT_TRUE(Holds(ledger));
  EXPECT_EQ(ledger.pending, 70u) << "what is set aside stays pending";
  EXPECT_EQ(ledger.aside["parked"], 10u);
  AddExpired(ledger, {25, 1, 1000}, "budget");
  AddLost(ledger, {35, 1, 1000});
  EXPECT_TRUE(Holds(ledger));
  AddAsideExpired(ledger, AsideReason::kParked, 10, "age");
  EXPECT_TRUE(Holds(ledger));
  EXPECT_EQ(ledger.pending, 0u);
  EXPECT_EQ(ledger.lost, 35u);
  absl::StatusOr<Ledger> again = DecodeLedger(EncodeLedger(ledger));
  ASSERT_TRUE(again.ok());
  EXPECT_EQ(again->expired, ledger.expired);
  EXPECT_EQ(again->accepted, 109u);
  EXPECT_TRUE(Holds(*again));
}

TEST(PersistedClockTest, AcrossAStopItMovesByTheWallClockBetweenZeroAndADay) {
  const int64_t wall = 1'700'000'000'000, hour = 3600 * 1000;
  struct Row {
    int64_t wall_moved_ms, expected_ms;
  };
  for (const Row& row : {Row{0, 0}, Row{hour, hour}, Row{-hour, 0}, Row{24 * hour, 24 * hour},
                         Row{25 * hour, 24 * hour}}) {
    FakeClock clock(absl::FromUnixMillis(wall + row.wall_moved_ms));
    PersistedClock persisted(clock, 5'000, wall);
    EXPECT_EQ(persisted.NowMs(), 5'000 + row.expected_ms);
    clock.SetNow(absl::FromUnixMillis(wall + 100 * hour));
    EXPECT_EQ(persisted.NowMs(), 5'000 + row.expected_ms) << "the wall clock is not asked again";
    clock.Advance(absl::Milliseconds(7));
    EXPECT_EQ(persisted.NowMs(), 5'007 + row.expected_ms);
  }
}

TEST(RegistrationsTest, FindsBlocksAndRemovesThemAtTheirRetirePoint) {
  Registrations registrations;
  EXPECT_TRUE(registrations.Add(1, {1, 1, 100, 1, 2, 0}));
  EXPECT_TRUE(registrations.Add(1, {3, 101, 10, 3, 1, 0}));
  EXPECT_FALSE(registrations.Add(1, {3, 101, 10, 3, 1, 0}));
  EXPECT_EQ(registrations.BlockOfSeries(1, 100), 1u);
  EXPECT_EQ(registrations.BlockOfSeries(1, 101), 3u);
  EXPECT_EQ(registrations.BlockOfSeries(1, 111), std::nullopt);
  EXPECT_EQ(registrations.BlockOfLayout(1, 2), 1u);
  EXPECT_EQ(registrations.BlockOfLayout(1, 0), std::nullopt);
  EXPECT_EQ(registrations.BlockOfLayout(2, 1), std::nullopt);
  EXPECT_TRUE(registrations.Retire(1, 1, 50));
  EXPECT_FALSE(registrations.Retire(1, 9, 50));
  EXPECT_THAT(registrations.TakeRetired(1, 49), ElementsAre());
  EXPECT_EQ(registrations.BlockOfSeries(1, 1), 1u);
  EXPECT_THAT(registrations.TakeRetired(1, 50), ElementsAre(1u));
  EXPECT_EQ(registrations.BlockOfSeries(1, 1), std::nullopt);
}

TEST(LiveCacheTest, IsBoundedOverAllQueuesAndKeepsTheNewest) {
  LiveCache cache(20'000);
  for (uint64_t sequence = 1; sequence <= 40; ++sequence) {
    for (Generation queue : {1u, 2u}) {
      auto record = std::make_shared<Record>();
      record->sequence = sequence;
      record->frame.assign(1000, 'x');
      cache.Add(queue, record);
    }
  }
  EXPECT_LE(cache.bytes(), 20'000u);
  EXPECT_EQ(cache.Find(1, 1), nullptr);
  ASSERT_NE(cache.Find(2, 40), nullptr);
  EXPECT_EQ(cache.Range(1, 38, 41, 1 << 20).size(), 3u);
  EXPECT_EQ(cache.Range(1, 38, 40, 1 << 20).size(), 2u);
  EXPECT_EQ(cache.Range(1, 38, 41, 1).size(), 1u);
  EXPECT_TRUE(cache.Range(1, 1, 41, 1 << 20).empty());
}

TEST(ExpiryNeedsTest, BudgetsFirstThenWhoeverIsFurthestOverItsShare) {
  struct Row {
    const char* name;
    std::vector<TenantUse> uses;
    uint64_t limit;
    std::vector<std::string> needs;
  };
  const Row rows[] = {
      {"all is well", {{"a", 100, 90}, {"b", 0, 50}}, 1000, {}},
      {"over a budget", {{"a", 100, 130}, {"b", 0, 50}}, 1000, {"a 30 budget"}},
      {"over the disk", {{"a", 0, 500}, {"b", 0, 700}}, 1000, {"b 200 disk"}},
      {"a small budget is over its share", {{"a", 100, 99}, {"b", 0, 950}}, 1000, {"b 49 disk"}},
      {"budgets together exceed the disk",
       {{"a", 900, 800}, {"b", 100, 400}},
       1000,
       {"b 300 budget"}},
      {"both", {{"a", 1000, 700}, {"b", 500, 600}}, 1000, {"b 100 budget", "b 200 disk"}},
  };
  for (const Row& row : rows) {
    std::vector<std::string> needs;
    for (const ExpiryNeed& need : ExpiryNeeds(row.uses, row.limit)) {
      needs.push_back(need.tenant + " " + std::to_string(need.bytes) + " " + need.reason);
    }
    EXPECT_EQ(needs, row.needs) << row.name;
  }
}

TEST(ReserveTest, IsReachedAndLeftWithADistanceBetween) {
  constexpr uint64_t kMiB = uint64_t{1} << 20;
  constexpr uint64_t kMax = 1024 * kMiB;  // reserve: 128 + 64
  EXPECT_EQ(ReserveBytes(kMax), 192 * kMiB);
  EXPECT_EQ(ReserveBytes(uint64_t{50} << 30), 320 * kMiB);
  struct Row {
    ReserveState before;
    uint64_t used_mib, free_mib;
    ReserveState after;
  };
  using enum ReserveState;
  for (const Row& row :
       {Row{kHeld, 800, 100, kHeld}, Row{kHeld, 833, 100, kReached}, Row{kHeld, 100, 15, kReached},
        Row{kReached, 820, 900, kReached}, Row{kReached, 700, 900, kHeld},
        Row{kReached, 100, 200, kReached}, Row{kReached, 100, 224, kHeld}}) {
    EXPECT_EQ(JudgeReserve(row.before, {row.used_mib * kMiB, row.free_mib * kMiB}, kMax), row.after)
        << row.used_mib << " " << row.free_mib;
  }
}

}  // namespace
}  // namespace ampari
