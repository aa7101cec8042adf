// GatewayBed: a real store with real intake on a free port, and ShipClient: a forwarder reduced to
// its wire.
#pragma once

#include <grpcpp/grpcpp.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "ampari/v1/shipping.grpc.pb.h"
#include "common/runtime/clock.h"
#include "gateway/intake/intake_server.h"
#include "gateway/store/store.h"
#include "gateway/tenants/entries.h"
#include "tests/support/temp_dir.h"

namespace ampari {

inline constexpr uint64_t kSamplesPerFrame = 3;

// A well-formed frame of kSamplesPerFrame samples and of at least `padding` bytes that do not
// compress.
std::string TestFrame(uint64_t sequence, size_t padding = 0);

// One entry "east" (token "east-token") of tenant "t", which has one destination "region" for
// metrics.
GatewayConfig BedConfig();

// Store and intake over one directory. Restart() and friends end all streams.
class GatewayBed {
 public:
  explicit GatewayBed(IntakeLimits limits = {}, const Clock& clock = SystemClock(),
                      GatewayConfig config = BedConfig());
  ~GatewayBed() { Stop(); }

  void Start(const std::string& directory);
  void Stop();
  void Restart() { Restart(directory_); }
  void Restart(const std::string& directory);
  // A copy of the directory as it is; stops and starts again for it.
  std::string Snapshot(const std::string& name);

  Store& store() { return *store_; }
  IntakeServer& intake() { return *intake_; }
  Entries& entries() { return entries_; }
  Ledger ledger() const;
  std::string target() const;
  // Settles everything of the instance up to its frame `sequence` as delivered, as a destination
  // would.
  void Deliver(uint64_t sequence);
  std::string alarms() const;

  TempDir dir;

 private:
  const IntakeLimits limits_;
  const Clock& clock_;
  const GatewayConfig config_;
  std::string directory_;
  Entries entries_;
  std::unique_ptr<Store> store_;
  std::unique_ptr<IntakeServer> intake_;
};

// What a forwarder remembers, and what its hello is made from.
struct ShipIdentity {
  std::string instance = std::string(16, 'a');
  std::string store_id = {};
  uint64_t acknowledged = 0, settled = 0;
  uint64_t first = 0, last = 0;  // of the ring
  bool draining = false;
  v1::Signal signal = v1::SIGNAL_METRICS;
};

// One stream. Every wait ends after 20 s at the latest, with a failed expectation.
class ShipClient {
 public:
  ShipClient(
      const std::string& target, const std::string& token = "east-token",
      std::shared_ptr<grpc::ChannelCredentials> credentials = grpc::InsecureChannelCredentials());

  // Says hello and returns the welcome (empty when the stream ended instead).
  v1::Welcome Hello(const ShipIdentity& identity);
  bool Send(const v1::ForwarderMessage& message) { return stream_->Write(message); }
  bool SendFrame(uint64_t sequence, size_t padding = 0);
  bool SendFrameBytes(const std::string& frame);
  // Reads until a message for which `wanted` is true; nullopt when the stream ended before.
  std::optional<v1::GatewayMessage> Await(
      const std::function<bool(const v1::GatewayMessage&)>& wanted);
  bool AwaitDurable(uint64_t sequence);
  bool AwaitSettled(uint64_t sequence);
  std::optional<v1::Refusal> AwaitRefusal();
  std::optional<v1::Notice> AwaitNotice();
  // Reads to the end of the stream.
  grpc::Status End();
  void HalfClose() { stream_->WritesDone(); }
  void Cancel() { call_.TryCancel(); }

 private:
  grpc::ClientContext call_;
  std::shared_ptr<grpc::Channel> channel_;
  std::unique_ptr<v1::Shipping::Stub> stub_;
  std::unique_ptr<grpc::ClientReaderWriter<v1::ForwarderMessage, v1::GatewayMessage>> stream_;
};

}  // namespace ampari
