// The whole gateway in one process: from a stream to a region, over a reload and a stop, with a
// secret planted everywhere.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <string>
#include <thread>

#include "absl/strings/str_cat.h"
#include "common/frame/registration.h"
#include "common/http/loop.h"
#include "common/http/server.h"
#include "gateway/gateway.h"
#include "gateway/queue_command.h"
#include "tests/integration/gateway_bed.h"
#include "tests/support/ballast.h"
#include "tests/support/eventually.h"
#include "tests/support/file_size_limit.h"
#include "tests/support/status_matchers.h"

namespace ampari {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr char kCanary[] = "canary-5f1e";
constexpr uint64_t kMaxBytes = uint64_t{512} << 20;

// A region that takes everything, or answers `status`.
class Region {
 public:
  Region() {
    auto server = HttpServer::Start({}, [this](const ServerRequest& request) {
      ServerResponse response;
      response.status = status;
      if (request.Header("authorization") == absl::StrCat("Bearer ", kCanary, "-region").c_str())
        ++authorized;
      return response;
    });
    EXPECT_THAT(server, IsOk());
    server_ = *std::move(server);
  }
  std::string url() const { return absl::StrCat("http://127.0.0.1:", server_->port(), "/push"); }
  std::atomic<int> status{204};
  std::atomic<int> authorized{0};

 private:
  std::unique_ptr<HttpServer> server_;
};

class GatewayProgram : public testing::Test {
 protected:
  std::string Config(const std::string& url, const std::string& more = "") {
    return absl::StrCat(
        "storage: {directory: ", dir_.File("data"), ", max_bytes: ", kMaxBytes, "}\n",
        "grpc: {listen_address: \"127.0.0.1:0\", insecure: true}\n",
        "http: {listen_address: \"127.0.0.1:0\"}\n", "forwarders: [{name: east, token: ", kCanary,
        "-east, labels: {cluster: east}}]\n", "remote_write:\n  - {name: region, url: \"", url,
        "\", authorization: {credentials: ", kCanary, "-region}}\n", more);
  }
  void Start(const std::string& yaml) {
    const std::string file = dir_.Write("gateway.yaml", yaml);
    auto config = LoadGatewayConfig(file);
    ASSERT_THAT(config, IsOk());
    auto gateway = Gateway::Start(*config, file, SystemClock());
    ASSERT_THAT(gateway, IsOk());
    gateway_ = *std::move(gateway);
  }
  std::string Get(const std::string& path) {
    HttpRequest request;
    request.url = absl::StrCat("http://127.0.0.1:", gateway_->http_port(), path);
    request.max_response_bytes = size_t{4} << 20;
    const HttpResponse response = FetchOnce(request);
    EXPECT_EQ(response.status, 200) << path;
    return response.body;
  }
  // Registers three series and ships one frame of them. Returns the store id.
  std::string ShipOne(const std::string& token) {
    ShipClient client(absl::StrCat("127.0.0.1:", gateway_->grpc_port()), token);
    const v1::Welcome welcome = client.Hello({.first = 1, .last = 1});
    EXPECT_NE(welcome.epoch(), 0u);
    RegistrationBlock block;
    block.number = 1;
    block.first_series = 1;
    for (const char* name : {"a", "b", "c"}) block.series.push_back(Labels{{"__name__", name}});
    block.first_layout = 1;
    block.layouts = {{0, 3, {{false, 1, 3}}}};
    v1::ForwarderMessage message;
    message.set_registration(EncodeRegistration(block));
    client.Send(message);
    client.SendFrame(1);
    EXPECT_TRUE(client.AwaitDurable(1));
    return welcome.store_id();
  }
  // Frames are taken, and will be as long as the disk is not full.
  void AwaitReserve() {
    EXPECT_TRUE(Eventually([&] {
      return BallastHeld(dir_.File("data"), kMaxBytes) && !gateway_->snapshot().store.paused;
    }));
  }
  uint64_t Delivered() { return gateway_->snapshot().store.destinations.at(0).ledger.delivered; }

  TempDir dir_;
  Region region_;
  std::unique_ptr<Gateway> gateway_;
};

TEST_F(GatewayProgram, DeliversAndShowsNoSecretAnywhere) {
  testing::internal::CaptureStderr();
  region_.status = 401;
  Start(Config(region_.url()));
  ShipOne(absl::StrCat(kCanary, "-east"));
  EXPECT_TRUE(Eventually([&] { return gateway_->snapshot().deliveries.at(0).held; }));
  {
    ShipClient refused(absl::StrCat("127.0.0.1:", gateway_->grpc_port()),
                       absl::StrCat(kCanary, "-wrong"));
    EXPECT_THAT(refused.End().error_message(), Not(HasSubstr(kCanary)));
  }
  std::string shown;
  for (const char* path :
       {"/metrics", "/api/v1/status/ledger", "/api/v1/queue", "/api/v1/queue/verify",
        "/api/v1/forwarders", "/api/v1/destinations", "/api/v1/dead_letters", "/-/ready"}) {
    absl::StrAppend(&shown, Get(path));
  }
  region_.status = 204;
  dir_.Write("gateway.yaml", absl::StrCat(Config(region_.url()), "unknown_key: ", kCanary, "\n"));
  absl::StrAppend(&shown, std::string(gateway_->Reload().message()));
  dir_.Write("gateway.yaml", Config(region_.url(), "global: {external_labels: {mesh: m}}\n"));
  EXPECT_THAT(gateway_->Reload(), IsOk());
  EXPECT_TRUE(Eventually([&] { return Delivered() == kSamplesPerFrame; }))
      << Get("/api/v1/destinations");
  EXPECT_GT(region_.authorized, 0);
  gateway_->Stop();
  gateway_.reset();
  absl::StrAppend(&shown, testing::internal::GetCapturedStderr());
  const auto config = LoadGatewayConfig(dir_.File("gateway.yaml"));
  absl::StrAppend(&shown, PrintGatewayConfig(*config));
  EXPECT_THAT(shown, HasSubstr("held"));
  size_t found = shown.find(kCanary);
  EXPECT_EQ(found, std::string::npos)
      << shown.substr(found > 200 ? found - 200 : 0, found == std::string::npos ? 0 : 300);
}

TEST_F(GatewayProgram, AFailedReloadLeavesTheFormerConfigurationInForce) {
  Start(Config(region_.url()));
  const struct {
    std::string yaml;
    const char* words;
  } kRows[] = {
      {"nonsense: 1\n", "nonsense"},
      {"", ""},
      {Config(region_.url(), "") + "global: {external_labels: {mesh: 1}, nope: 2}\n", "nope"},
  };
  for (const auto& row : kRows) {
    dir_.Write("gateway.yaml", row.yaml);
    const absl::Status status = gateway_->Reload();
    EXPECT_FALSE(status.ok()) << row.yaml;
    EXPECT_THAT(std::string(status.message()), HasSubstr(row.words));
    EXPECT_FALSE(gateway_->snapshot().reload.last_successful);
  }
  ShipOne(absl::StrCat(kCanary, "-east"));
  EXPECT_TRUE(Eventually([&] { return Delivered() == kSamplesPerFrame; }));
  dir_.Write("gateway.yaml", Config(region_.url()));
  EXPECT_THAT(gateway_->Reload(), IsOk());
  EXPECT_TRUE(gateway_->snapshot().reload.last_successful);
}

// The destinations that the store counts for, in the form "tenant/destination".
std::vector<std::string> Counted(const Gateway& gateway) {
  std::vector<std::string> names;
  for (const DestinationStatus& destination : gateway.snapshot().store.destinations) {
    if (!destination.removed)
      names.push_back(absl::StrCat(destination.id.tenant, "/", destination.id.name));
  }
  return names;
}

TEST_F(GatewayProgram, AReloadThatTheDiskRefusesChangesNothing) {
  Start(Config(region_.url()));
  const std::string store_id = ShipOne(absl::StrCat(kCanary, "-east"));
  EXPECT_TRUE(Eventually([&] { return Delivered() == kSamplesPerFrame; }));
  const std::vector<std::string> before = Counted(*gateway_);
  std::string other = Config(region_.url());
  other.replace(other.find("name: region"), 12, "name: moved, start: oldest");
  dir_.Write("gateway.yaml", other);
  absl::Status status;
  AwaitReserve();
  {
    auto full = std::make_unique<FileSizeLimit>(1);
    std::thread reload([&] { status = gateway_->Reload(); });
    // The store has closed itself and tries to open again until the disk is not full any more.
    EXPECT_TRUE(Eventually([&] { return Counted(*gateway_).empty(); }));
    full.reset();
    reload.join();
  }
  AwaitReserve();
  EXPECT_FALSE(status.ok());
  EXPECT_FALSE(gateway_->snapshot().reload.last_successful);
  EXPECT_EQ(Counted(*gateway_), before);
  ShipClient back(absl::StrCat("127.0.0.1:", gateway_->grpc_port()),
                  absl::StrCat(kCanary, "-east"));
  back.Hello({.store_id = store_id, .acknowledged = 1, .first = 2, .last = 2});
  back.SendFrame(2);
  EXPECT_TRUE(Eventually([&] { return Delivered() == 2 * kSamplesPerFrame; }));
  EXPECT_THAT(gateway_->Reload(), IsOk());
  EXPECT_THAT(Counted(*gateway_), testing::ElementsAre(testing::HasSubstr("/moved")));
}

TEST_F(GatewayProgram, ARestartKeepsLedgerAndMarks) {
  region_.status = 503;
  Start(Config(region_.url()));
  const std::string store_id = ShipOne(absl::StrCat(kCanary, "-east"));
  gateway_->Stop();
  gateway_.reset();
  region_.status = 204;
  Start(Config(region_.url()));
  EXPECT_EQ(gateway_->snapshot().store.destinations.at(0).ledger.accepted, kSamplesPerFrame);
  // Delivery waits for the producers that were there before the stop.
  ShipClient back(absl::StrCat("127.0.0.1:", gateway_->grpc_port()),
                  absl::StrCat(kCanary, "-east"));
  EXPECT_EQ(back.Hello({.store_id = store_id, .acknowledged = 1, .first = 1, .last = 1}).mark(),
            1u);
  EXPECT_TRUE(Eventually([&] {
    const Ledger ledger = gateway_->snapshot().store.destinations.at(0).ledger;
    return ledger.pending == 0 && ledger.delivered + ledger.uncertain == kSamplesPerFrame;
  })) << Get("/api/v1/status/ledger")
      << Get("/api/v1/destinations");
  if (std::system("command -v promtool > /dev/null 2>&1") != 0)
    GTEST_SKIP() << "promtool is not installed";
  const std::string metrics = dir_.Write("metrics", Get("/metrics"));
  EXPECT_EQ(std::system(("promtool check metrics < " + metrics).c_str()), 0);
}

// A gateway that is busy is not taken for one that does not run, whose directory would be opened.
TEST_F(GatewayProgram, AVerifyDuringAnotherSaysSo) {
  auto busy = HttpServer::Start({}, [](const ServerRequest&) {
    ServerResponse response;
    response.status = 503;
    response.body = "busy with another\n";
    return response;
  });
  ASSERT_THAT(busy, IsOk());
  GatewayConfig config;
  config.storage.directory = dir_.File("data");
  config.http_listen_address = absl::StrCat("127.0.0.1:", (*busy)->port());
  std::filesystem::create_directory(config.storage.directory);
  testing::internal::CaptureStderr();
  EXPECT_EQ(RunQueueCommand({true, QueueVerb::kVerify}, config), kExitRuntime);
  EXPECT_THAT(testing::internal::GetCapturedStderr(), HasSubstr("busy with another"));
  EXPECT_TRUE(std::filesystem::is_empty(config.storage.directory));
}

}  // namespace
}  // namespace ampari
