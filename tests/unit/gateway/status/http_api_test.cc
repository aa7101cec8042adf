#include "gateway/status/http_api.h"

#include <gmock/gmock.h>
#include <google/protobuf/struct.pb.h>
#include <google/protobuf/util/json_util.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "gateway/status/gateway_metrics.h"
#include "tests/support/temp_dir.h"

namespace ampari {
namespace {

using testing::HasSubstr;
using testing::Not;

// One of everything, with text that wants escaping.
GatewaySnapshot FullSnapshot() {
  GatewaySnapshot snapshot;
  snapshot.now_ms = 100'000;
  DestinationStatus destination;
  destination.id = {"te\"nant", Signal::kMetrics, "region"};
  destination.ledger.accepted = 100;
  destination.ledger.delivered = 60;
  destination.ledger.pending = 20;
  destination.ledger.rejected = {{"too_old", 8}, {"bad\nreason", 2}};
  destination.ledger.expired = {{"age", 5}};
  destination.ledger.dropped = 3;
  destination.ledger.uncertain = 1;
  destination.ledger.lost = 1;
  destination.ledger.aside = {{"parked", 4}};
  destination.ledger.pending_frames = 2;
  destination.ledger.pending_bytes = 40;
  destination.ledger.oldest_pending_intake_ms = 70'000;
  snapshot.store.destinations = {destination};
  snapshot.store.alarms = {"hole of 3 frames"};
  snapshot.store.disk_bytes = 1000;
  snapshot.store.max_bytes = 2000;
  InstanceStatus instance;
  instance.entry = "east";
  instance.forwarder_name = "node-1";
  instance.connected = true;
  InstanceStatus older = instance;
  older.superseded = true;
  older.signal = Signal::kLogs;
  snapshot.store.instances = {instance, older};
  snapshot.layouts.rerenders = 2;
  DeliveryStatus delivery;
  delivery.id = destination.id;
  delivery.url = "https://region/push";
  delivery.state = "retrying";
  delivery.brake = "429 91 %";
  delivery.held_since_ms = 60'000;
  delivery.accepted_rate = 1;
  delivery.delivered_rate = 3;
  delivery.responses_total = {{200, 7}, {429, 70}, {0, 1}};
  snapshot.deliveries = {delivery};
  snapshot.intake.streams = {{"east", 1}};
  snapshot.intake.refused_frames_total = {{"oversize", 1}, {"malformed", 2}};
  EntryIdentity entry;
  entry.entry = "east";
  entry.labels = Labels{{"cluster", "e"}};
  snapshot.entries = {entry};
  snapshot.credentials = {{"tls_certificate", {}, 2e9},
                          {"token", {"te\"nant", Signal::kMetrics, "region"}, 1.9e9}};
  return snapshot;
}

class HttpApiTest : public testing::Test {
 protected:
  HttpApiTest() : api_(Sources()) {}

  HttpApiSources Sources() {
    HttpApiSources sources;
    sources.snapshot = FullSnapshot;
    sources.verify = [this] {
      ++verified_;
      return std::vector<VerifyProblem>{{"queue a: 3 counted, 4 stored"}};
    };
    sources.dead_letters = [](const std::string& tenant, size_t limit) {
      DeadLetter letter;
      letter.series = "{tenant=\"" + tenant + "\"}";
      letter.samples = limit;
      return std::vector<DeadLetter>{letter};
    };
    sources.reload = [this] { return reload_; };
    sources.ready = [this] { return ready_; };
    sources.change_token = [] { return std::string("canary-token"); };
    return sources;
  }

  ServerResponse Ask(const std::string& method, const std::string& path,
                     const std::string& query = "") {
    ServerRequest request;
    request.method = method;
    request.path = path;
    request.query = query;
    request.peer_is_loopback = loopback_;
    request.headers = {{"host", "127.0.0.1:4751"}};
    ServerResponse response = api_.Answer(request);
    return response.deferred ? response.deferred() : response;
  }

  absl::Status reload_;
  bool ready_ = true;
  bool loopback_ = true;
  int verified_ = 0;
  HttpApi api_;
};

TEST_F(HttpApiTest, EveryPageIsJson) {
  const struct {
    const char* path;
    const char* holds;
  } kRows[] = {
      {"/api/v1/status/ledger", R"("tenant":"te\"nant","signal":"metrics","destination":"region")"},
      {"/api/v1/status/ledger",
       R"("rejected":{"bad\nreason":2,"too_old":8},"expired":{"age":5},"aside":{"parked":4})"},
      {"/api/v1/status/ledger", R"("oldest_pending_seconds":30,"drain_seconds":10)"},
      {"/api/v1/status/ledger", R"("brake":"429 91 %","state":"retrying")"},
      {"/api/v1/queue", R"("alarms":["hole of 3 frames"])"},
      {"/api/v1/queue", R"("empty":false)"},
      {"/api/v1/queue/verify", R"({"ok":false,"problems":["queue a: 3 counted, 4 stored"]})"},
      {"/api/v1/forwarders", R"("name":"east")"},
      {"/api/v1/forwarders", R"("signal":"logs","peer":)"},
      {"/api/v1/destinations", R"("responses":{"0":1,"200":7,"429":70})"},
      {"/api/v1/dead_letters", R"("samples":100)"},
  };
  for (const auto& row : kRows) {
    const ServerResponse response = Ask("GET", row.path);
    EXPECT_EQ(response.status, 200) << row.path;
    EXPECT_EQ(response.content_type, "application/json");
    EXPECT_THAT(response.body, HasSubstr(row.holds)) << row.path;
    google::protobuf::Struct parsed;
    EXPECT_TRUE(google::protobuf::util::JsonStringToMessage(response.body, &parsed).ok())
        << response.body;
  }
}

TEST_F(HttpApiTest, MethodsAndPaths) {
  const struct {
    const char* method;
    const char* path;
    int status;
  } kRows[] = {
      {"GET", "/-/healthy", 200},     {"HEAD", "/-/healthy", 200},    {"POST", "/-/healthy", 405},
      {"GET", "/-/ready", 200},       {"GET", "/-/reload", 405},      {"POST", "/-/reload", 200},
      {"PUT", "/-/reload", 200},      {"DELETE", "/-/reload", 405},   {"GET", "/", 404},
      {"GET", "/../etc/passwd", 404}, {"POST", "/api/v1/queue", 405}, {"GET", "/metrics", 200},
  };
  for (const auto& row : kRows)
    EXPECT_EQ(Ask(row.method, row.path).status, row.status) << row.method << " " << row.path;
}

TEST_F(HttpApiTest, ReadinessIsTakingFramesAndNothingElse) {
  ready_ = false;
  EXPECT_EQ(Ask("GET", "/-/ready").status, 503);
  EXPECT_EQ(Ask("GET", "/-/healthy").status, 200);
}

TEST_F(HttpApiTest, VerifyingIsLeftToAThreadOfItsOwn) {
  ServerRequest request;
  request.method = "GET";
  request.path = "/api/v1/queue/verify";
  request.headers = {{"host", "127.0.0.1:4751"}};
  const ServerResponse response = api_.Answer(request);
  EXPECT_EQ(verified_, 0);
  ASSERT_TRUE(response.deferred);
  EXPECT_THAT(response.deferred().body, HasSubstr("4 stored"));
  EXPECT_EQ(verified_, 1);
}

TEST_F(HttpApiTest, AFailedReloadSaysWhy) {
  reload_ = absl::InvalidArgumentError("gateway.yaml:3: unknown key");
  const ServerResponse response = Ask("POST", "/-/reload");
  EXPECT_EQ(response.status, 500);
  EXPECT_THAT(response.body, HasSubstr("unknown key"));
}

TEST_F(HttpApiTest, ChangesFromElsewhereNeedTheTokenWhichIsNeverShown) {
  loopback_ = false;
  const ServerResponse response = Ask("POST", "/-/reload");
  EXPECT_EQ(response.status, 401);
  EXPECT_THAT(response.body, Not(HasSubstr("canary")));
}

TEST_F(HttpApiTest, DeadLetterLimits) {
  EXPECT_THAT(Ask("GET", "/api/v1/dead_letters", "tenant=a&limit=7").body,
              HasSubstr(R"("samples":7)"));
  EXPECT_THAT(Ask("GET", "/api/v1/dead_letters", "limit=99999").body,
              HasSubstr(R"("samples":1000)"));
  EXPECT_EQ(Ask("GET", "/api/v1/dead_letters", "limit=-1").status, 400);
  EXPECT_EQ(Ask("GET", "/api/v1/dead_letters", "limit=7x").status, 400);
}

TEST_F(HttpApiTest, MetricsTellTheWholeLedger) {
  const std::string text = Ask("GET", "/metrics").body;
  for (const char* line : {
           "samples_accepted_total{tenant=\"te\\\"nant\",signal=\"metrics\",destination=\"region\"}"
           " 100",
           "samples_delivered_total{tenant=\"te\\\"nant\",signal=\"metrics\",destination="
           "\"region\"} 60",
           "destination=\"region\",reason=\"too_old\"} 8",
           "destination=\"region\",reason=\"age\"} 5",
           "destination=\"region\",reason=\"bad_request\"} 0",  // the first will be an increase
           "destination=\"region\",reason=\"parked\"} 4",
           "destination=\"region\",reason=\"quarantined\"} 0",
           "ampari_gateway_oldest_pending_age_seconds{tenant=\"te\\\"nant\",signal=\"metrics\","
           "destination=\"region\"} 30",
           "ampari_gateway_delivery_held_seconds{tenant=\"te\\\"nant\",signal=\"metrics\","
           "destination=\"region\"} 40",
           "ampari_gateway_store_instances_superseded 1",
           "expiry_timestamp_seconds{credential=\"tls_certificate\"} 2000000000",
           "destination=\"region\",credential=\"token\"} 1900000000",
           "ampari_gateway_layout_rerenders_total 2",
           "destination=\"region\",code=\"429\"} 70",
           "ampari_gateway_intake_streams{entry=\"east\"} 1",
       }) {
    EXPECT_THAT(text, HasSubstr(line));
  }
}

TEST_F(HttpApiTest, TimeToFullIsThereWhileTheBacklogGrows) {
  constexpr char kName[] = "ampari_gateway_store_full_estimate_seconds";
  EXPECT_THAT(Ask("GET", "/metrics").body, Not(HasSubstr(kName)));  // delivers more than comes in
  GatewaySnapshot snapshot = FullSnapshot();
  snapshot.deliveries[0].accepted_rate = 8;  // 5/s more than are delivered, of 2 bytes each
  std::vector<MetricFamily> families;
  AddStoreMetrics(snapshot, families);
  const auto found = std::find_if(families.begin(), families.end(),
                                  [&](const MetricFamily& f) { return f.name == kName; });
  ASSERT_NE(found, families.end());
  EXPECT_EQ(found->samples.at(0).value, 100);
  // A smaller backlog of another tenant that grows by the same, and one that has no delivery.
  DestinationStatus other = snapshot.store.destinations[0];
  other.id.tenant = "other";
  other.ledger.pending = 10;
  other.ledger.pending_bytes = 10;
  snapshot.store.destinations.push_back(other);
  DeliveryStatus delivery = snapshot.deliveries[0];
  delivery.id = other.id;
  delivery.accepted_rate = 13;
  snapshot.deliveries.push_back(delivery);
  EXPECT_EQ(FullSeconds(DiskRatesOf(snapshot)), 50);
  other.id.name = "removed";
  other.ledger.pending = 20;
  other.ledger.pending_bytes = 20;
  snapshot.store.destinations.push_back(other);
  EXPECT_NEAR(FullSeconds(DiskRatesOf(snapshot)).value_or(0), 1000.0 / (10 + 13), 1e-9);
}

TEST_F(HttpApiTest, PromtoolFindsNothingToSay) {
  if (std::system("command -v promtool > /dev/null 2>&1") != 0)
    GTEST_SKIP() << "promtool is not installed";
  TempDir dir;
  const std::string metrics = dir.Write("metrics", Ask("GET", "/metrics").body);
  const std::string said = dir.File("said");
  const int code =
      std::system(("promtool check metrics < " + metrics + " > " + said + " 2>&1").c_str());
  std::ifstream words(said);
  EXPECT_EQ(code, 0) << std::string(std::istreambuf_iterator<char>(words), {});
}

}  // namespace
}  // namespace ampari
