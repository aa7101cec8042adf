#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "bench/region/json_value.h"
#include "bench/region/region.h"
#include "common/http/loop.h"
#include "loki/push.pb.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/bench/write_requests.h"

namespace ampari::bench {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;

constexpr int64_t kSecond = 1'000'000'000;
constexpr char kStream[] = R"({namespace="default", pod="a"})";

struct Line {
  int64_t time_ns;
  std::string text;
  LabelPairs metadata = {};
};

void AddLines(logproto::PushRequest& request, const std::string& selector,
              const std::vector<Line>& lines) {
  logproto::Stream* stream = request.add_streams();
  stream->set_labels(selector);
  for (const Line& line : lines) {
    logproto::Entry* entry = stream->add_entries();
    entry->mutable_timestamp()->set_seconds(line.time_ns / kSecond);
    entry->mutable_timestamp()->set_nanos(static_cast<int>(line.time_ns % kSecond));
    entry->set_line(line.text);
    for (const auto& [name, value] : line.metadata) {
      logproto::LabelPair* pair = entry->add_structured_metadata();
      pair->set_name(name);
      pair->set_value(value);
    }
  }
}

class RegionLogsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto region = Region::Start({});
    ASSERT_THAT(region, IsOk());
    region_ = *std::move(region);
  }

  HttpRequest Request(const logproto::PushRequest& request, const std::string& frames = "") {
    HttpRequest push = PushRequest(region_->logs_url(), Compress(request.SerializeAsString()));
    push.headers = {{"Content-Type", "application/x-protobuf"}, {"X-Scope-OrgID", "tenant-a"}};
    if (!frames.empty()) push.headers.emplace_back("X-Ampari-Frames", frames);
    return push;
  }

  HttpResponse Push(const std::vector<Line>& lines, const std::string& frames = "",
                    const std::string& selector = kStream) {
    logproto::PushRequest request;
    AddLines(request, selector, lines);
    return FetchOnce(Request(request, frames));
  }

  std::string Get(const std::string& path) {
    HttpRequest request;
    request.url = "http://127.0.0.1:" + std::to_string(region_->control_port()) + path;
    return FetchOnce(std::move(request)).body;
  }

  LogCounts Counts() { return region_->Report().logs["tenant-a"].counts; }

  std::unique_ptr<Region> region_;
};

TEST_F(RegionLogsTest, KeepsEveryLineInTheOrderOfArrival) {
  EXPECT_EQ(Push({{5 * kSecond + 7, "first"}, {6 * kSecond, "second", {{"trace", "x\"y"}}}}).status,
            204);
  EXPECT_EQ(Push({{6 * kSecond, "third"}}, "", R"({pod="b\"\\\u00e9"})").status, 204);
  EXPECT_EQ(
      Get("/lines?tenant=tenant-a"),
      R"({"labels":{"namespace":"default","pod":"a"},"time_ns":5000000007,"line":"first","metadata":{}})"
      "\n"
      R"({"labels":{"namespace":"default","pod":"a"},"time_ns":6000000000,"line":"second","metadata":{"trace":"x\"y"}})"
      "\n"
      R"({"labels":{"pod":"b\"\\é"},"time_ns":6000000000,"line":"third","metadata":{}})"
      "\n");
  EXPECT_THAT(Get("/lines?tenant=tenant-a&label.namespace=default&limit=1"), HasSubstr("first"));
  EXPECT_EQ(Get("/lines?tenant=tenant-a&label.namespace=other"), "");
  EXPECT_EQ(Get("/lines?tenant=tenant-b"), "");
  EXPECT_EQ(Get("/line_counts?tenant=tenant-a&by=pod"), "{\"a\":2,\"b\\\"\\\\é\":1}\n");
  EXPECT_EQ(Counts().lines, 3u);
  EXPECT_EQ(Counts().streams, 2u);
  EXPECT_EQ(Counts().bytes, 16u);
  EXPECT_EQ(Counts().newest_ns, 6 * kSecond);
}

TEST_F(RegionLogsTest, BothPathsAreTheSame) {
  logproto::PushRequest request;
  AddLines(request, kStream, {{1, "a"}});
  HttpRequest push = Request(request);
  push.url = "http://127.0.0.1:" + std::to_string(region_->port()) + "/loki/api/v1/push";
  EXPECT_EQ(FetchOnce(std::move(push)).status, 204);
  EXPECT_EQ(Counts().lines, 1u);
}

TEST_F(RegionLogsTest, TellsArrivalsApart) {
  Push({{1, "a"}, {3, "c"}}, "t/logs;lane=7;frames=10-12");
  Push({{1, "a"}}, "t/logs;lane=7;frames=11-11");  // shares a frame: a resend
  Push({{3, "c"}}, "t/logs;lane=7;frames=13-13");  // another frame: a double
  Push({{3, "c"}}, "t/logs;lane=8;frames=10-12");  // another lane: a double
  Push({{3, "d"}, {3, "c", {{"k", "v"}}}}, "t/logs;lane=7;frames=14-14");  // others
  Push({{2, "b"}}, "t/logs;lane=7;frames=15-15");                          // unknown and older
  const LogCounts counts = Counts();
  EXPECT_EQ(counts.lines, 5u);
  EXPECT_EQ(counts.resends, 1u);
  EXPECT_EQ(counts.doubles, 2u);
  EXPECT_EQ(counts.identical, 0u);
  EXPECT_EQ(counts.out_of_order, 1u);
  EXPECT_THAT(Get("/report"), HasSubstr(R"(double: {namespace=\"default\",pod=\"a\"} at 3, frames )"
                                        "t/logs;lane=7;frames=13-13, before "
                                        "t/logs;lane=7;frames=10-12: c"));
}

TEST_F(RegionLogsTest, EqualLinesOfOneRequestAreNoResend) {
  const std::vector<Line> thrice = {{1, "a"}, {1, "a"}, {1, "a"}};
  Push(thrice, "t/logs;lane=7;frames=1-1");
  EXPECT_EQ(Counts().lines, 3u);
  EXPECT_EQ(Counts().identical, 2u);
  Push(thrice, "t/logs;lane=7;frames=1-1");
  EXPECT_EQ(Counts().lines, 3u);
  EXPECT_EQ(Counts().resends, 3u);
  Push({{1, "a"}}, "t/logs;lane=7;frames=2-2");
  EXPECT_EQ(Counts().doubles, 1u);
}

TEST_F(RegionLogsTest, TheSameLineOfTwoStreamsIsNoDouble) {
  Push({{1, "a"}}, "t/logs;lane=7;frames=1-1");
  Push({{1, "a"}}, "t/logs;lane=7;frames=2-2", R"({pod="b"})");
  EXPECT_EQ(Counts().lines, 2u);
  EXPECT_EQ(Counts().doubles, 0u);
}

struct MalformedCase {
  const char* reason;
  std::function<void(logproto::PushRequest&)> break_it;
};

TEST_F(RegionLogsTest, AMalformedRequestStoresNothing) {
  const auto labels = [](const char* text) {
    return [text](logproto::PushRequest& r) { r.mutable_streams(1)->set_labels(text); };
  };
  const auto entry = [](auto change) {
    return
        [change](logproto::PushRequest& r) { change(*r.mutable_streams(1)->mutable_entries(0)); };
  };
  const MalformedCase cases[] = {
      {"labels are no selector", labels("pod")},
      {"labels are no selector", labels(R"({pod="a")")},
      {"labels are no selector", labels(R"({pod="a"} )")},
      {"labels are no selector", labels(R"({pod="\q"})")},
      {"labels are no selector", labels(R"({pod="\ud800"})")},
      {"invalid label name", labels(R"({1pod="a"})")},
      {"invalid label name", labels(R"({__meta:x="a"})")},
      {"repeated label name", labels(R"({pod="a", pod="b"})")},
      {"labels not sorted", labels(R"({pod="a", app="b"})")},
      {"empty label value", labels(R"({pod=""})")},
      {"label value is not UTF-8", labels(R"({pod="\xff"})")},
      {"line is not UTF-8", entry([](logproto::Entry& e) { e.set_line("\xff"); })},
      {"an entry without a timestamp", entry([](logproto::Entry& e) { e.clear_timestamp(); })},
      {"malformed timestamp",
       entry([](logproto::Entry& e) { e.mutable_timestamp()->set_nanos(1'000'000'000); })},
      {"malformed timestamp",
       entry([](logproto::Entry& e) { e.mutable_timestamp()->set_seconds(-1); })},
      {"malformed metadata",
       entry([](logproto::Entry& e) { e.add_structured_metadata()->set_value("x"); })},
      {"a stream without entries",
       [](logproto::PushRequest& r) { r.mutable_streams(1)->clear_entries(); }},
  };
  for (const MalformedCase& c : cases) {
    logproto::PushRequest request;
    AddLines(request, kStream, {{1, "good"}});
    AddLines(request, kStream, {{2, "bad"}});
    c.break_it(request);
    const HttpResponse response = FetchOnce(Request(request));
    EXPECT_EQ(response.status, 400) << c.reason;
    EXPECT_EQ(response.body, std::string(c.reason) + "\n");
  }
  EXPECT_EQ(region_->Report().malformed.at("labels are no selector"), 5u);
  EXPECT_EQ(Counts().lines, 0u);
}

TEST_F(RegionLogsTest, BytesThatAreNoRequestAreRefused) {
  logproto::PushRequest request;
  AddLines(request, kStream, {{1, "good"}});
  const std::string plain = request.SerializeAsString();
  HttpRequest push = Request(request);
  for (size_t size = 1; size < plain.size(); ++size) {
    push.body = std::make_shared<const std::string>(Compress(plain.substr(0, size)));
    EXPECT_EQ(FetchOnce(push).status, 400) << size;
  }
  push.body = std::make_shared<const std::string>(plain);
  EXPECT_EQ(FetchOnce(push).status, 400) << "not snappy";
  push.body = std::make_shared<const std::string>(Compress(plain + "\x12\x01x"));
  EXPECT_EQ(FetchOnce(push).status, 400) << "an unknown field";
  EXPECT_EQ(FetchOnce(Request({})).status, 422) << "no streams";
  EXPECT_EQ(Counts().lines, 0u);
}

struct LogHeadCase {
  const char* header;
  const char* value;  // null: left out
  int status;
};

TEST_F(RegionLogsTest, DemandsTheHeadersOfTheProtocol) {
  const LogHeadCase cases[] = {
      {"X-Scope-OrgID", nullptr, 401},   {"X-Scope-OrgID", "a/b", 400},
      {"Content-Type", nullptr, 400},    {"Content-Type", "application/json", 400},
      {"Content-Encoding", "zstd", 400}, {"Content-Encoding", "snappy", 204},
  };
  logproto::PushRequest request;
  AddLines(request, kStream, {{1, "a"}});
  for (const LogHeadCase& c : cases) {
    HttpRequest push = Request(request);
    std::erase_if(push.headers, [&](const auto& header) { return header.first == c.header; });
    if (c.value != nullptr) push.headers.emplace_back(c.header, c.value);
    EXPECT_EQ(FetchOnce(std::move(push)).status, c.status) << c.header;
  }
}

struct RuleCase {
  const char* setting;
  const char* value;
  const char* selector;
  Line bad;
  int status;
};

TEST_F(RegionLogsTest, RefusesWhatARuleForbidsAndStoresTheRest) {
  constexpr char kOther[] = R"({long_name="12345678", pod="a"})";
  const LabelPairs two = {{"a", "1"}, {"b", "2"}};
  const RuleCase cases[] = {
      {"max_line_bytes", "3", kStream, {9, "1234"}, 400},
      {"max_label_names", "1", kOther, {9, "x"}, 400},
      {"max_label_name_bytes", "8", kOther, {9, "x"}, 400},
      {"max_label_value_bytes", "7", kOther, {9, "x"}, 400},
      {"max_metadata_entries", "1", kStream, {9, "x", two}, 400},
      {"max_metadata_bytes", "3", kStream, {9, "x", two}, 400},
      {"max_age_s", "60", kStream, {9, "x"}, 400},
      {"max_ahead_s", "60", kStream, {int64_t{9'000'000'000} * kSecond, "x"}, 400},
      {"max_streams", "1", kOther, {9, "x"}, 429},
      {"reject_line", "bad", kStream, {9, "a bad line"}, 400},
  };
  const int64_t now = absl::ToUnixNanos(absl::Now());
  ASSERT_THAT(region_->Control({{"forgetful", "false"}}), IsOk());
  for (const RuleCase& c : cases) {
    region_->Reset();
    ASSERT_THAT(region_->Control({{c.setting, c.value}}), IsOk());
    logproto::PushRequest request;
    AddLines(request, R"({pod="a"})", {{now, "ok"}});
    AddLines(request, c.selector, {c.bad});
    AddLines(request, R"({pod="a"})", {{now, "o2"}});
    EXPECT_EQ(FetchOnce(Request(request)).status, c.status) << c.setting;
    EXPECT_EQ(Counts().lines, 2u) << c.setting;
    EXPECT_EQ(Counts().refused, 1u) << c.setting;
    ASSERT_THAT(region_->Control({{c.setting, "0"}}), IsOk());
  }
}

TEST_F(RegionLogsTest, HasLokisLimitsByDefault) {
  const int64_t hour = 3600 * kSecond;
  EXPECT_EQ(Push({{5 * hour, std::string(256 << 10, 'x')}}).status, 204);
  EXPECT_EQ(Push({{5 * hour, std::string((256 << 10) + 1, 'x')}}).status, 400);
  EXPECT_EQ(Push({{4 * hour, "an hour behind"}}).status, 204);
  EXPECT_EQ(Push({{4 * hour - 1, "more than an hour behind"}}).status, 400);
  std::string labels = "{";
  for (char c = 'a'; c <= 'o'; ++c) labels += std::string(1, c) + "=\"1\", ";
  EXPECT_EQ(Push({{1, "fifteen and service_name"}}, "", labels + "service_name=\"x\"}").status,
            204);
  EXPECT_EQ(Push({{1, "sixteen"}}, "", labels + "p=\"1\"}").status, 400);
}

TEST_F(RegionLogsTest, ForgetsWhatItRefusedOfEarlierStreamsAsLokiDoes) {
  const int64_t hour = 3600 * kSecond;
  Push({{9 * hour, "newest"}});
  logproto::PushRequest request;
  AddLines(request, kStream, {{1 * hour, "too far behind"}});
  AddLines(request, R"({pod="other"})", {{1 * hour, "good"}});
  EXPECT_EQ(FetchOnce(Request(request)).status, 204);
  EXPECT_EQ(Counts().lines, 2u);
  EXPECT_EQ(Counts().refused, 1u);
  request.mutable_streams()->SwapElements(0, 1);
  EXPECT_EQ(FetchOnce(Request(request)).status, 400);
  request.mutable_streams()->SwapElements(0, 1);
  ASSERT_THAT(region_->Control({{"forgetful", "false"}}), IsOk());
  EXPECT_EQ(FetchOnce(Request(request)).status, 400);
}

TEST_F(RegionLogsTest, ARateRefusesWholeRequests) {
  ASSERT_THAT(region_->Control({{"rate_bytes", "10"}}), IsOk());
  EXPECT_EQ(Push({{1, "123456789012345"}}).status, 204) << "what one and a half seconds hold";
  EXPECT_EQ(Push({{2, "x"}, {3, std::string(100, 'y')}}).status, 429);
  EXPECT_EQ(Counts().lines, 1u);
}

TEST_F(RegionLogsTest, AStreamsRateRefusesItsLinesAlone) {
  ASSERT_THAT(region_->Control({{"stream_rate_bytes", "10"}}), IsOk());
  logproto::PushRequest request;
  AddLines(request, R"({pod="other"})", {{1, "good"}});
  AddLines(request, kStream, {{1, std::string(45, 'x')}, {2, "123456"}, {3, "12345"}});
  const HttpResponse response = FetchOnce(Request(request));
  EXPECT_EQ(response.status, 429);
  EXPECT_THAT(response.body, HasSubstr(R"(: {namespace="default",pod="a"})"));
  EXPECT_EQ(Counts().lines, 3u);
  EXPECT_EQ(Counts().refused, 1u);
}

TEST_F(RegionLogsTest, OneSignalsBehaviourIsItsOwn) {
  prometheus::WriteRequest metrics;
  const std::string body = Compress(metrics.SerializeAsString());
  ASSERT_THAT(region_->Control({{"signal", "logs"}, {"status", "503"}}), IsOk());
  EXPECT_EQ(Push({{1, "a"}}).status, 503);
  EXPECT_EQ(FetchOnce(PushRequest(region_->push_url(), body)).status, 200);
  ASSERT_THAT(region_->Control({{"status", "500"}}), IsOk());
  EXPECT_EQ(Push({{1, "a"}}).status, 500);
  EXPECT_EQ(FetchOnce(PushRequest(region_->push_url(), body)).status, 500);
  ASSERT_THAT(region_->Control({{"signal", "metrics"}, {"mode", "ok"}}), IsOk());
  EXPECT_EQ(Push({{1, "a"}}).status, 500);
  EXPECT_EQ(FetchOnce(PushRequest(region_->push_url(), body)).status, 200);
  EXPECT_FALSE(region_->Control({{"signal", "traces"}}).ok());
}

TEST_F(RegionLogsTest, StoresBeforeItCutsTheConnection) {
  ASSERT_THAT(region_->Control({{"mode", "commit_then_close"}, {"times", "1"}}), IsOk());
  EXPECT_THAT(Push({{1, "a"}}).transport, StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_EQ(Counts().lines, 1u);
  EXPECT_EQ(Push({{1, "a"}}).status, 204);
  EXPECT_EQ(Counts().resends, 1u);
  ASSERT_THAT(region_->Control({{"status", "260"}, {"times", "1"}}), IsOk());
  EXPECT_EQ(Push({{2, "b"}}).status, 260);
  EXPECT_EQ(Counts().lines, 1u);
}

TEST_F(RegionLogsTest, CountsOnlyWhenItDiscards) {
  RegionOptions options;
  options.discard = true;
  auto region = Region::Start(options);
  ASSERT_THAT(region, IsOk());
  region_ = *std::move(region);
  EXPECT_EQ(Push({{1, "a"}, {2, "b"}}).status, 204);
  EXPECT_EQ(Counts().lines, 2u);
  EXPECT_EQ(Get("/lines?tenant=tenant-a"), "");
}

struct CodeCase {
  const char* line;
  const char* code;
};

TEST(ResponseCode, IsFoundInAccessLines) {
  const CodeCase cases[] = {
      {R"([2024-05-01T10:00:00.000Z] "GET /a HTTP/1.1" 200 - via_upstream - "-" 0 5 1 0 "-")",
       "200"},
      {R"([2024-05-01T10:00:00.000Z] "GET /a" b HTTP/1.1" 503 UF - - "-" 0 5 1 0 "-")", "503"},
      {R"([2024-05-01T10:00:00.000Z] "- - -" 0 UF,URX - - "-" 0 0 2285 - "-" "-")", "0"},
      {R"({"method":"GET","response_code":404,"start_time":"2024"})", "404"},
      {R"({"response_code": 200})", "200"},
      {R"({"response_code":null})", ""},
      {R"([2019-11-13 15:03:14.836][15][warning][config] [x] "y" 200 z)", ""},
      {"2024-10-02T18:28:15.365329Z\tinfo\tads\tnothing", ""},
      {R"([2024-05-01T10:00:00.000Z] "GET /a HTTP/1.1" 2000 -)", ""},
      {R"([2024-05-01T10:00:00.000Z] "GET)", ""},
      {"", ""},
  };
  for (const CodeCase& c : cases) EXPECT_EQ(ResponseCode(c.line), c.code) << c.line;
}

TEST_F(RegionLogsTest, CountsLinesByResponseCode) {
  Push({{1, R"([t] "GET / HTTP/1.1" 200 - "-")"},
        {2, R"([t] "GET / HTTP/1.1" 503 - "-")"},
        {3, R"([t] "GET / HTTP/1.1" 200 - "-")"},
        {4, "other"}});
  EXPECT_EQ(Get("/line_counts?tenant=tenant-a&by=response_code"), "{\"200\":2,\"503\":1}\n");
  EXPECT_EQ(Get("/line_counts?tenant=tenant-a&by=response_code&label.pod=b"), "{}\n");
  EXPECT_THAT(Counts().response_codes, ElementsAre(Pair("200", 2), Pair("503", 1)));
}

TEST_F(RegionLogsTest, ResetForgetsLines) {
  Push({{1, "a"}});
  region_->Reset();
  EXPECT_TRUE(region_->Report().logs.empty());
  EXPECT_EQ(Push({{1, "a"}}).status, 204);
  EXPECT_EQ(Counts().lines, 1u);
}

}  // namespace
}  // namespace ampari::bench
