// A store of format version 1, as it was written once (tests/testdata/store/v1), must open for
// ever. With AMPARI_WRITE_GOLDEN set, the test writes a new one into that directory instead.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>

#include "gateway/store/ledger.h"
#include "tests/unit/gateway/store/store_rig.h"

namespace ampari {
namespace {

constexpr char kGolden[] = "tests/testdata/store/v1";

void WriteGolden(StoreRig& rig) {
  rig.Open();
  rig.Apply({"region", "second"});
  StoreRig::Stream stream = rig.Connect(HelloOf("node-1", 'a'));
  rig.Send(stream, 1, 10, 7);
  rig.store().SubmitGap(stream.id, {11, {3, 4}, "ring_full"});
  rig.Send(stream, 13, 13, 5);
  rig.SettleBelow(rig.Id(), 6);
  rig.Close();
  rig.Open();  // what the log holds goes to tables
  rig.Close();
  std::filesystem::remove_all(kGolden);
  std::filesystem::create_directories(std::string(kGolden) + "/db");
  for (const auto& entry : std::filesystem::directory_iterator(rig.directory() + "/db")) {
    std::string name = entry.path().filename().string();
    if (name.starts_with("LOG") || name.starts_with("OPTIONS") || name == "LOCK") continue;
    std::filesystem::copy(entry.path(), std::string(kGolden) + "/db/" + name);
  }
}

TEST(StoreGoldenTest, VersionOneOpens) {
  StoreRig rig;
  if (std::getenv("AMPARI_WRITE_GOLDEN") != nullptr) {
    WriteGolden(rig);
    GTEST_SKIP() << "written anew, not read, to " << kGolden;
  }
  std::filesystem::copy(kGolden, rig.directory(), std::filesystem::copy_options::recursive);
  rig.Open();
  Ledger region = rig.LedgerOf(rig.Id());
  EXPECT_EQ(region.accepted, 82u);
  EXPECT_EQ(region.delivered, 35u);
  EXPECT_EQ(region.pending, 40u);
  EXPECT_EQ(region.expired["ring_full"], 7u);
  EXPECT_EQ(rig.LedgerOf(rig.Id("second")).pending, 75u);
  std::vector<RecordPtr> records = rig.ReadAll(rig.Id("second"));
  ASSERT_EQ(records.size(), 11u);
  EXPECT_EQ(records.back()->header.frame_sequence, 13u);
  EXPECT_EQ(records.back()->header.cumulative_items, 75u);
  EXPECT_EQ(records.back()->frame, std::string(100, 'n'));
  ASSERT_EQ(rig.store().status().instances.size(), 1u);
  EXPECT_EQ(rig.store().status().instances[0].mark, 13u);
  EXPECT_TRUE(rig.store().Verify().empty());
}

}  // namespace
}  // namespace ampari
