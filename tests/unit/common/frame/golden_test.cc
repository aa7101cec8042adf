// Files of format version 1, which every later program must read. They were written once, by this
// test with AMPARI_WRITE_GOLDEN=1; a new version of a format adds files and leaves these.
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <iterator>

#include "common/frame/frame.h"
#include "common/frame/log_frame.h"
#include "common/frame/registration.h"
#include "tests/unit/common/frame/frame_samples.h"

namespace ampari {
namespace {

constexpr char kFolder[] = "tests/testdata/frame/";

uint64_t Bits(double value) { return __builtin_bit_cast(uint64_t, value); }

// The annotated example of FORMAT.md is the first scrape of it.
std::vector<Scrape> Version1Scrapes() {
  Scrape plain;
  plain.timestamp_ms = 1700000000000;
  plain.body_layout = 3;
  plain.report_layout = 2;
  plain.body_values = {Bits(0),    Bits(300),     Bits(0.5),
                       Bits(-0.0), kStaleNanBits, Bits(9007199254740991.0)};
  plain.report_values = {Bits(1), Bits(0.25)};

  Scrape sparse = plain;
  sparse.timestamp_ms = 1700000015000;
  sparse.body_values = {Bits(1), Bits(2), Bits(3), kNormalNanBits};
  sparse.absent = {1, 5};
  sparse.timestamps = {{0, 1700000014000}, {4, 1700000016001}};
  sparse.stale_layout = 1;
  sparse.stale_positions = {0, 7, 8};
  sparse.metadata = {{"istio_requests_total", MetricType::kCounter, "Requests.", ""}};

  Scrape gone;
  gone.timestamp_ms = 1700000030000;
  gone.body_layout = 3;
  gone.report_layout = 2;
  gone.all_stale = gone.report_stale = true;
  return {plain, sparse, gone};
}

RegistrationBlock Version1Block() {
  RegistrationBlock block;
  block.number = 1;
  block.first_series = 11;
  block.series = {{{"__name__", "istio_requests_total"}, {"pod", "web-0"}},
                  {{"__name__", "istio_bucket"}, {"le", "0.5"}, {"pod", "web-0"}},
                  {{"__name__", "istio_bucket"}, {"le", "+Inf"}, {"pod", "web-0"}},
                  {{"__name__", "up"}, {"pod", "web-0"}}};
  block.first_layout = 2;
  block.layouts = {
      {0, 1, {{false, 14, 1}}}, {0, 3, {{false, 11, 3}}}, {3, 3, {{true, 0, 2}, {false, 9, 1}}}};
  return block;
}

std::string ReadOrWrite(const std::string& name, const std::string& bytes) {
  const std::string path = kFolder + name;
  if (std::getenv("AMPARI_WRITE_GOLDEN") != nullptr) {
    std::ofstream(path, std::ios::binary) << bytes;
  }
  std::ifstream in(path, std::ios::binary);
  return std::string(std::istreambuf_iterator<char>(in), {});
}

TEST(Golden, FrameVersion1) {
  FrameBuilder builder;
  const FixedLayouts layouts(Sizes{{1, 9}, {2, 2}, {3, 6}});
  for (const Scrape& scrape : Version1Scrapes()) {
    builder.Add(scrape, SampleCount(scrape, 6, 2));
  }
  const std::string frame = ReadOrWrite("metrics_v1.frame", builder.Finish(41));
  ASSERT_FALSE(frame.empty()) << "run from the source directory";
  const auto header = ParseFrameHeader(frame);
  ASSERT_TRUE(header.ok()) << header.status();
  EXPECT_EQ(header->sequence, 41u);
  EXPECT_EQ(header->items, 8u + 9u + 8u);
  FrameDecoder decoder;
  const auto decoded = decoder.Decode(frame, layouts, 1 << 20);
  ASSERT_TRUE(decoded.ok()) << decoded.status();
  EXPECT_EQ(*decoded, Version1Scrapes());
}

TEST(Golden, LogFrameVersion1) {
  LogFrameBuilder builder;
  builder.BeginStream({{"namespace", "shop"}, {"pod", "web-0"}});
  builder.AddLine(1'700'000'000'000'000'000, "GET / 200", {{"response_code", "200"}});
  builder.AddLine(1'700'000'000'000'000'250, "GET /a 404");
  builder.AddFile({"0123456789abcdef", true, {0, 0}, {120, 0}, "shop_web-0_4f1c/istio-proxy"});
  const std::string frame = ReadOrWrite("logs_v1.frame", builder.Finish(3));
  ASSERT_FALSE(frame.empty()) << "run from the source directory";
  const auto header = ParseFrameHeader(frame);
  ASSERT_TRUE(header.ok()) << header.status();
  EXPECT_EQ(header->items, 2u);
  const auto files = ParseLogPositions(
      *header, std::string_view(frame).substr(kFrameHeaderBytes, header->positions_bytes));
  ASSERT_TRUE(files.ok()) << files.status();
  ASSERT_EQ(files->size(), 1u);
  EXPECT_EQ((*files)[0].upto, (LogPosition{120, 0}));
  EXPECT_EQ((*files)[0].name, "shop_web-0_4f1c/istio-proxy");
  LogFrameDecoder decoder;
  const auto streams = decoder.Decode(frame, 1 << 20);
  ASSERT_TRUE(streams.ok()) << streams.status();
  ASSERT_EQ(streams->size(), 1u);
  EXPECT_EQ((*streams)[0].labels.ToString(), "{namespace=\"shop\", pod=\"web-0\"}");
  EXPECT_EQ((*streams)[0].entries[1].time_ns, 1'700'000'000'000'000'250);
  EXPECT_EQ((*streams)[0].entries[1].line, "GET /a 404");
}

TEST(Golden, RegistrationVersion1) {
  const std::string bytes =
      ReadOrWrite("registration_v1.block", EncodeRegistration(Version1Block()));
  ASSERT_FALSE(bytes.empty()) << "run from the source directory";
  const auto decoded = DecodeRegistration(bytes);
  ASSERT_TRUE(decoded.ok()) << decoded.status();
  EXPECT_EQ(*decoded, Version1Block());
}

}  // namespace
}  // namespace ampari
