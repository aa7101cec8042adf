// What is encoded by hand reads as protobuf says, and the selector as Loki parses it.
#include "gateway/loki/push_request.h"

#include <gtest/gtest.h>
#include <snappy.h>

#include <random>

#include "loki/push.pb.h"

namespace ampari {
namespace {

logproto::PushRequest Decoded(const std::string& body) {
  std::string plain;
  EXPECT_TRUE(snappy::Uncompress(body.data(), body.size(), &plain));
  logproto::PushRequest request;
  EXPECT_TRUE(request.ParseFromString(plain));
  return request;
}

TEST(PushRequest, ReadsAsProtobuf) {
  const std::vector<LogEntry> first = {
      {1'700'000'000'000'000'001, "GET / 200", {{"response_code", "200"}, {"path", "/"}}},
      {1'700'000'000'000'000'000, "", {}},
      {0, "1970", {}},
      {-1, "before", {}}};
  const std::vector<LogEntry> second = {{5, "x", {}}};
  PushRequestEncoder encoder;
  const PushStream streams[] = {{"{a=\"x\"}", {first}}, {"{b=\"y\"}", {second}}};
  for (int round = 0; round < 2; ++round) {  // buffers are reused
    const logproto::PushRequest request = Decoded(encoder.Encode(streams));
    ASSERT_EQ(request.streams_size(), 2);
    EXPECT_EQ(request.streams(0).labels(), "{a=\"x\"}");
    ASSERT_EQ(request.streams(0).entries_size(), 4);
    const logproto::Entry& entry = request.streams(0).entries(0);
    EXPECT_EQ(entry.timestamp().seconds(), 1'700'000'000);
    EXPECT_EQ(entry.timestamp().nanos(), 1);
    EXPECT_EQ(entry.line(), "GET / 200");
    ASSERT_EQ(entry.structured_metadata_size(), 2);
    EXPECT_EQ(entry.structured_metadata(1).name(), "path");
    EXPECT_EQ(entry.structured_metadata(1).value(), "/");
    EXPECT_EQ(request.streams(0).entries(2).timestamp().seconds(), 0);
    EXPECT_EQ(request.streams(0).entries(3).timestamp().seconds(), -1);
    EXPECT_EQ(request.streams(0).entries(3).timestamp().nanos(), 999'999'999);
    EXPECT_EQ(request.streams(1).entries(0).line(), "x");
  }
}

TEST(PushRequest, SelectorsAreQuotedAsGoDoes) {
  EXPECT_EQ(StreamSelector({}), "{}");
  EXPECT_EQ(StreamSelector({{"b", "2"}, {"a", "1"}}), R"({a="1", b="2"})");
  EXPECT_EQ(StreamSelector({{"a", "\"quoted\"\\\n"}}), R"({a="\"quoted\"\\\n"})");
  EXPECT_EQ(StreamSelector({{"a", "caf\xc3\xa9 \xff"}}), "{a=\"caf\xc3\xa9 \xef\xbf\xbd\"}");
}

TEST(PushRequest, BytesThatAreNotUtf8AreMended) {
  const std::string line("\0\xff\xc3(\xe2\x82\xac", 7);
  const std::vector<LogEntry> entries = {{1, line, {{"k", "\xff"}}}};
  PushRequestEncoder encoder;
  const PushStream streams[] = {{"{}", {entries}}};
  const logproto::Entry entry = Decoded(encoder.Encode(streams)).streams(0).entries(0);
  EXPECT_EQ(entry.line(), std::string("\0\xef\xbf\xbd\xef\xbf\xbd(\xe2\x82\xac", 11));
  EXPECT_EQ(entry.structured_metadata(0).value(), "\xef\xbf\xbd");
}

TEST(PushRequest, RandomEntriesComeBack) {
  std::mt19937_64 random(3);
  PushRequestEncoder encoder;
  for (int round = 0; round < 100; ++round) {
    std::vector<std::string> lines(1 + random() % 40);
    std::vector<LogEntry> entries;
    for (std::string& line : lines) {
      line.assign(random() % 5000, static_cast<char>('a' + random() % 26));
      entries.push_back({static_cast<int64_t>(random() >> (random() % 64)), line, {}});
    }
    const PushStream streams[] = {{"{a=\"b\"}", {entries}}};
    const logproto::PushRequest request = Decoded(encoder.Encode(streams));
    ASSERT_EQ(request.streams(0).entries_size(), static_cast<int>(entries.size()));
    for (int i = 0; i < request.streams(0).entries_size(); ++i) {
      const logproto::Entry& entry = request.streams(0).entries(i);
      const LogEntry& expected = entries[static_cast<size_t>(i)];
      EXPECT_EQ(entry.line(), expected.line);
      EXPECT_EQ(
          static_cast<int64_t>(static_cast<uint64_t>(entry.timestamp().seconds()) * 1'000'000'000 +
                               static_cast<uint64_t>(entry.timestamp().nanos())),
          expected.time_ns);
    }
  }
}

}  // namespace
}  // namespace ampari
