#include "gateway/intake/intake_server.h"

#include <grpcpp/grpcpp.h>
#include <grpcpp/resource_quota.h>

#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "ampari/v1/shipping.grpc.pb.h"
#include "common/runtime/logging.h"
#include "gateway/intake/peer_address.h"
#include "gateway/intake/server_credentials.h"
#include "gateway/intake/ship_stream.h"

namespace ampari {
namespace {

using grpc::ByteBuffer;
using Reactor = grpc::ServerBidiReactor<ByteBuffer, ByteBuffer>;

constexpr int kKeepaliveMs =
    10'000;  // a ping after this long without one, both for time and for the answer
constexpr int kMinPingIntervalMs = 5'000;  // forwarders ping every 10 s; faster ones are cut off
constexpr int kMaxMessageSlackBytes =
    4 << 20;  // above max_frame_bytes: still read, so that it is refused by name
constexpr size_t kMaxMetadataBytes = 16 << 10;
constexpr size_t kQuotaSlackBytes = size_t{256} << 20;  // gRPC's own buffers besides what waits
constexpr absl::Duration kDrainTime = absl::Seconds(2);
constexpr absl::Duration kShutdownTime = absl::Seconds(3);

grpc::Status ToGrpc(const absl::Status& status) {
  return {static_cast<grpc::StatusCode>(status.code()), std::string(status.message())};
}

// One call. Owned by gRPC: made by the service, deleted in OnDone.
class ShipReactor final : public Reactor, public StreamWire {
 public:
  ShipReactor(std::shared_ptr<StreamSurroundings> around, Admission admission, std::string peer,
              grpc::CallbackServerContext* call)
      : call_(call),
        stream_(std::make_shared<ShipStream>(std::move(around), std::move(admission),
                                             std::move(peer), this)) {}

  void Begin() { stream_->Begin(); }

  // StreamWire
  void Read() override { StartRead(&in_); }
  void Write(std::string message) override {
    grpc::Slice slice(message);
    out_ = ByteBuffer(&slice, 1);
    StartWrite(&out_);
  }
  void Finish(const absl::Status& status) override { Reactor::Finish(ToGrpc(status)); }
  void Cancel() override { call_->TryCancel(); }

  // gRPC
  void OnReadDone(bool ok) override {
    if (!ok) return stream_->OnReadEnd();
    auto slices = std::make_shared<std::vector<grpc::Slice>>();
    const grpc::Status dumped = in_.Dump(slices.get());
    in_.Clear();
    if (!dumped.ok()) return stream_->Close(absl::InvalidArgumentError("a message cannot be read"));
    std::vector<std::string_view> pieces;
    pieces.reserve(slices->size());
    for (const grpc::Slice& slice : *slices) {
      if (slice.size() != 0)
        pieces.emplace_back(reinterpret_cast<const char*>(slice.begin()), slice.size());
    }
    stream_->OnMessage(pieces, std::move(slices));
  }
  void OnWriteDone(bool) override { stream_->OnWritten(); }
  void OnCancel() override { stream_->Close(absl::CancelledError("the forwarder went away")); }
  void OnDone() override {
    stream_->OnGone();
    delete this;
  }

 private:
  grpc::CallbackServerContext* const call_;
  ByteBuffer in_, out_;
  std::shared_ptr<ShipStream> stream_;
};

// A call that is not let in.
class RefusedReactor final : public Reactor {
 public:
  explicit RefusedReactor(const absl::Status& why) { Finish(ToGrpc(why)); }
  void OnDone() override { delete this; }
};

std::string_view Authorization(const grpc::CallbackServerContext& call) {
  const auto found = call.client_metadata().find("authorization");
  return found == call.client_metadata().end()
             ? std::string_view()
             : std::string_view(found->second.data(), found->second.size());
}

class ShippingService final
    : public v1::Shipping::WithRawCallbackMethod_Ship<v1::Shipping::Service> {
 public:
  explicit ShippingService(std::shared_ptr<StreamSurroundings> around)
      : around_(std::move(around)) {}

  Reactor* Ship(grpc::CallbackServerContext* call) override {
    PeerAddress peer = ParsePeer(call->peer());
    absl::StatusOr<Admission> admission =
        around_->entries.Authenticate({Authorization(*call), peer.loopback});
    if (!admission.ok()) {
      around_->counters.unauthenticated.fetch_add(1, std::memory_order_relaxed);
      return Refuse(admission.status(), peer);
    }
    const absl::Status admitted = around_->budget.Admit(admission->identity.entry);
    if (!admitted.ok()) {
      around_->counters.over_limit.fetch_add(1, std::memory_order_relaxed);
      return Refuse(admitted, peer);
    }
    auto* reactor = new ShipReactor(around_, *std::move(admission), std::move(peer.text), call);
    reactor->Begin();
    return reactor;
  }

 private:
  Reactor* Refuse(const absl::Status& why, const PeerAddress& peer) {
    Log(refusals_, LogLevel::kWarn, "stream refused", {{"peer", peer.text}, {"reason", why}});
    return new RefusedReactor(why);
  }

  const std::shared_ptr<StreamSurroundings> around_;
  LogLimit refusals_;
};

void Configure(grpc::ServerBuilder& builder, const IntakeLimits& limits) {
  builder.SetMaxReceiveMessageSize(
      static_cast<int>(std::max(limits.max_frame_bytes, limits.max_registration_bytes)) +
      kMaxMessageSlackBytes);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, kKeepaliveMs);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, kKeepaliveMs);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS,
                             kMinPingIntervalMs);
  builder.AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS,
                             static_cast<int>(limits.max_streams_per_connection));
  builder.AddChannelArgument(GRPC_ARG_MAX_METADATA_SIZE, static_cast<int>(kMaxMetadataBytes));
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT,
                             0);  // a second gateway on the port is an error
  // Frames are compressed already, and a small message must not become a large one.
  builder.SetCompressionAlgorithmSupportStatus(GRPC_COMPRESS_DEFLATE, false);
  builder.SetCompressionAlgorithmSupportStatus(GRPC_COMPRESS_GZIP, false);
  grpc::ResourceQuota quota("ampari_intake");
  quota.Resize(limits.max_waiting_bytes + kQuotaSlackBytes);
  builder.SetResourceQuota(quota);
}

}  // namespace

class IntakeServer::Core {
 public:
  Core(std::shared_ptr<StreamSurroundings> around)
      : around_(std::move(around)), service_(around_) {}
  ~Core() { Stop(); }

  absl::Status Start(const IntakeOptions& options) {
    std::shared_ptr<grpc::ServerCredentials> credentials;
    if (options.insecure) {
      credentials = grpc::InsecureServerCredentials();  // the configuration warns
    } else {
      absl::StatusOr<std::shared_ptr<grpc::ServerCredentials>> tls =
          TlsCredentials({options.cert_file, options.key_file});
      if (!tls.ok()) return tls.status();
      credentials = *std::move(tls);
    }
    grpc::ServerBuilder builder;
    Configure(builder, options.limits);
    builder.AddListeningPort(options.listen_address, credentials, &port_);
    builder.RegisterService(&service_);
    around_->pump.Start();
    server_ = builder.BuildAndStart();
    if (server_ == nullptr || port_ == 0) {
      return absl::UnavailableError(
          absl::StrCat("cannot listen on grpc.listen_address ", options.listen_address));
    }
    return absl::OkStatus();
  }

  void Stop() {
    if (server_ != nullptr) {
      Drain();
      for (const auto& stream : around_->pump.streams()) {
        stream->Close(absl::UnavailableError("the gateway stops"));
      }
      server_->Shutdown(std::chrono::system_clock::now() +
                        absl::ToChronoMilliseconds(kShutdownTime));
      server_.reset();
    }
    around_->pump.Stop();
  }

  int port() const { return port_; }
  IntakeStatus status() const;

 private:
  // What was read becomes durable and is acknowledged before the streams end.
  void Drain() {
    const absl::Duration deadline = around_->clock.Monotonic() + kDrainTime;
    for (const auto& stream : around_->pump.streams()) stream->StopReading();
    while (around_->budget.waiting_bytes() != 0 && around_->clock.Monotonic() < deadline) {
      std::this_thread::sleep_for(absl::ToChronoMilliseconds(absl::Milliseconds(10)));
    }
  }

  const std::shared_ptr<StreamSurroundings> around_;
  ShippingService service_;
  int port_ = 0;
  std::unique_ptr<grpc::Server> server_;
};

IntakeStatus IntakeServer::Core::status() const {
  const IntakeCounters& counters = around_->counters;
  IntakeStatus status;
  status.streams = around_->budget.streams();
  status.streams_opened_total = counters.streams_opened;
  status.unauthenticated_total = counters.unauthenticated;
  status.over_limit_total = counters.over_limit;
  status.invalid_streams_total = counters.invalid_streams;
  status.frames_total = counters.frames;
  status.frame_bytes_total = counters.frame_bytes;
  status.gaps_total = counters.gaps;
  status.registrations_total = counters.registrations;
  status.registration_bytes_total = counters.registration_bytes;
  constexpr std::string_view kReasons[] = {"", "oversize", "malformed", "position", "sequence"};
  for (size_t i = 1; i < std::size(kReasons); ++i) {
    status.refused_frames_total[std::string(kReasons[i])] = counters.refused[i];
  }
  status.reads_paused_total = counters.reads_paused;
  status.waiting_bytes = around_->budget.waiting_bytes();
  status.max_waiting_bytes = around_->budget.limits().max_waiting_bytes;
  return status;
}

absl::StatusOr<std::unique_ptr<IntakeServer>> IntakeServer::Start(const IntakeOptions& options,
                                                                  const Entries& entries,
                                                                  Store& store,
                                                                  const Clock& clock) {
  auto core = std::make_unique<Core>(
      std::make_shared<StreamSurroundings>(store, entries, options.limits, clock));
  const absl::Status started = core->Start(options);
  if (!started.ok()) return started;
  return std::unique_ptr<IntakeServer>(new IntakeServer(std::move(core)));
}

IntakeServer::IntakeServer(std::unique_ptr<Core> core) : core_(std::move(core)) {}
IntakeServer::~IntakeServer() = default;
void IntakeServer::Stop() { core_->Stop(); }
uint16_t IntakeServer::port() const { return static_cast<uint16_t>(core_->port()); }
IntakeStatus IntakeServer::status() const { return core_->status(); }

}  // namespace ampari
