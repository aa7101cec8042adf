// Frames: what is encoded decodes to the same, and nothing else decodes at all.
#include "common/frame/frame.h"

#include <gtest/gtest.h>

#include "common/frame/checksum.h"
#include "common/frame/compression.h"
#include "tests/unit/common/frame/frame_samples.h"

namespace ampari {
namespace {

constexpr size_t kMaxRaw = size_t{16} << 20;

TEST(Frame, RandomScrapesComeBackBitForBit) {
  Random random(20240501);
  FrameDecoder decoder;
  const FixedLayouts layouts = TestLayouts();
  for (int round = 0; round < 300; ++round) {
    std::vector<Scrape> scrapes(random() % 8);
    uint64_t samples = 0;
    size_t bound = 0;
    FrameBuilder builder;
    for (Scrape& scrape : scrapes) {
      scrape = RandomScrape(random);
      builder.Add(scrape, SamplesOf(scrape));
      samples += SamplesOf(scrape);
      bound += EncodedScrapeBound(scrape);
    }
    EXPECT_LE(builder.raw_bytes(), bound);
    EXPECT_EQ(builder.samples(), samples);
    const std::string frame = builder.Finish(round + 1);
    EXPECT_TRUE(builder.empty());
    const auto header = ParseFrameHeader(frame);
    ASSERT_TRUE(header.ok()) << header.status();
    EXPECT_EQ(header->sequence, static_cast<uint64_t>(round + 1));
    EXPECT_EQ(header->items, samples);
    EXPECT_EQ(header->scrapes, scrapes.size());
    const auto decoded = decoder.Decode(frame, layouts, kMaxRaw);
    ASSERT_TRUE(decoded.ok()) << decoded.status();
    EXPECT_EQ(*decoded, scrapes);
  }
}

TEST(Frame, ChecksumIsTheSameHoweverTheFrameIsCut) {
  Random random(1);
  const std::string frame = EncodeFrame({RandomScrape(random)});
  const auto header = ParseFrameHeader(frame);
  ASSERT_TRUE(header.ok());
  const std::string_view whole = frame;
  for (size_t cut = 0; cut <= whole.size(); ++cut) {
    EXPECT_TRUE(VerifyFrame(*header, {whole.substr(0, cut), whole.substr(cut)}).ok()) << cut;
  }
  std::vector<std::string_view> bytes;
  for (size_t i = 0; i < whole.size(); ++i) bytes.push_back(whole.substr(i, 1));
  EXPECT_TRUE(VerifyFrame(*header, bytes).ok());
}

TEST(Frame, EveryTruncationIsRefused) {
  Random random(2);
  FrameDecoder decoder;
  const FixedLayouts layouts = TestLayouts();
  const std::string frame = EncodeFrame({RandomScrape(random), RandomScrape(random)});
  for (size_t size = 0; size < frame.size(); ++size) {
    EXPECT_TRUE(absl::IsDataLoss(decoder.Decode(frame.substr(0, size), layouts, kMaxRaw).status()))
        << size;
  }
  EXPECT_TRUE(absl::IsDataLoss(decoder.Decode(frame + "x", layouts, kMaxRaw).status()));
}

TEST(Frame, EveryFlippedBitIsRefused) {
  Random random(3);
  FrameDecoder decoder;
  const FixedLayouts layouts = TestLayouts();
  std::string frame = EncodeFrame({RandomScrape(random), RandomScrape(random)});
  for (size_t i = 0; i < frame.size(); ++i) {
    for (int bit = 0; bit < 8; ++bit) {
      frame[i] = static_cast<char>(frame[i] ^ (1 << bit));
      EXPECT_FALSE(decoder.Decode(frame, layouts, kMaxRaw).ok()) << i << "." << bit;
      frame[i] = static_cast<char>(frame[i] ^ (1 << bit));
    }
  }
}

// A frame with this body, its checksum right: what a wrong encoder, not a wrong disk, would send.
std::string FrameOfBody(std::string_view body, uint32_t scrapes, uint64_t items) {
  FrameBuilder builder;
  std::string frame = builder.Finish(1).substr(0, kFrameHeaderBytes);
  void* zstd = NewCompressState();
  CompressAppend(zstd, body, &frame);
  FreeCompressState(zstd);
  const auto raw = static_cast<uint32_t>(body.size());
  const auto compressed = static_cast<uint32_t>(frame.size() - kFrameHeaderBytes);
  std::memcpy(frame.data() + 16, &items, 8);
  std::memcpy(frame.data() + 24, &scrapes, 4);
  std::memcpy(frame.data() + 28, &raw, 4);
  std::memcpy(frame.data() + 32, &compressed, 4);
  const uint64_t checksum = ChecksumWithout({frame}, 40);
  std::memcpy(frame.data() + 40, &checksum, 8);
  return frame;
}

// A scrape record of layout 1 (three positions) and no report, with `sections` behind it.
std::string Record(std::string_view sections,
                   std::string_view values = std::string_view("\3\0\1\2\3", 5)) {
  std::string record;
  record += std::string("\0\1\0", 3);  // timestamp 0, body layout 1, no report layout
  record += values;
  record += std::string("\0", 1);  // no report values
  record += sections;
  return std::string(1, static_cast<char>(record.size())) + record;
}

TEST(Frame, BodiesThatAreNotWhatTheFormatSays) {
  using Code = absl::StatusCode;
  const FixedLayouts layouts(Sizes{{1, 3}});
  const std::string_view none;
  struct Row {
    const char* what;
    std::string body;
    uint32_t scrapes;
    uint64_t items;
    Code code;
  };
  const Row rows[] = {
      {"as it should be", Record(none), 1, 3, Code::kOk},
      {"an optional unknown section", Record(std::string_view("\x40\1x", 3)), 1, 3, Code::kOk},
      {"a required unknown section", Record(std::string_view("\x41\1x", 3)), 1, 3,
       Code::kUnimplemented},
      {"a reserved section, required", Record(std::string_view("\x13\0", 2)), 1, 3,
       Code::kUnimplemented},
      {"sections out of order", Record(std::string_view("\x42\0\x40\0", 4)), 1, 3, Code::kDataLoss},
      {"the same section twice", Record(std::string_view("\x40\0\x40\0", 4)), 1, 3,
       Code::kDataLoss},
      {"a section that is cut", Record(std::string_view("\x40\2x", 3)), 1, 3, Code::kDataLoss},
      {"section 0", Record(std::string_view("\0\0", 2)), 1, 3, Code::kDataLoss},
      {"bytes behind all stale", Record(std::string_view("\7\1x", 3), std::string_view("\0", 1)), 1,
       3, Code::kDataLoss},
      {"all stale", Record(std::string_view("\7\0", 2), std::string_view("\0", 1)), 1, 3,
       Code::kOk},
      {"all stale with values", Record(std::string_view("\7\0", 2)), 1, 3, Code::kDataLoss},
      {"one absent", Record(std::string_view("\3\2\1\1", 4), std::string_view("\2\0\1\2", 4)), 1, 2,
       Code::kOk},
      {"one absent, a value too many", Record(std::string_view("\3\2\1\1", 4)), 1, 2,
       Code::kDataLoss},
      {"an absent position outside",
       Record(std::string_view("\3\2\1\3", 4), std::string_view("\2\0\1\2", 4)), 1, 2,
       Code::kDataLoss},
      {"an empty list of absent positions", Record(std::string_view("\3\1\0", 3)), 1, 3,
       Code::kDataLoss},
      {"fewer values than positions", Record(none, std::string_view("\2\0\1\2", 4)), 1, 3,
       Code::kDataLoss},
      {"a bit behind the last value", Record(none, std::string_view("\3\x08\1\2\3", 5)), 1, 3,
       Code::kDataLoss},
      {"an integer of 2^53",
       Record(none, std::string_view("\3\0\1\2\x80\x80\x80\x80\x80\x80\x80\x10", 12)), 1, 3,
       Code::kDataLoss},
      {"an integer of nine bytes",
       Record(none, std::string_view("\3\0\1\2\x80\x80\x80\x80\x80\x80\x80\x80\1", 13)), 1, 3,
       Code::kDataLoss},
      {"fewer samples than told", Record(none), 1, 4, Code::kDataLoss},
      {"more scrapes than told", Record(none) + Record(none), 1, 6, Code::kDataLoss},
      {"fewer scrapes than told", Record(none), 2, 3, Code::kDataLoss},
      {"a huge count of values",
       Record(none, std::string_view("\xff\xff\xff\xff\xff\xff\xff\xff\xff\1", 10)), 1, 3,
       Code::kDataLoss},
      {"stale positions of an unknown layout", Record(std::string_view("\x0b\3\x09\1\0", 5)), 1, 4,
       Code::kNotFound},
      {"stale positions", Record(std::string_view("\x0b\3\1\1\0", 5)), 1, 4, Code::kOk},
      {"a type of metadata that is none", Record(std::string_view("\x0c\5\1\x08\0\0\0", 7)), 1, 3,
       Code::kDataLoss},
  };
  FrameDecoder decoder;
  for (const Row& row : rows) {
    const auto decoded =
        decoder.Decode(FrameOfBody(row.body, row.scrapes, row.items), layouts, kMaxRaw);
    EXPECT_EQ(decoded.status().code(), row.code) << row.what << ": " << decoded.status();
  }
}

TEST(Frame, RawSizeIsCheckedBeforeItIsAllocated) {
  FrameDecoder decoder;
  const FixedLayouts layouts(Sizes{{1, 3}});
  const std::string frame = FrameOfBody(Record({}), 1, 3);
  EXPECT_TRUE(decoder.Decode(frame, layouts, Record({}).size()).ok());
  EXPECT_TRUE(absl::IsDataLoss(decoder.Decode(frame, layouts, Record({}).size() - 1).status()));
}

TEST(Frame, AnUnknownLayoutIsNotFound) {
  Random random(5);
  FrameDecoder decoder;
  Scrape scrape;
  scrape.body_layout = 99;
  EXPECT_TRUE(absl::IsNotFound(
      decoder.Decode(EncodeFrame({scrape}), FixedLayouts(Sizes{}), kMaxRaw).status()));
}

TEST(Frame, RandomBodiesNeverDecodeToMoreThanTheyHold) {
  Random random(6);
  FrameDecoder decoder;
  const FixedLayouts layouts = TestLayouts();
  for (int round = 0; round < 2000; ++round) {
    std::string body;
    FrameBuilder builder;
    std::string bytes(random() % 200, '\0');
    for (char& byte : bytes) byte = static_cast<char>(OneIn(random, 2) ? random() % 12 : random());
    (void)decoder.Decode(FrameOfBody(bytes, 1 + random() % 3, random() % 400), layouts, kMaxRaw);
  }
}

}  // namespace
}  // namespace ampari
