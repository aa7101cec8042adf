#include "tests/integration/gateway_bed.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <random>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/frame/frame.h"
#include "gateway/topology.h"
#include "tests/support/status_matchers.h"

namespace ampari {

std::string TestFrame(uint64_t sequence, size_t padding) {
  Scrape scrape;
  scrape.timestamp_ms = 1'700'000'000'000;
  scrape.body_layout = 1;
  scrape.body_values = {1, 2, 3};
  if (padding != 0) {
    std::minstd_rand random(static_cast<uint32_t>(sequence));
    FamilyMetadata family;
    family.family = "f";
    while (family.help.size() < padding)
      family.help.push_back(static_cast<char>(33 + random() % 90));
    // 90 of 256 byte values: compresses to four fifths at best.
    while (family.help.size() < padding + padding / 3)
      family.help.push_back(static_cast<char>(33 + random() % 90));
    scrape.metadata = {family};
  }
  FrameBuilder builder;
  builder.Add(scrape, kSamplesPerFrame);
  return builder.Finish(sequence);
}

GatewayConfig BedConfig() {
  GatewayConfig config;
  ForwarderEntry entry;
  entry.name = "east";
  entry.token.value = "east-token";
  entry.tenant = "t";
  entry.labels = Labels{{"cluster", "east"}};
  config.forwarders = {entry};
  TenantConfig tenant;
  tenant.id = "t";
  RemoteWriteConfig write;
  write.name = "region";
  tenant.remote_write = {write};
  config.tenants = {tenant};
  config.grpc.listen_address = "127.0.0.1:0";
  config.grpc.insecure = true;
  config.storage.max_bytes = uint64_t{512} << 20;
  return config;
}

GatewayBed::GatewayBed(IntakeLimits limits, const Clock& clock, GatewayConfig config)
    : limits_(limits), clock_(clock), config_(std::move(config)) {
  EXPECT_THAT(entries_.Replace(config_), IsOk());
  Start(dir.File("data"));
}

void GatewayBed::Start(const std::string& directory) {
  directory_ = directory;
  StoreOptions options;
  options.directory = directory;
  options.max_bytes = config_.storage.max_bytes;
  auto store = Store::Open(options, clock_);
  ASSERT_THAT(store, IsOk());
  store_ = *std::move(store);
  ASSERT_THAT(store_->Apply(TopologyOf(config_)), IsOk());
  const GrpcConfig& grpc = config_.grpc;
  auto intake = IntakeServer::Start(
      {grpc.listen_address, grpc.insecure, grpc.cert_file, grpc.key_file, limits_}, entries_,
      *store_, clock_);
  ASSERT_THAT(intake, IsOk());
  intake_ = *std::move(intake);
}

void GatewayBed::Stop() {
  intake_.reset();
  store_.reset();
}

void GatewayBed::Restart(const std::string& directory) {
  Stop();
  Start(directory);
}

std::string GatewayBed::Snapshot(const std::string& name) {
  Stop();
  std::filesystem::copy(directory_, dir.File(name), std::filesystem::copy_options::recursive);
  Start(directory_);
  return dir.File(name);
}

Ledger GatewayBed::ledger() const { return store_->status().destinations.at(0).ledger; }

std::string GatewayBed::target() const { return absl::StrCat("127.0.0.1:", intake_->port()); }

std::string GatewayBed::alarms() const { return absl::StrJoin(store_->status().alarms, "\n"); }

void GatewayBed::Deliver(uint64_t sequence) {
  const DestinationId id{"t", Signal::kMetrics, "region"};
  uint64_t next = 0;
  const auto records = store_->Read(id, 0, size_t{64} << 20, &next);
  ASSERT_THAT(records, IsOk());
  Settlement settlement;
  settlement.destination = id;
  for (const RecordPtr& record : *records) {
    const uint64_t cursor = store_->Lanes(id)[record->header.lane].cursor;
    if (record->sequence < cursor || record->header.frame_sequence > sequence) continue;
    settlement.lane = record->header.lane;
    settlement.from = cursor;
    settlement.upto = record->sequence + 1;
    settlement.delivered += record->header.items;
    settlement.settled = {{record->header.instance, record->header.frame_sequence}};
  }
  ASSERT_TRUE(store_->Claim(id, settlement.lane, settlement.from, settlement.upto));
  store_->Settle(settlement, [] {});
}

ShipClient::ShipClient(const std::string& target, const std::string& token,
                       std::shared_ptr<grpc::ChannelCredentials> credentials) {
  call_.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(20));
  if (!token.empty()) call_.AddMetadata("authorization", "Bearer " + token);
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  arguments.SetMaxReceiveMessageSize(-1);
  channel_ = grpc::CreateCustomChannel(target, credentials, arguments);
  stub_ = v1::Shipping::NewStub(channel_);
  stream_ = stub_->Ship(&call_);
}

v1::Welcome ShipClient::Hello(const ShipIdentity& identity) {
  v1::ForwarderMessage message;
  v1::Hello& hello = *message.mutable_hello();
  hello.set_protocol_version(1);
  hello.set_forwarder_name("node-1");
  hello.set_instance(identity.instance);
  hello.set_signal(identity.signal);
  hello.set_draining(identity.draining);
  hello.set_first_sequence(identity.first);
  hello.set_last_sequence(identity.last);
  hello.set_acknowledged(identity.acknowledged);
  hello.set_settled(identity.settled);
  hello.set_store_id(identity.store_id);
  stream_->Write(message);
  const auto answer = Await([](const v1::GatewayMessage& m) { return m.has_welcome(); });
  return answer ? answer->welcome() : v1::Welcome();
}

bool ShipClient::SendFrame(uint64_t sequence, size_t padding) {
  return SendFrameBytes(TestFrame(sequence, padding));
}

bool ShipClient::SendFrameBytes(const std::string& frame) {
  v1::ForwarderMessage message;
  message.set_waited_ms(1);
  message.set_frame(frame);
  return Send(message);
}

std::optional<v1::GatewayMessage> ShipClient::Await(
    const std::function<bool(const v1::GatewayMessage&)>& wanted) {
  v1::GatewayMessage message;
  while (stream_->Read(&message)) {
    if (wanted(message)) return message;
  }
  return std::nullopt;
}

bool ShipClient::AwaitDurable(uint64_t sequence) {
  return Await([&](const v1::GatewayMessage& m) { return m.ack().durable() >= sequence; })
      .has_value();
}

bool ShipClient::AwaitSettled(uint64_t sequence) {
  return Await([&](const v1::GatewayMessage& m) { return m.ack().settled() >= sequence; })
      .has_value();
}

std::optional<v1::Refusal> ShipClient::AwaitRefusal() {
  const auto message = Await([](const v1::GatewayMessage& m) { return m.has_refusal(); });
  return message ? std::optional(message->refusal()) : std::nullopt;
}

std::optional<v1::Notice> ShipClient::AwaitNotice() {
  const auto message = Await([](const v1::GatewayMessage& m) { return m.has_notice(); });
  return message ? std::optional(message->notice()) : std::nullopt;
}

grpc::Status ShipClient::End() {
  Await([](const v1::GatewayMessage&) { return false; });
  return stream_->Finish();
}

}  // namespace ampari
