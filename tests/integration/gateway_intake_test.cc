// Intake over real gRPC with a real store: what is taken, what is refused and with which words.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <fstream>
#include <string>
#include <thread>

#include "gateway/intake/server_credentials.h"
#include "tests/integration/gateway_bed.h"
#include "tests/support/fake_clock.h"
#include "tests/support/status_matchers.h"
#include "tests/support/test_certificates.h"

namespace ampari {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(Intake, AFrameIsAcknowledgedAndIsInTheLedger) {
  GatewayBed bed;
  ShipClient client(bed.target());
  client.Hello({.first = 1, .last = 2});
  client.SendFrame(1);
  client.SendFrame(2);
  EXPECT_TRUE(client.AwaitDurable(2));
  EXPECT_EQ(bed.ledger().accepted, 2 * kSamplesPerFrame);
  EXPECT_EQ(bed.ledger().pending, 2 * kSamplesPerFrame);
  EXPECT_EQ(bed.intake().status().frames_total, 2u);
}

TEST(Intake, AGapRecordTakesThePlaceOfFrames) {
  GatewayBed bed;
  ShipClient client(bed.target());
  client.Hello({.first = 1, .last = 4});
  v1::ForwarderMessage gap;
  gap.mutable_gap()->set_first_sequence(1);
  gap.mutable_gap()->add_counts(10);
  gap.mutable_gap()->add_counts(20);
  gap.mutable_gap()->set_reason(v1::Gap::REASON_RING_FULL);
  client.Send(gap);
  client.SendFrame(3);
  EXPECT_TRUE(client.AwaitDurable(3));
  EXPECT_EQ(bed.ledger().accepted, 30 + kSamplesPerFrame);
  EXPECT_EQ(bed.ledger().expired, (std::map<std::string, uint64_t>{{"ring_full", 30}}));
}

TEST(Intake, AHoleInTheSequenceIsRefusedByName) {
  GatewayBed bed;
  ShipClient client(bed.target());
  client.Hello({.first = 1, .last = 3});
  client.SendFrame(1);
  client.SendFrame(3);
  const auto refusal = client.AwaitRefusal();
  ASSERT_TRUE(refusal);
  EXPECT_EQ(refusal->sequence(), 3u);
  EXPECT_EQ(refusal->reason(), v1::Refusal::REASON_SEQUENCE);
  client.SendFrame(2);
  client.SendFrame(3);
  EXPECT_TRUE(client.AwaitDurable(3));
  EXPECT_EQ(bed.ledger().accepted, 3 * kSamplesPerFrame);
}

TEST(Intake, AMalformedFrameIsRefusedAndTheStreamGoesOn) {
  GatewayBed bed;
  ShipClient client(bed.target());
  client.Hello({.first = 1, .last = 1});
  std::string frame = TestFrame(1);
  frame.back() ^= 1;
  client.SendFrameBytes(frame);
  const auto refusal = client.AwaitRefusal();
  ASSERT_TRUE(refusal);
  EXPECT_EQ(refusal->sequence(), 1u);
  EXPECT_EQ(refusal->reason(), v1::Refusal::REASON_MALFORMED);
  EXPECT_NE(refusal->message(), "");
  client.SendFrame(1);
  EXPECT_TRUE(client.AwaitDurable(1));
  EXPECT_EQ(bed.intake().status().refused_frames_total["malformed"], 1u);
}

TEST(Intake, AnOversizeFrameIsRefusedBySequence) {
  GatewayBed bed({.max_frame_bytes = 4096});
  ShipClient client(bed.target());
  EXPECT_EQ(client.Hello({.first = 1, .last = 1}).limits().max_frame_bytes(), 4096u);
  client.SendFrame(1, 100'000);
  const auto refusal = client.AwaitRefusal();
  ASSERT_TRUE(refusal);
  EXPECT_EQ(refusal->sequence(), 1u);
  EXPECT_EQ(refusal->reason(), v1::Refusal::REASON_OVERSIZE);
  client.SendFrame(1);
  EXPECT_TRUE(client.AwaitDurable(1));
}

TEST(Intake, AMessageFarAboveTheBoundEndsTheStreamBeforeItIsRead) {
  GatewayBed bed({.max_frame_bytes = 4096, .max_registration_bytes = 4096});
  ShipClient client(bed.target());
  client.Hello({});
  client.SendFrameBytes(std::string(8 << 20, 'x'));
  EXPECT_FALSE(client.End().ok());
  EXPECT_EQ(bed.intake().status().frames_total, 0u);
}

TEST(Intake, WhatIsNoProtocolEndsTheStreamWithWords) {
  GatewayBed bed;
  const struct {
    const char* name;
    std::function<void(ShipClient&)> say;
    const char* words;
  } kRows[] = {
      {"frame first", [](ShipClient& c) { c.SendFrame(1); }, "hello"},
      {"nothing", [](ShipClient& c) { c.HalfClose(); }, "before its hello"},
      {"hello twice",
       [](ShipClient& c) {
         c.Hello({});
         c.Hello({});
       },
       "one hello"},
      {"empty message",
       [](ShipClient& c) {
         c.Hello({});
         c.Send({});
       },
       ""},
      {"bad registration",
       [](ShipClient& c) {
         c.Hello({});
         v1::ForwarderMessage message;
         message.set_registration("nonsense");
         c.Send(message);
       },
       "registration"},
      {"short instance", [](ShipClient& c) { c.Hello({.instance = "x"}); }, "instance"},
  };
  for (const auto& row : kRows) {
    ShipClient client(bed.target());
    row.say(client);
    const grpc::Status status = client.End();
    EXPECT_FALSE(status.ok()) << row.name;
    EXPECT_THAT(status.error_message(), HasSubstr(row.words)) << row.name;
  }
  EXPECT_EQ(bed.ledger().accepted, 0u);
}

TEST(Intake, TokensDecideAndAreNeverRepeated) {
  GatewayBed bed;
  for (const std::string& token :
       {std::string(), std::string("canary-token"), std::string("east-toke")}) {
    ShipClient client(bed.target(), token);
    const grpc::Status status = client.End();
    EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAUTHENTICATED) << token;
    EXPECT_THAT(status.error_message(), Not(HasSubstr("canary")));
    EXPECT_NE(status.error_message(), "");
  }
  EXPECT_EQ(bed.intake().status().unauthenticated_total, 3u);
}

TEST(Intake, ASecondTokenIsTakenAndAReplacedOneEndsItsStreams) {
  TempDir secrets;
  GatewayConfig config = BedConfig();
  config.forwarders[0].token = {"", secrets.Write("token", "old-token\nnew-token\n")};
  GatewayBed bed({}, SystemClock(), config);
  ShipClient with_old(bed.target(), "old-token");
  EXPECT_EQ(with_old.Hello({}).found(), v1::Welcome::FOUND_NEW);
  ShipClient with_new(bed.target(), "new-token");
  EXPECT_EQ(with_new.Hello({.instance = std::string(16, 'b')}).found(), v1::Welcome::FOUND_NEW);
  secrets.Write("next", "new-token\n");
  ASSERT_EQ(std::rename(secrets.File("next").c_str(), secrets.File("token").c_str()), 0);
  ASSERT_THAT(bed.entries().Refresh(), IsOk());
  EXPECT_EQ(with_old.End().error_code(), grpc::StatusCode::UNAUTHENTICATED);
  // The older instance's stream ends a moment later in the store; until then this one waits.
  for (bool admitted = false; !admitted;) {
    const auto notice = with_new.AwaitNotice();
    ASSERT_TRUE(notice.has_value());
    admitted = notice->admitted();
  }
  with_new.SendFrame(1);
  EXPECT_TRUE(with_new.AwaitDurable(1));
}

TEST(Intake, ASignalWithoutADestinationIsRefusedInTheWelcome) {
  GatewayBed bed;
  ShipClient client(bed.target());
  const v1::Welcome welcome = client.Hello({.signal = v1::SIGNAL_LOGS});
  EXPECT_EQ(welcome.found(), v1::Welcome::FOUND_REFUSED);
  EXPECT_THAT(welcome.refused(), HasSubstr("no destination for logs"));
  EXPECT_FALSE(client.End().ok());
}

TEST(Intake, AStreamThatSaysNothingIsEnded) {
  FakeClock clock;
  GatewayBed bed({}, clock);
  ShipClient silent(bed.target());
  ShipClient talking(bed.target());
  talking.Hello({});
  while (bed.intake().status().streams_opened_total < 2) std::this_thread::yield();
  clock.Advance(absl::Seconds(11));
  EXPECT_EQ(silent.End().error_code(), grpc::StatusCode::DEADLINE_EXCEEDED);
  talking.SendFrame(1);
  EXPECT_TRUE(talking.AwaitDurable(1));
}

TEST(Intake, StreamsOfAnEntryAreBounded) {
  GatewayBed bed({.max_streams_per_entry = 1});
  ShipClient first(bed.target());
  first.Hello({});
  ShipClient second(bed.target());
  EXPECT_EQ(second.End().error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_EQ(bed.intake().status().over_limit_total, 1u);
}

TEST(Intake, BackPressureStopsReadingAndLosesNothing) {
  GatewayBed bed({.max_unacknowledged_bytes = 1});  // the next read waits for each commit
  ShipClient client(bed.target());
  client.Hello({.first = 1, .last = 60});
  std::thread writer([&] {
    for (uint64_t sequence = 1; sequence <= 60; ++sequence) client.SendFrame(sequence, 200'000);
  });
  EXPECT_TRUE(client.AwaitDurable(60));
  writer.join();
  EXPECT_GT(bed.intake().status().reads_paused_total, 0u);
  EXPECT_EQ(bed.ledger().accepted, 60 * kSamplesPerFrame);
  EXPECT_EQ(bed.intake().status().waiting_bytes, 0u) << "what is durable waits no longer";
}

TEST(Intake, StoppingAcknowledgesWhatWasReadAndTellsTheStreams) {
  GatewayBed bed;
  ShipClient client(bed.target());
  client.Hello({.first = 1, .last = 1});
  client.SendFrame(1);
  EXPECT_TRUE(client.AwaitDurable(1));
  std::thread stop([&] { bed.intake().Stop(); });
  const grpc::Status status = client.End();
  stop.join();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_THAT(status.error_message(), HasSubstr("stops"));
}

GatewayConfig TlsConfig(const TestCertificates& certificates) {
  GatewayConfig config = BedConfig();
  config.grpc.insecure = false;
  config.grpc.cert_file = certificates.server_cert_file();
  config.grpc.key_file = certificates.server_key_file();
  return config;
}

TEST(IntakeTls, TakesTlsAndNothingElse) {
  TestCertificates certificates;
  if (!certificates.ok()) GTEST_SKIP() << "openssl(1) is not there";
  GatewayBed bed({}, SystemClock(), TlsConfig(certificates));
  ShipClient plain(bed.target());
  EXPECT_FALSE(plain.End().ok());
  grpc::SslCredentialsOptions options;
  options.pem_root_certs = ReadFileOrEmpty(certificates.ca_file());
  ShipClient client(bed.target(), "east-token", grpc::SslCredentials(options));
  EXPECT_EQ(client.Hello({}).found(), v1::Welcome::FOUND_NEW);
  client.SendFrame(1);
  EXPECT_TRUE(client.AwaitDurable(1));
}

TEST(IntakeTls, BadCertificatesAreNamedAtTheStart) {
  TestCertificates certificates;
  if (!certificates.ok()) GTEST_SKIP() << "openssl(1) is not there";
  TempDir dir;
  const std::string garbage = dir.Write("garbage", "canary");
  const struct {
    std::string cert, key, words;
  } kRows[] = {
      {dir.File("none"), certificates.server_key_file(), "cannot be read"},
      {certificates.server_cert_file(), dir.File("none"), "cannot be read"},
      {garbage, certificates.server_key_file(), "no PEM certificate"},
      {certificates.server_cert_file(), garbage, "no PEM private key"},
      {certificates.server_cert_file(), certificates.client_key_file(), "is not the key of"},
  };
  for (const auto& row : kRows) {
    const auto checked = CheckCertificate({row.cert, row.key});
    EXPECT_THAT(checked, StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(row.words)));
    EXPECT_THAT(std::string(checked.status().message()), Not(HasSubstr("canary")));
  }
  EXPECT_THAT(CheckCertificate({certificates.server_cert_file(), certificates.server_key_file()}),
              IsOk());
}

}  // namespace
}  // namespace ampari
