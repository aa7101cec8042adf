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

}  // namespace
}  // namespace ampari
