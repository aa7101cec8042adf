#include "bench/mesh/mesh.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <set>

#include "bench/mesh/scrape_log.h"
#include "bench/region/json_value.h"
#include "bench/verify/body_reader.h"
#include "common/http/loop.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"

namespace ampari::bench {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

std::map<std::string, uint64_t> Samples(const std::string& body) {
  std::map<std::string, uint64_t> samples;
  BodyReader reader(body);
  BodySample sample;
  while (reader.Next(&sample)) {
    EXPECT_TRUE(samples.emplace(sample.series, sample.value_bits).second) << sample.series;
  }
  EXPECT_THAT(reader.status(), IsOk());
  return samples;
}

TEST(SimulatedTarget, IsTheSameForTheSameSeed) {
  TargetBehaviour behaviour;
  behaviour.churn = 0.5;
  behaviour.faults = {{Fault::kCut, 0.2}, {Fault::kStatus, 0.2}};
  SimulatedTarget one(MakePods(1, 1, 7)[0], behaviour, 7), two(MakePods(1, 1, 7)[0], behaviour, 7);
  for (int i = 0; i < 20; ++i) EXPECT_EQ(one.Next().body, two.Next().body);
}

TEST(SimulatedTarget, HasTheShapeOfARealSidecar) {
  TargetBehaviour behaviour;
  behaviour.traffic.http_combinations = 1;
  SimulatedTarget target(MakePods(1, 1, 1)[0], behaviour, 1);
  const TargetAnswer answer = target.Next();
  const auto samples = Samples(answer.body);
  EXPECT_EQ(samples.size(), answer.samples);
  const auto traffic = std::count_if(samples.begin(), samples.end(), [](const auto& sample) {
    return sample.first.starts_with("istio_re") && sample.first.find('{') != std::string::npos;
  });
  EXPECT_EQ(traffic, 67) << "one HTTP combination";
  EXPECT_NEAR(static_cast<double>(samples.size()), 67 + 4 + 400, 30);
  EXPECT_THAT(answer.body, HasSubstr("# HELP istio_agent_"));
  EXPECT_THAT(answer.body, Not(HasSubstr("# HELP envoy_")));
  EXPECT_THAT(answer.body, Not(HasSubstr("# HELP istio_requests_total")));
  EXPECT_THAT(answer.body, HasSubstr("\nenvoy_server_live{} "));
  EXPECT_THAT(answer.body, HasSubstr("grpc_response_status=\"\""));
  EXPECT_THAT(answer.body,
              HasSubstr("istio_requests_total{reporter=\"destination\",source_workload="));
}

TEST(SimulatedTarget, MovesAboutFortyPercentOfItsValues) {
  SimulatedTarget target(MakePods(1, 1, 1)[0], {}, 1);
  auto before = Samples(target.Next().body);
  double same = 0, all = 0;
  for (int i = 0; i < 20; ++i) {
    const auto now = Samples(target.Next().body);
    for (const auto& [series, bits] : now) {
      all += 1;
      same += before[series] == bits ? 1 : 0;
    }
    before = now;
  }
  EXPECT_NEAR(same / all, 0.6, 0.1);
}

TEST(SimulatedTarget, HistogramsStayHistograms) {
  SimulatedTarget target(MakePods(1, 1, 3)[0], {}, 3);
  std::string body;
  for (int i = 0; i < 50; ++i) body = target.Next().body;
  BodyReader reader(body);
  BodySample sample;
  double last = 0;  // the bucket before
  int counts = 0;
  while (reader.Next(&sample)) {
    if (sample.family_type != "histogram") continue;
    double value = 0;
    std::memcpy(&value, &sample.value_bits, sizeof value);
    const std::string series(sample.series);
    if (series.find("_bucket{") != std::string::npos) {
      EXPECT_GE(value, last) << series;
      last = value;
    } else if (series.find("_count") != std::string::npos) {
      EXPECT_EQ(value, last) << series;
      last = 0;
      ++counts;
    }
  }
  EXPECT_GT(counts, 20);
}

TEST(SimulatedTarget, ChurnMakesSeriesComeAndGo) {
  TargetBehaviour behaviour;
  behaviour.churn = 0.5;
  SimulatedTarget target(MakePods(1, 1, 1)[0], behaviour, 1);
  std::set<size_t> sizes;
  for (int i = 0; i < 30; ++i) sizes.insert(target.Next().samples);
  EXPECT_GT(sizes.size(), 2u);
  for (const size_t size : sizes) EXPECT_EQ((size - *sizes.begin()) % 67, 0u);
}

TEST(SimulatedTarget, FaultsSpoilTheBody) {
  const std::string good = "# TYPE a gauge\na 1\nb 2\nc 3\nd 4\n";
  size_t told = 0;
  EXPECT_EQ(Spoil(Fault::kNone, good, &told), good);
  EXPECT_THAT(Spoil(Fault::kBadLine, good, &told), HasSubstr("\nthis is no exposition {\n"));
  EXPECT_THAT(Spoil(Fault::kCrlf, good, &told), HasSubstr("a 1\r\nb 2\r\n"));
  EXPECT_EQ(told, 0u);
  const std::string cut = Spoil(Fault::kCut, good, &told);
  EXPECT_EQ(told, good.size());
  EXPECT_LT(cut.size(), good.size());
  EXPECT_THAT(Spoil(Fault::kDuplicate, good, &told), HasSubstr(good + "b 4711\n"));
}

class MeshTest : public ::testing::Test {
 protected:
  void Start(const FaultShares& faults = {}) {
    MeshOptions options;
    options.sidecars = 3;
    options.nodes = 2;
    options.behaviour.faults = faults;
    options.log_path = dir_.File("log");
    options.bodies_path = dir_.File("bodies");
    auto mesh = Mesh::Start(options);
    ASSERT_THAT(mesh, IsOk());
    mesh_ = *std::move(mesh);
  }

  HttpResponse Fetch(const std::string& ip, uint16_t port, const std::string& path) {
    HttpRequest request;
    request.url = "http://" + ip + ":" + std::to_string(port) + path;
    request.max_response_bytes = size_t{16} << 20;
    return FetchOnce(std::move(request));
  }

  TempDir dir_;
  std::unique_ptr<Mesh> mesh_;
};

TEST_F(MeshTest, EachPodAnswersAtItsOwnAddressAndPath) {
  Start();
  const MeshPorts ports = mesh_->ports();
  const std::string one = mesh_->pods()[0].ip, two = mesh_->pods()[1].ip;
  EXPECT_THAT(Fetch(one, ports.sidecar, "/stats/prometheus").body,
              HasSubstr("app=\"" + mesh_->pods()[0].app));
  EXPECT_THAT(Fetch(two, ports.sidecar, "/stats/prometheus").body,
              HasSubstr("app=\"" + mesh_->pods()[1].app));
  EXPECT_THAT(Fetch("127.9.0.1", ports.istiod, "/metrics").body,
              HasSubstr("pilot_xds_pushes{type=\"cds\"}"));
  EXPECT_EQ(Fetch("127.9.0.1", ports.sidecar, "/metrics").status, 404);
  EXPECT_EQ(Fetch(one, ports.sidecar, "/").status, 404);
  EXPECT_EQ(Fetch("127.0.0.1", ports.sidecar, "/stats/prometheus").status, 404);
  EXPECT_EQ(mesh_->counts().scrapes, 3u);
}

TEST_F(MeshTest, RecordsExactlyWhatItServed) {
  Start();
  const std::string ip = mesh_->pods()[2].ip;
  std::vector<std::string> bodies;
  for (int i = 0; i < 3; ++i) bodies.push_back(Fetch(ip, mesh_->ports().sidecar, "/metrics").body);
  const auto log = ReadScrapeLog(dir_.File("log"));
  const auto file = BodyFile::Open(dir_.File("bodies"));
  ASSERT_THAT(log, IsOk());
  ASSERT_THAT(file, IsOk());
  ASSERT_EQ(log->size(), 3u);
  for (size_t i = 0; i < 3; ++i) {
    const ServedScrape& scrape = (*log)[i];
    EXPECT_EQ(scrape.address, ip + ":" + std::to_string(mesh_->ports().sidecar));
    EXPECT_EQ(scrape.pod, mesh_->pods()[2].name);
    EXPECT_EQ(scrape.step, i + 1);
    EXPECT_EQ(scrape.bytes, bodies[i].size());
    const auto body = file->Read(scrape);
    ASSERT_THAT(body, IsOk());
    EXPECT_EQ(*body, bodies[i]);
  }
}

TEST_F(MeshTest, FaultyAnswersAreRecordedAsSuch) {
  Start({{Fault::kStatus, 1}});
  EXPECT_EQ(Fetch(mesh_->pods()[0].ip, mesh_->ports().sidecar, "/metrics").status, 500);
  const auto log = ReadScrapeLog(dir_.File("log"));
  ASSERT_THAT(log, IsOk());
  EXPECT_EQ((*log)[0].fault, Fault::kStatus);
  EXPECT_EQ((*log)[0].status, 500);
}

TEST_F(MeshTest, ALogThatWasCutIsReadUpToThere) {
  Start();
  Fetch(mesh_->pods()[0].ip, mesh_->ports().sidecar, "/metrics");
  const auto whole = ReadScrapeLog(dir_.File("log"));
  ASSERT_THAT(whole, IsOk());
  dir_.Write("cut", "{\"address\":\"1.2.3.4:5\",\"pod\":");
  EXPECT_EQ(ReadScrapeLog(dir_.File("cut"))->size(), 0u);
  dir_.Write("broken", "nonsense\n");
  EXPECT_THAT(ReadScrapeLog(dir_.File("broken")), StatusIs(absl::StatusCode::kDataLoss));
}

TEST_F(MeshTest, TargetsCarryWhatKubernetesWouldTell) {
  Start();
  const absl::StatusOr<JsonValue> all = ParseJson(mesh_->TargetsJson());
  const absl::StatusOr<JsonValue> node = ParseJson(mesh_->TargetsJson("node-1"));
  ASSERT_THAT(all, IsOk());
  ASSERT_THAT(node, IsOk());
  EXPECT_EQ(all->items.size(), 3u * 2 + 3) << "a target per declared container port";
  EXPECT_EQ(node->items.size(), 2u);
  const JsonValue& labels = all->items[1]["labels"];
  const std::pair<const char*, std::string> cases[] = {
      {"pod_annotation_prometheus_io_scrape", "true"},
      {"pod_annotation_prometheus_io_path", "/stats/prometheus"},
      {"pod_annotation_prometheus_io_port", std::to_string(mesh_->ports().sidecar)},
      {"pod_container_port_number", "15090"},
      {"pod_phase", "Running"},
      {"pod_label_security_istio_io_tlsMode", "istio"},
  };
  for (const auto& [name, want] : cases) {
    EXPECT_EQ(labels[std::string("__meta_kubernetes_") + name].text, want) << name;
  }
}

TEST(ParseJson, ReadsWhatIsJsonAndNothingElse) {
  const absl::StatusOr<JsonValue> value = ParseJson(
      " {\"a\": [1, -2.5e3, true, null], \"b\": {\"c\": \"x\\n\\u00e9\\ud83d\\ude00\"}, \"e\": "
      "{}} ");
  ASSERT_THAT(value, IsOk());
  EXPECT_EQ((*value)["a"].items[1].number(), -2500);
  EXPECT_EQ((*value)["a"].items[2].text, "true");
  EXPECT_EQ((*value)["b"]["c"].text, "x\n\u00e9\U0001F600");
  EXPECT_EQ((*value)["none"].kind, JsonValue::Kind::kNull);
  for (const char* wrong :
       {"", "{", "[1,]", "{\"a\"}", "[1 2]", "\"\\x\"", "\"\\ud800\"", "nul", "{}{}", "\"a"}) {
    EXPECT_THAT(ParseJson(wrong), StatusIs(absl::StatusCode::kInvalidArgument)) << wrong;
  }
  EXPECT_FALSE(ParseJson(std::string(1000, '[')).ok()) << "depth is bounded";
}

}  // namespace
}  // namespace ampari::bench
