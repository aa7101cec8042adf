// Files of a tree are found, followed and shipped, each line once, from where the gateway says.
#include "forwarder/tail/tail_engine.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "absl/strings/str_cat.h"
#include "tests/unit/forwarder/tail/tail_bed.h"

namespace ampari {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

constexpr absl::Duration kSecond = absl::Seconds(1);
constexpr char kPod[] = "shop_cart-1_1111";

TEST(TailEngine, ReadsWhatIsThereAndWhatIsAppended) {
  TailBed bed;
  const std::string log = bed.Container(kPod, "istio-proxy") + "/0.log";
  AppendFile(log, bed.Cri("one") + bed.Cri("two", "stderr"));
  bed.Start("*/istio-proxy/*.log");
  bed.Run(2 * kSecond);
  EXPECT_THAT(bed.texts(), ElementsAre("one", "two"));
  EXPECT_EQ(bed.gateway.lines[0].labels,
            Labels({{"job", "test"}, {"log_type", "other"}, {"stream", "stdout"}}));
  AppendFile(log, bed.Cri("three"));
  bed.Run(3 * kSecond);
  EXPECT_THAT(bed.texts(), ElementsAre("one", "two", "three"));
  ASSERT_THAT(bed.gateway.positions, SizeIs(1));
  const uint64_t size = std::filesystem::file_size(log);
  EXPECT_EQ(bed.gateway.positions.begin()->second, (LogPosition{size, size}));
  EXPECT_THAT(bed.gateway.names.begin()->second, log);
}

TEST(TailEngine, AFileThatGrowsAllTheTimeIsShippedInEachInterval) {
  TailBed bed;
  const std::string log = bed.Container(kPod, "app") + "/0.log";
  AppendFile(log, bed.Cri("first"));
  bed.Start("*/app/*.log");
  bed.Run(3 * kSecond);
  size_t shipped = bed.texts().size();
  int frames = 0;
  for (int i = 0; i < 300; ++i) {  // 9 s
    AppendFile(log, bed.Cri(absl::StrCat(i)));
    bed.Run(absl::Milliseconds(30));
    frames += bed.texts().size() > shipped ? 1 : 0;
    shipped = bed.texts().size();
  }
  EXPECT_GE(frames, 7) << "the first poll may be a second away; then one flush follows the other";
}

TEST(TailEngine, ANewForwarderGoesOnWhereTheGatewayIs) {
  TailBed bed;
  const std::string log = bed.Container(kPod, "istio-proxy") + "/0.log";
  AppendFile(log, bed.Cri("one"));
  bed.Start("*/istio-proxy/*.log");
  bed.Run(2 * kSecond);
  bed.Kill();
  AppendFile(log, bed.Cri("two"));
  bed.Start("*/istio-proxy/*.log");
  bed.Run(2 * kSecond);
  EXPECT_THAT(bed.texts(), ElementsAre("one", "two"));
}

TEST(TailEngine, NothingIsReadBeforeDirections) {
  TailBed bed;
  AppendFile(bed.Container(kPod, "app") + "/0.log", bed.Cri("one"));
  bed.Start("*/app/*.log");
  (void)bed.gateway.TakeDirections();
  bed.Run(2 * kSecond);
  EXPECT_THAT(bed.texts(), IsEmpty());
  bed.gateway.Connect(bed.producer_age);
  bed.Run(2 * kSecond);
  EXPECT_THAT(bed.texts(), ElementsAre("one"));
}

TEST(TailEngine, ASupersededOneReadsNothingAndGoesOnWhenToldTo) {
  TailBed bed;
  const std::string log = bed.Container(kPod, "app") + "/0.log";
  bed.Start("*/app/*.log");
  AppendFile(log, bed.Cri("one"));
  bed.Step();  // collected
  bed.superseded = true;
  AppendFile(log, bed.Cri("two"));
  bed.Run(3 * kSecond);
  EXPECT_THAT(bed.texts(), IsEmpty());
  bed.superseded = false;
  bed.gateway.Connect(bed.producer_age);
  bed.Run(3 * kSecond);
  EXPECT_THAT(bed.texts(), ElementsAre("one", "two"));
}

TEST(TailEngine, ASupersededOneTakesWhatTheKernelTells) {
  TailBed bed;
  const std::string directory = bed.Container(kPod, "app");
  bed.Start("*/app/*.log");
  bed.Run(kSecond);
  bed.superseded = true;
  bed.Step();
  AppendFile(directory + "/0.log", bed.Cri("one"));
  bed.Step();
  bool all = false;
  EXPECT_THAT(bed.engine().watch().TakeChanged(&all), IsEmpty()) << "a wait would end at once";
}

TEST(TailEngine, AFileThatWasDoneAndNotPushedIsReadAgainAtOnce) {
  TailBed bed;
  const std::string log = bed.Container(kPod, "app") + "/0.log";
  AppendFile(log + ".20240501-000001", bed.Cri("one"));
  AppendFile(log + ".20240501-000002", bed.Cri("two"));
  AppendFile(log, bed.Cri("three"));
  bed.Start("*/app/*.log");
  bed.Step();  // the first is done
  bed.gateway.Connect(bed.producer_age);
  bed.Run(5 * kSecond);
  EXPECT_THAT(bed.texts(), ElementsAre("one", "two", "three"));
}

TEST(TailEngine, AFrameThatIsRefusedIsReadAgainFromWhereTheGatewayIs) {
  TailBed bed;
  const std::string log = bed.Container(kPod, "app") + "/0.log";
  bed.Start("*/app/*.log");
  AppendFile(log, bed.Cri("one"));
  bed.Run(2 * kSecond);
  const std::string two = bed.Cri("two");
  AppendFile(log, two + bed.Cri("three"));
  // Another forwarder of the node shipped the second line.
  auto& [key, position] = *bed.gateway.positions.begin();
  position.out += two.size();
  position.err += two.size();
  bed.Run(5 * kSecond);
  EXPECT_THAT(bed.texts(), ElementsAre("one", "three"));
  EXPECT_EQ(bed.gateway.refusals, 1);
  EXPECT_EQ(bed.status().rereads_total, 1);
}

TEST(TailEngine, AGatewayThatForgotTheFileIsToldItAsFirstFromWhereItIs) {
  TailBed bed;
  const std::string log = bed.Container(kPod, "app") + "/0.log";
  bed.Start("*/app/*.log");
  AppendFile(log, bed.Cri("one"));
  bed.Run(2 * kSecond);
  bed.gateway.positions.clear();
  bed.gateway.Connect(bed.producer_age);
  AppendFile(log, bed.Cri("two"));
  bed.Run(2 * kSecond);
  EXPECT_THAT(bed.texts(), ElementsAre("one", "two"));
  EXPECT_THAT(bed.gateway.positions, SizeIs(1));
}

TEST(TailEngine, PositionsThatNoFileHasAreRetiredAfterADay) {
  TailBed bed;
  AppendFile(bed.Container(kPod, "app") + "/0.log", bed.Cri("one"));
  const std::string orphan(kLogFileKeyBytes, 'o');
  bed.gateway.positions[orphan] = {5, 5};
  bed.Start("*/app/*.log");
  bed.Run(2 * kSecond);
  bed.clock.Advance(absl::Hours(23));
  bed.Run(kSecond);
  EXPECT_THAT(bed.gateway.retired, IsEmpty());
  bed.clock.Advance(absl::Hours(1));
  bed.Run(kSecond);
  EXPECT_THAT(bed.gateway.retired, ElementsAre(orphan));
}

TEST(TailEngine, StartAtTheEndIsForWhatWasThereBefore) {
  TailBed bed;
  bed.producer_age = absl::ZeroDuration();
  const std::string log = bed.Container(kPod, "app") + "/0.log";
  AppendFile(log, bed.Cri("before") + "unfinis");
  bed.clock.Advance(kSecond);
  bed.Start("*/app/*.log", LogStart::kEnd);
  bed.Run(kSecond);
  AppendFile(log, "hed\n");
  AppendFile(bed.Container("shop_new_2", "app") + "/0.log", bed.Cri("new"));
  bed.Run(2 * kSecond);
  EXPECT_THAT(bed.texts(), testing::UnorderedElementsAre("unfinished", "new"));
  EXPECT_EQ(bed.status().skipped_bytes_total, bed.Cri("before").size());
}

TEST(TailEngine, RoomIsUsedAsSoonAsItIsThere) {
  TailBed bed;
  const std::string log = bed.Container(kPod, "app") + "/0.log";
  bed.Start("*/app/*.log");
  bed.gateway.room = false;
  AppendFile(log, bed.Cri("one"));
  bed.Run(30 * kSecond);
  EXPECT_TRUE(bed.status().blocked);
  EXPECT_GT(bed.status().lag_bytes, 0);
  EXPECT_EQ(bed.status().files_behind, 1);
  bed.gateway.room = true;
  bed.Step();
  bed.Run(kSecond);
  EXPECT_THAT(bed.texts(), ElementsAre("one"));
  EXPECT_EQ(bed.status().lag_bytes, 0);
}

TEST(TailEngine, DeletedFilesAreHeldOpenUpToABound) {
  TailBed bed;
  const uint64_t large = TailEngine::kMaxHeldBytes * 2 / 3;
  bed.Start("*/app/*.log");
  bed.gateway.room = false;
  for (const char* pod : {"a_b_1", "a_b_2"}) {
    const std::string log = bed.Container(pod, "app") + "/0.log";
    AppendFile(log, bed.Cri("first"));
    std::filesystem::resize_file(log, large);  // a hole
    bed.Run(kSecond);
    std::filesystem::remove(log);
  }
  bed.Run(3 * kSecond);
  EXPECT_EQ(bed.status().files_open, 1);
  bed.gateway.room = true;
  bed.Run(kSecond);
  EXPECT_EQ(bed.status().rotated_unread_bytes_total, large);
}

TEST(TailEngine, AQuietNodeWakesSeldom) {
  TailBed bed;
  for (int i = 0; i < 50; ++i) {
    AppendFile(bed.Container(absl::StrCat("a_b_", i), "app") + "/0.log", bed.Cri("line"));
  }
  bed.Start("*/app/*.log");
  bed.Run(10 * kSecond);
  int steps = 0;
  for (absl::Duration passed; passed < 10 * kSecond; ++steps) {
    const absl::Duration wait = std::max(bed.engine().Step(), absl::Milliseconds(1));
    bed.clock.Advance(wait);
    passed += wait;
  }
  EXPECT_LE(steps, 60) << "in ten seconds";
}

}  // namespace
}  // namespace ampari
