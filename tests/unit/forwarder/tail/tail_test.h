// TailTest: a forwarder that reads the log of one container.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "absl/strings/str_cat.h"
#include "tests/unit/forwarder/tail/tail_bed.h"

namespace ampari {

inline constexpr absl::Duration kSecond = absl::Seconds(1);
inline constexpr char kPod[] = "shop_cart-1_1111";

class TailTest : public testing::Test {
 protected:
  void Begin() { bed_.Start("*/app/*.log"); }
  void Write(std::string_view text, std::string_view tag = "F") {
    AppendFile(log_, bed_.Cri(text, "stdout", tag));
  }
  std::string Rotated(int n) const { return absl::StrCat(log_, ".20240501-00000", n); }

  TailBed bed_;
  const std::string directory_ = bed_.Container(kPod, "app");
  const std::string log_ = directory_ + "/0.log";
};

}  // namespace ampari
