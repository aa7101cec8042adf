#include "forwarder/shipping/block_pieces.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "common/frame/registration.h"
#include "tests/unit/forwarder/shipping/session_harness.h"

namespace ampari {
namespace {

using v1::Welcome;

// Of eight series and two layouts, as one block; labels that do not compress.
RegistrationBlock EightSeries(uint64_t number) {
  RegistrationBlock block;
  block.number = number;
  block.first_series = 10;
  std::mt19937_64 random(number);
  for (int i = 0; i < 8; ++i) {
    std::string noise;
    while (noise.size() < 200) noise += static_cast<char>('a' + random() % 26);
    block.series.push_back(Labels{{"__name__", "m"}, {"noise", noise}});
  }
  block.first_layout = 5;
  block.layouts = {{0, 8, {{false, 10, 8}}}, {5, 4, {{true, 0, 4}}}};
  return block;
}

// What the messages "B<bytes>" register, put together.
RegistrationBlock Together(const std::vector<std::string>& encoded) {
  RegistrationBlock whole;
  for (const std::string& bytes : encoded) {
    auto block = DecodeRegistration(bytes);
    EXPECT_TRUE(block.ok()) << block.status();
    if (!block->series.empty()) {
      if (whole.series.empty()) whole.first_series = block->first_series;
      EXPECT_EQ(block->first_series, whole.first_series + whole.series.size());
    }
    if (!block->layouts.empty()) {
      if (whole.layouts.empty()) whole.first_layout = block->first_layout;
      EXPECT_EQ(block->first_layout, whole.first_layout + whole.layouts.size());
    }
    for (Labels& labels : block->series) whole.series.push_back(std::move(labels));
    for (Layout& layout : block->layouts) whole.layouts.push_back(std::move(layout));
  }
  return whole;
}

TEST(BlockPieces, ABlockOverTheLimitOfTheWelcomeGoesInSmallerOnes) {
  const RegistrationBlock block = EightSeries(7);
  const std::string bytes = EncodeRegistration(block);
  for (const bool told_before : {false, true}) {
    SessionHarness h;
    h.max_registration_bytes = bytes.size() / 3;
    if (told_before) h.registrations.set_max_block_bytes(h.max_registration_bytes);
    h.registrations.Add(7, bytes);
    h.Push();
    h.Connect();
    h.Welcome(Welcome::FOUND_NEW, 0);
    EXPECT_THAT(h.Sent(), testing::EndsWith(" F1"));
    EXPECT_GT(h.blocks.size(), 3u);
    for (const std::string& piece : h.blocks) EXPECT_LE(piece.size(), h.max_registration_bytes);
    RegistrationBlock sent = Together(h.blocks);
    sent.number = 7;
    EXPECT_EQ(sent, block);
    EXPECT_EQ(h.cargo.unsendable(), 0u);
    const size_t pieces = h.blocks.size();
    // All of them are sent again, retired and forgotten as one.
    h.Disconnect();
    h.blocks.clear();
    h.Connect();
    h.Welcome(Welcome::FOUND_KNOWN, 0);
    h.Sent();
    EXPECT_EQ(h.blocks.size(), pieces);
    h.registrations.Retire({7}, 1);
    EXPECT_THAT(h.Sent(), testing::StartsWith(absl::StrCat("R7", kFirstPieceNumber)));
    h.registrations.Forget(2, 2);
    EXPECT_EQ(h.registrations.blocks(), 0u);
    EXPECT_EQ(h.registrations.bytes(), 0u);
  }
}

TEST(BlockPieces, WhatCannotBeMadeSmallerIsCountedAndNotSent) {
  SessionHarness h;
  h.max_registration_bytes = 100;
  h.registrations.Add(7, EncodeRegistration(EightSeries(7)));
  h.registrations.Add(8, "small");
  h.Push();
  h.Connect();
  h.Welcome(Welcome::FOUND_NEW, 0);
  EXPECT_THAT(h.Sent(), testing::EndsWith("Bsmall F1"));
  EXPECT_EQ(h.cargo.unsendable(), 8u) << "each of the series";
}

TEST(BlockPieces, ASmallerLimitLaterSplitsThePiecesAgain) {
  const RegistrationBlock block = EightSeries(7);
  SessionHarness h;
  h.registrations.Add(7, EncodeRegistration(block));
  h.registrations.Add(8, EncodeRegistration(EightSeries(8)));
  h.registrations.Retire({8}, 5);
  size_t blocks = 2;
  for (const size_t limit : {1000, 500, 300}) {
    h.registrations.set_max_block_bytes(limit);
    EXPECT_GT(h.registrations.blocks(), blocks);
    blocks = h.registrations.blocks();
  }
  std::vector<std::string> encoded;
  uint64_t order = 0;
  while (const auto* piece = h.registrations.Next(5, &order)) encoded.push_back(*piece->bytes);
  RegistrationBlock sent = Together(encoded);
  sent.number = 7;
  EXPECT_EQ(sent, block) << "in stream order, without the retired one";
  h.registrations.Forget(6, 0);
  EXPECT_EQ(h.registrations.blocks(), encoded.size());
}

}  // namespace
}  // namespace ampari
