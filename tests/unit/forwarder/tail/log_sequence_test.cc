// Files that are rotated between the listing of their directory and their opening.
#include "forwarder/tail/log_sequence.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "absl/strings/str_cat.h"
#include "forwarder/tail/log_directory.h"
#include "forwarder/tail/tail_scope.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/forwarder/tail/tail_bed.h"

namespace ampari {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;

constexpr char kRotated[] = "0.log.20240501-100000";

class LogSequenceTest : public testing::Test {
 protected:
  std::string Path(const char* name) const { return absl::StrCat(directory_, "/", name); }
  void Write(std::string_view text) { AppendFile(Path("0.log"), bed_.Cri(text)); }
  LogListing List() const {
    const auto listing = ListLogs(
        {directory_, ""}, [](std::string_view base) { return base == "0.log"; }, LinkRoots());
    EXPECT_THAT(listing, IsOk());
    return *listing;
  }
  // True: it wants another look at once.
  bool Look(const LogListing& listing) {
    sequence_.BeginLook();
    for (const ListedLog& log : listing.logs) EXPECT_THAT(sequence_.Meet(log, limits_), IsOk());
    return sequence_.EndLook(/*directory_gone=*/false);
  }
  std::vector<std::string> Order() const {
    std::vector<std::string> names;
    for (const auto& file : sequence_.files()) names.push_back(file->where.path);
    return names;
  }

  TailBed bed_;
  const std::string directory_ = bed_.Container("shop_cart-1_1111", "app");
  const LineLimits limits_;
  TailScope scope_;
  LogSequence sequence_{directory_, &scope_};
};

TEST_F(LogSequenceTest, WhatWasCopiedAndEmptiedSinceTheListingComesFirst) {
  Write("old");
  const LogListing before = List();
  fs::copy_file(Path("0.log"), Path(kRotated));
  fs::resize_file(Path("0.log"), 0);
  Write("new");
  ASSERT_TRUE(Look(before)) << "or the new line is read first";
  EXPECT_FALSE(Look(List()));
  EXPECT_THAT(Order(), ElementsAre(kRotated, "0.log"));
}

TEST_F(LogSequenceTest, WhatWasRenamedSinceTheListingComesFirst) {
  Write("old");
  const LogListing before = List();
  fs::rename(Path("0.log"), Path(kRotated));
  Write("new");
  ASSERT_TRUE(Look(before));
  EXPECT_FALSE(Look(List()));
  EXPECT_THAT(Order(), ElementsAre(kRotated, "0.log"));
}

// It was listed when it had no line yet, and had some, copied and emptied, before its first turn.
TEST_F(LogSequenceTest, WhatAnEmptyFileHeldBeforeItsFirstTurnComesFirst) {
  AppendFile(Path("0.log"), "");
  EXPECT_FALSE(Look(List()));
  Write("old");
  fs::copy_file(Path("0.log"), Path(kRotated));
  fs::resize_file(Path("0.log"), 0);
  Write("new");
  size_t budget = 1024;
  EXPECT_EQ(sequence_.Turn(ReadingPlan(), &budget), TurnEnd::kLook);
  Look(List());
  EXPECT_THAT(Order(), ElementsAre(kRotated, "0.log"));
}

}  // namespace
}  // namespace ampari
