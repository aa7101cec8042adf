// The whole gateway in one process, with logs: from a stream over the real store to a Loki, what is
// shown of it, and what a tenant without loki_write hears.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <string>

#include "absl/strings/str_cat.h"
#include "common/frame/log_frame.h"
#include "common/http/loop.h"
#include "gateway/gateway.h"
#include "gateway/status/queue_text.h"
#include "tests/integration/gateway_bed.h"
#include "tests/integration/log_region.h"
#include "tests/support/eventually.h"
#include "tests/support/status_matchers.h"

namespace ampari {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;
using testing::SizeIs;

constexpr uint64_t kLines = 10;
constexpr int64_t kFirstNs = 1'700'000'000'000'000'000;

// Frame `sequence` of one file, kLines lines of 10 bytes each: "line <n>".
std::string FrameOf(uint64_t sequence) {
  LogFrameBuilder builder;
  builder.BeginStream({{"app", "web"}});
  for (uint64_t i = 0; i < kLines; ++i) {
    const uint64_t number = (sequence - 1) * kLines + i;
    builder.AddLine(kFirstNs + static_cast<int64_t>(number), absl::StrCat("line ", number));
  }
  LogFilePart file;
  file.key = std::string(kLogFileKeyBytes, 'k');
  file.first = sequence == 1;
  file.name = "shop_web/web/0.log";
  file.from.out = (sequence - 1) * 100;
  file.upto.out = sequence * 100;
  builder.AddFile(file);
  return builder.Finish(sequence);
}

class GatewayLogs : public testing::Test {
 protected:
  std::string Config(const std::string& destinations) {
    return absl::StrCat("storage: {directory: ", dir_.File("data"), ", max_bytes: 512MiB}\n",
                        "grpc: {listen_address: \"127.0.0.1:0\", insecure: true}\n",
                        "http: {listen_address: \"127.0.0.1:0\"}\n",
                        "forwarders: [{name: east, token: t, labels: {cluster: east}}]\n",
                        destinations);
  }
  std::string LokiWrite(const std::string& fields = "") {
    return absl::StrCat("loki_write:\n  - {name: logs, url: \"", loki_.url(),
                        "\", batch_wait: 0s, min_backoff_period: 1ms, max_backoff_period: 10ms",
                        fields, "}\n");
  }
  void Start(const std::string& yaml) {
    const std::string file = dir_.Write("gateway.yaml", yaml);
    auto config = LoadGatewayConfig(file);
    ASSERT_THAT(config, IsOk());
    auto gateway = Gateway::Start(*config, file, SystemClock());
    ASSERT_THAT(gateway, IsOk());
    gateway_ = *std::move(gateway);
  }
  std::string target() const { return absl::StrCat("127.0.0.1:", gateway_->grpc_port()); }
  std::string Get(const std::string& path) {
    HttpRequest request;
    request.url = absl::StrCat("http://127.0.0.1:", gateway_->http_port(), path);
    request.max_response_bytes = size_t{4} << 20;
    const HttpResponse response = FetchOnce(request);
    EXPECT_EQ(response.status, 200) << path;
    return response.body;
  }
  Ledger LedgerOf() {
    const StoreStatus status = gateway_->snapshot().store;
    EXPECT_THAT(status.destinations, SizeIs(1));
    return status.destinations.at(0).ledger;
  }
  // Everything that was accepted is settled, and the account adds up.
  bool Settled(uint64_t accepted) {
    const Ledger ledger = LedgerOf();
    return ledger.accepted == accepted && ledger.pending == 0;
  }

  TempDir dir_;
  FakeLoki loki_;
  std::unique_ptr<Gateway> gateway_;
};

TEST_F(GatewayLogs, ArriveOverARestartOnceAndInOrder) {
  ShipIdentity identity{.signal = v1::SIGNAL_LOGS};
  constexpr uint64_t kPerLife = 20;
  for (uint64_t life = 0; life < 3; ++life) {
    loki_.SetScript([](const LokiRequest&, size_t number, bool* store) {
      ServerResponse busy;
      busy.status = 503;
      *store = number % 2 == 0;
      return number % 3 == 0 ? std::optional(busy) : std::nullopt;
    });
    Start(Config(LokiWrite()));
    ShipClient client(target(), "t");
    identity.acknowledged = life * kPerLife;
    identity.first = life * kPerLife + 1;
    identity.last = (life + 1) * kPerLife;
    const v1::Welcome welcome = client.Hello(identity);
    EXPECT_EQ(welcome.mark(), life * kPerLife);
    identity.store_id = welcome.store_id();
    for (uint64_t sequence = identity.first; sequence <= identity.last; ++sequence)
      client.SendFrameBytes(FrameOf(sequence));
    ASSERT_TRUE(client.AwaitDurable(identity.last));
    if (life == 2) {
      EXPECT_TRUE(client.AwaitSettled(identity.last));
    }
    gateway_->Stop();
    if (life == 2) {
      EXPECT_TRUE(Settled(3 * kPerLife * kLines));
      EXPECT_EQ(LedgerOf().delivered, 3 * kPerLife * kLines);
      EXPECT_THAT(gateway_->snapshot().store.alarms, IsEmpty());
    }
    gateway_.reset();
  }
  EXPECT_THAT(loki_.complaints(), IsEmpty());
  const auto stored = loki_.stored();
  ASSERT_THAT(stored,
              ElementsAre(Pair("{app=\"web\", cluster=\"east\"}", SizeIs(3 * kPerLife * kLines))));
  const auto& lines = stored.begin()->second;
  for (size_t i = 0; i < lines.size(); ++i)
    ASSERT_EQ(std::get<1>(lines[i]), absl::StrCat("line ", i));
}

// Two forwarders of one node have read the same file to its end, and it is gone.
TEST_F(GatewayLogs, OfARetiredFileAreNotTakenFromWhoComesLate) {
  ShipIdentity older{.signal = v1::SIGNAL_LOGS};
  ShipIdentity newer{.instance = std::string(16, 'b'), .signal = v1::SIGNAL_LOGS};
  older.first = newer.first = 1;
  older.last = newer.last = 2;
  Start(Config(LokiWrite()));
  {
    ShipClient first(target(), "t"), second(target(), "t");
    older.store_id = first.Hello(older).store_id();
    EXPECT_EQ(second.Hello(newer).epoch(), 2u);
    second.SendFrameBytes(FrameOf(1));
    second.SendFrameBytes(FrameOf(2));
    ASSERT_TRUE(second.AwaitDurable(2));
    v1::ForwarderMessage gone;
    gone.mutable_retire()->add_files(std::string(kLogFileKeyBytes, 'k'));
    second.Send(gone);
    second.HalfClose();
    EXPECT_TRUE(second.End().ok());
  }
  gateway_->Stop();
  gateway_.reset();
  Start(Config(LokiWrite()));
  ShipClient late(target(), "t");
  EXPECT_EQ(late.Hello(older).found(), v1::Welcome::FOUND_KNOWN);
  late.SendFrameBytes(FrameOf(1));
  const auto refusal = late.AwaitRefusal();
  ASSERT_TRUE(refusal.has_value());
  EXPECT_EQ(refusal->reason(), v1::Refusal::REASON_POSITION);
  ASSERT_EQ(refusal->files_size(), 1);
  EXPECT_TRUE(refusal->files(0).known());
  EXPECT_EQ(refusal->files(0).out(), 200u);
  EXPECT_TRUE(Eventually([&] { return Settled(2 * kLines); })) << Get("/api/v1/destinations");
  EXPECT_THAT(Get("/api/v1/queue/verify?format=text"), HasSubstr("ok"));
  EXPECT_EQ(loki_.stored_lines(), 2 * kLines);
  EXPECT_THAT(loki_.complaints(), IsEmpty());
}

TEST_F(GatewayLogs, AreShownWithTheirSignal) {
  loki_.SetPoison("line 3");
  Start(Config(LokiWrite(", limits: {max_line_size: 6}")));
  ShipClient client(target(), "t");
  client.Hello({.first = 1, .last = 2, .signal = v1::SIGNAL_LOGS});
  client.SendFrameBytes(FrameOf(1));
  client.SendFrameBytes(FrameOf(2));
  ASSERT_TRUE(Eventually([&] { return Settled(2 * kLines); })) << Get("/api/v1/destinations");
  const std::string id = "tenant=\"\",signal=\"logs\",destination=\"logs\"";
  EXPECT_THAT(Get("/metrics"),
              AllOf(HasSubstr("ampari_gateway_samples_delivered_total{" + id + "} 9"),
                    HasSubstr("samples_rejected_total{" + id + ",reason=\"bad_request\"} 1"),
                    HasSubstr("samples_rejected_total{" + id + ",reason=\"limit\"} 10"),
                    HasSubstr("samples_rejected_total{" + id + ",reason=\"blocked\"} 0"),
                    HasSubstr("ampari_gateway_delivery_lines_cut_total{" + id + "} 0")));
  EXPECT_THAT(Get("/api/v1/status/ledger"), HasSubstr("\"signal\":\"logs\""));
  EXPECT_THAT(Get("/api/v1/destinations"),
              AllOf(HasSubstr("\"signal\":\"logs\""), HasSubstr("\"lines_cut\":0"),
                    HasSubstr("a line over 6 bytes: {app=")));
  EXPECT_THAT(Get("/api/v1/queue?format=text"), HasSubstr("logs (logs)"));
  EXPECT_THAT(Get("/api/v1/queue/verify?format=text"), HasSubstr("ok"));
  EXPECT_THAT(Get("/api/v1/dead_letters?format=text"),
              AllOf(HasSubstr("2023-11-14T22:13:20.000000003+00:00 \"line 3\""),
                    HasSubstr("400: some line is refused")));
}

TEST_F(GatewayLogs, NeedALokiWriteOfTheTenantAndMayComeByReload) {
  const std::string metrics = "remote_write: [{name: region, url: \"http://127.0.0.1:1/push\"}]\n";
  Start(Config(metrics));
  {
    ShipClient client(target(), "t");
    EXPECT_THAT(client.Hello({.first = 1, .last = 1, .signal = v1::SIGNAL_LOGS}).refused(),
                HasSubstr("configure loki_write at the gateway"));
  }
  dir_.Write("gateway.yaml", Config(metrics + LokiWrite()));
  ASSERT_THAT(gateway_->Reload(), IsOk());
  ShipClient client(target(), "t");
  EXPECT_NE(client.Hello({.first = 1, .last = 1, .signal = v1::SIGNAL_LOGS}).epoch(), 0u);
  client.SendFrameBytes(FrameOf(1));
  EXPECT_TRUE(Eventually([&] { return loki_.stored_lines() == kLines; }));
  const std::vector<DeliveryStatus> deliveries = gateway_->snapshot().deliveries;
  ASSERT_THAT(deliveries, SizeIs(2));
  EXPECT_EQ(deliveries[0].id.signal, Signal::kMetrics);
  EXPECT_EQ(deliveries[1].id.signal, Signal::kLogs);
}

}  // namespace
}  // namespace ampari
