#include "bench/verify/log_check.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <functional>

#include "bench/region/region.h"
#include "loki/push.pb.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"
#include "tests/unit/bench/write_requests.h"

namespace ampari::bench {
namespace {

using ::testing::HasSubstr;

std::vector<WrittenContainer> FiveLines() {
  WrittenContainer container{"default", "a", "uid", "istio-proxy", {}, {}};
  for (uint64_t i = 1; i <= 5; ++i) {
    container.lines.push_back({false, false, static_cast<int64_t>(1000 + i), i, 0xa0 + i});
  }
  return {container};
}

DeliveredLogs AllFive() {
  DeliveredLogs logs;
  logs.streams.push_back({"default", "a", "istio-proxy", "{x}", {}});
  for (uint64_t i = 1; i <= 5; ++i) {
    logs.streams[0].lines.push_back({static_cast<int64_t>(1000 + i), 0xa0 + i});
  }
  return logs;
}

using Lines = std::vector<DeliveredStream::Line>;

struct CheckCase {
  const char* what;
  std::function<void(WrittenContainer&, Lines&)> change;
  uint64_t LogVerifyCounts::*count;  // the one that is 1
  uint64_t verified;
  const char* example;
};

TEST(VerifyLogs, NamesWhatIsWrong) {
  const CheckCase cases[] = {
      {"missing", [](auto&, Lines& l) { l.erase(l.begin() + 2); }, &LogVerifyCounts::missing, 4,
       "missing: default/a line 3 of stdout at 1003"},
      {"gone with its file",
       [](auto& c, Lines& l) {
         l.erase(l.begin() + 2);
         c.gone = {{2, 3}};
       },
       &LogVerifyCounts::missing_gone, 4, ""},
      {"without an end",
       [](auto& c, Lines& l) {
         l.pop_back();
         c.lines[4].dangling = true;
       },
       &LogVerifyCounts::missing_dangling, 4, ""},
      {"doubled", [](auto&, Lines& l) { l.push_back(l[4]); }, &LogVerifyCounts::doubled, 5,
       "doubled: a line at 1005 of {x}"},
      {"another text",
       [](auto&, Lines& l) {
         l.push_back({1006, 0xff});
       },
       &LogVerifyCounts::unknown, 5, "never written: a line at 1006 of {x}"},
      {"another time",
       [](auto& c, Lines& l) {
         c.lines.pop_back();
         l[4] = {999, 0xa4};
       },
       &LogVerifyCounts::wrong_time, 4, "at another time: a line at 999 of {x}"},
      {"out of order", [](auto&, Lines& l) { std::swap(l[1], l[2]); },
       &LogVerifyCounts::out_of_order, 5, "out of order: default/a line 2 of stdout at 1002 after"},
  };
  for (const CheckCase& c : cases) {
    auto written = FiveLines();
    DeliveredLogs delivered = AllFive();
    c.change(written[0], delivered.streams[0].lines);
    const LogVerifyCounts counts = VerifyLogs(written, delivered);
    uint64_t problems = 0;
    for (const auto count : {&LogVerifyCounts::missing, &LogVerifyCounts::missing_gone,
                             &LogVerifyCounts::missing_dangling, &LogVerifyCounts::doubled,
                             &LogVerifyCounts::wrong_time, &LogVerifyCounts::unknown,
                             &LogVerifyCounts::out_of_order}) {
      problems += counts.*count;
    }
    EXPECT_EQ(counts.*c.count, 1u) << c.what;
    EXPECT_EQ(problems, 1u) << c.what << counts.ToJson();
    EXPECT_EQ(counts.verified, c.verified) << c.what;
    EXPECT_THAT(counts.ToJson(), HasSubstr(c.example)) << c.what;
  }
}

TEST(VerifyLogs, AllIsWell) {
  const LogVerifyCounts counts = VerifyLogs(FiveLines(), AllFive());
  EXPECT_EQ(counts.verified, 5u);
  EXPECT_TRUE(counts.examples.empty());
}

TEST(VerifyLogs, OneContainersLinesMayBeInSeveralStreams) {
  DeliveredLogs delivered = AllFive();
  delivered.streams.push_back(delivered.streams[0]);
  delivered.streams[0].lines = {{1001, 0xa1}, {1004, 0xa4}};
  delivered.streams[1].lines = {{1002, 0xa2}, {1003, 0xa3}, {1005, 0xa5}};
  const LogVerifyCounts counts = VerifyLogs(FiveLines(), delivered);
  EXPECT_EQ(counts.verified, 5u);
  EXPECT_EQ(counts.out_of_order, 0u);
}

TEST(VerifyLogs, EqualLinesCountEachOnce) {
  auto written = FiveLines();
  DeliveredLogs delivered = AllFive();
  written[0].lines.push_back({false, false, 1005, 6, 0xa5});
  EXPECT_EQ(VerifyLogs(written, delivered).missing, 1u);
  delivered.streams[0].lines.push_back({1005, 0xa5});
  EXPECT_EQ(VerifyLogs(written, delivered).verified, 6u);
  delivered.streams[0].lines.push_back({1005, 0xa5});
  EXPECT_EQ(VerifyLogs(written, delivered).doubled, 1u);
}

TEST(VerifyLogs, StreamsOfNoContainerAreUnknown) {
  DeliveredLogs delivered = AllFive();
  delivered.streams.push_back({"default", "b", "istio-proxy", "{y}", {{1, 2}, {3, 4}}});
  EXPECT_EQ(VerifyLogs(FiveLines(), delivered).unknown, 2u);
}

TEST(ReadRegionLogs, ReadsTheStreamsWithTheseLabels) {
  auto region = Region::Start({});
  ASSERT_THAT(region, IsOk());
  logproto::PushRequest request;
  const auto add = [&](const char* labels, int64_t seconds, const char* text) {
    logproto::Stream* stream = request.add_streams();
    stream->set_labels(labels);
    stream->add_entries()->set_line(text);
    stream->mutable_entries(0)->mutable_timestamp()->set_seconds(seconds);
  };
  add(R"({container="c", job="mine", namespace="n", pod="p"})", 7, "a line");
  add(R"({container="c", job="theirs", namespace="n", pod="p"})", 8, "another");
  HttpRequest push = PushRequest((*region)->logs_url(), Compress(request.SerializeAsString()));
  push.headers = {{"Content-Type", "application/x-protobuf"}, {"X-Scope-OrgID", "t"}};
  ASSERT_EQ(FetchOnce(std::move(push)).status, 204);
  const std::string control = "http://127.0.0.1:" + std::to_string((*region)->control_port());
  LogLabelNames names;
  names.only = {{"job", "mine"}};
  const auto logs = ReadRegionLogs(control, "t", names);
  ASSERT_THAT(logs, IsOk());
  ASSERT_EQ(logs->streams.size(), 1u);
  const DeliveredStream& stream = logs->streams[0];
  EXPECT_EQ(stream.namespace_name + "/" + stream.pod + "/" + stream.container, "n/p/c");
  ASSERT_EQ(stream.lines.size(), 1u);
  EXPECT_EQ(stream.lines[0].time_ns, 7'000'000'000);
  EXPECT_EQ(stream.lines[0].hash, LineHash("a line"));
  EXPECT_EQ(ReadRegionLogs(control, "t", {})->streams.size(), 2u);
  EXPECT_EQ(ReadRegionLogs(control, "other", {})->streams.size(), 0u);
}

TEST(ReadWrittenLog, ReadsWhatWasWritten) {
  const TempDir dir;
  const std::string path = dir.path() + "/written";
  {
    auto log = WrittenLog::Create(path);
    ASSERT_THAT(log, IsOk());
    const Pod pod = MakePods(1, 1, 1)[0];
    (*log)->AddContainer(1, pod, "istio-proxy");
    (*log)->AddLine(1, {true, false, 1'714'557'600'000'000'001, 1, 0xfedcba9876543210});
    (*log)->AddLine(1, {false, true, 7, 2, 1});
    (*log)->AddGone(1, {1, 2});
    ASSERT_THAT((*log)->Flush(), IsOk());
  }
  std::ofstream(path, std::ios::app) << "L 1 o 5 3";  // cut
  const auto read = ReadWrittenLog(path);
  ASSERT_THAT(read, IsOk());
  ASSERT_EQ(read->size(), 1u);
  const WrittenContainer& container = (*read)[0];
  ASSERT_EQ(container.lines.size(), 2u);
  EXPECT_TRUE(container.lines[0].is_stderr);
  EXPECT_EQ(container.lines[0].time_ns, 1'714'557'600'000'000'001);
  EXPECT_EQ(container.lines[0].hash, 0xfedcba9876543210u);
  EXPECT_TRUE(container.lines[1].dangling);
  EXPECT_EQ(container.gone[0].last, 2u);
  std::ofstream(path, std::ios::app) << "\n";
  EXPECT_THAT(ReadWrittenLog(path).status(), StatusIs(absl::StatusCode::kDataLoss));
}

}  // namespace
}  // namespace ampari::bench
