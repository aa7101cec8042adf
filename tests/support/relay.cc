#include "tests/support/relay.h"

#include <grpcpp/create_channel.h>
#include <grpcpp/generic/async_generic_service.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>

#include <climits>
#include <deque>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "common/runtime/mutex.h"
#include "tests/support/relay_record.h"

namespace ampari {
namespace {

using grpc::ByteBuffer;
using Stub = grpc::TemplatedGenericStub<ByteBuffer, ByteBuffer>;

std::vector<grpc::Slice> Slices(ByteBuffer buffer) {
  std::vector<grpc::Slice> slices;
  (void)buffer.Dump(&slices);
  return slices;
}

std::vector<std::string_view> Views(const std::vector<grpc::Slice>& slices) {
  std::vector<std::string_view> views;
  for (const grpc::Slice& slice : slices) {
    views.emplace_back(reinterpret_cast<const char*>(slice.begin()), slice.size());
  }
  return views;
}

// What all streams obey.
struct Orders {
  Mutex mu;
  bool hold ABSL_GUARDED_BY(mu) = false;
  bool drop_acks ABSL_GUARDED_BY(mu) = false;
  bool refuse ABSL_GUARDED_BY(mu) = false;
};

bool Ordered(Orders& orders, bool Orders::*which) {
  MutexLock lock(orders.mu);
  return orders.*which;
}

// One direction of a stream: messages wait here while another is written or while all are held.
class Lane {
 public:
  void Push(ByteBuffer message) { waiting_.push_back(std::move(message)); }
  // The message to write now, which stays here until Written(); null: none.
  ByteBuffer* Next(bool held) {
    if (held || writing_ || waiting_.empty()) return nullptr;
    writing_ = true;
    return &waiting_.front();
  }
  void Written() {
    writing_ = false;
    waiting_.pop_front();
  }
  bool idle() const { return waiting_.empty(); }

 private:
  std::deque<ByteBuffer> waiting_;
  bool writing_ = false;
};

// A proxied stream: the forwarder's side (Front) and the gateway's (Back), under one lock. Its
// owner keeps it until done().
class Stream final {
 public:
  Stream(Orders& orders, RelayRecord& record, grpc::GenericCallbackServerContext* context)
      : orders_(orders), record_(record), front_context_(context), front_(*this), back_(*this) {}

  grpc::ServerGenericBidiReactor* Start(const std::shared_ptr<grpc::Channel>& channel) {
    for (const auto& [key, value] : front_context_->client_metadata()) {
      if (key != "authorization") continue;
      back_context_.AddMetadata("authorization", std::string(value.data(), value.size()));
    }
    stub_ = std::make_unique<Stub>(channel);
    stub_->PrepareBidiStreamingCall(&back_context_, front_context_->method(), {}, &back_);
    back_.AddHold();
    back_.StartRead(&from_gateway_);
    back_.StartCall();
    front_.StartRead(&from_forwarder_);
    return &front_;
  }

  void Cut() {
    MutexLock lock(mu_);
    back_context_.TryCancel();
    if (!front_finished_) front_context_->TryCancel();
  }

  void Pump() {
    MutexLock lock(mu_);
    PumpLocked();
  }

  bool done() {
    MutexLock lock(mu_);
    return front_done_ && back_done_;
  }

 private:
  class Front final : public grpc::ServerGenericBidiReactor {
   public:
    explicit Front(Stream& stream) : stream_(stream) {}
    void OnReadDone(bool ok) override { stream_.OnFromForwarder(ok); }
    void OnWriteDone(bool ok) override { stream_.OnWritten(stream_.to_forwarder_, ok); }
    void OnCancel() override { stream_.back_context_.TryCancel(); }
    void OnDone() override {
      MutexLock lock(stream_.mu_);
      stream_.front_done_ = true;
    }

   private:
    Stream& stream_;
  };

  class Back final : public grpc::ClientBidiReactor<ByteBuffer, ByteBuffer> {
   public:
    explicit Back(Stream& stream) : stream_(stream) {}
    void OnReadDone(bool ok) override { stream_.OnFromGateway(ok); }
    void OnWriteDone(bool ok) override { stream_.OnWritten(stream_.to_gateway_, ok); }
    void OnDone(const grpc::Status& status) override { stream_.OnBackDone(status); }

   private:
    Stream& stream_;
  };

  void OnFromForwarder(bool ok) {
    MutexLock lock(mu_);
    if (!ok) {
      forwarder_closed_ = true;
    } else {
      const std::vector<grpc::Slice> slices = Slices(from_forwarder_);
      record_.FromForwarder(Views(slices), &instance_);
      to_gateway_.Push(std::exchange(from_forwarder_, {}));
      if (!front_finished_) front_.StartRead(&from_forwarder_);
    }
    PumpLocked();
  }

  void OnFromGateway(bool ok) {
    MutexLock lock(mu_);
    if (!ok) {
      gateway_closed_ = true;
      back_.RemoveHold();
      return;
    }
    v1::GatewayMessage message;
    std::string bytes;
    const std::vector<grpc::Slice> slices = Slices(from_gateway_);
    for (const std::string_view piece : Views(slices)) bytes.append(piece);
    const bool parsed = message.ParseFromString(bytes);
    const bool heard = !(message.has_ack() && Ordered(orders_, &Orders::drop_acks));
    if (parsed) record_.FromGateway(message, instance_, heard);
    if (heard) to_forwarder_.Push(std::exchange(from_gateway_, {}));
    back_.StartRead(&from_gateway_);
    PumpLocked();
  }

  void OnWritten(Lane& lane, bool) {
    MutexLock lock(mu_);
    lane.Written();
    PumpLocked();
  }

  void PumpLocked() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    const bool held = Ordered(orders_, &Orders::hold);
    if (!gateway_closed_) {
      if (ByteBuffer* next = to_gateway_.Next(held)) {
        back_.StartWrite(next);
      } else if (forwarder_closed_ && to_gateway_.idle() && !std::exchange(writes_done_, true)) {
        back_.StartWritesDone();
      }
    }
    if (!front_finished_) {
      if (ByteBuffer* next = to_forwarder_.Next(held)) front_.StartWrite(next);
    }
  }

  void OnBackDone(const grpc::Status& status) {
    MutexLock lock(mu_);
    back_done_ = front_finished_ = true;
    front_.Finish(status);
  }

  Orders& orders_;
  RelayRecord& record_;
  grpc::GenericCallbackServerContext* const front_context_;
  grpc::ClientContext back_context_;
  std::unique_ptr<Stub> stub_;
  Mutex mu_;
  std::string instance_;
  ByteBuffer from_forwarder_, from_gateway_;
  Lane to_gateway_, to_forwarder_;
  bool forwarder_closed_ = false, gateway_closed_ = false, front_finished_ = false,
       writes_done_ = false;
  bool front_done_ = false, back_done_ = false;
  Front front_;
  Back back_;
};

// Ends at once, without a stream to the gateway.
class Refusal final : public grpc::ServerGenericBidiReactor {
 public:
  Refusal() { Finish(grpc::Status(grpc::StatusCode::UNAVAILABLE, "refused by the relay")); }
  void OnDone() override { delete this; }
};

}  // namespace

class Relay::Core final : public grpc::CallbackGenericService {
 public:
  explicit Core(const RelayOptions& options) : options_(options), record_(options.record_file) {}

  absl::Status Start() {
    if (!record_.ok())
      return absl::InvalidArgumentError(absl::StrCat("cannot write ", options_.record_file));
    grpc::ServerBuilder builder;
    builder.AddListeningPort(options_.listen_address, grpc::InsecureServerCredentials(), &port_);
    builder.RegisterCallbackGenericService(this);
    builder.SetMaxReceiveMessageSize(INT_MAX);
    server_ = builder.BuildAndStart();
    if (server_ == nullptr || port_ == 0) return absl::UnavailableError("cannot listen");
    return absl::OkStatus();
  }

  void Stop() {
    EachStream(&Stream::Cut);
    if (server_ != nullptr) server_->Shutdown(std::chrono::system_clock::now());
    server_.reset();
    while (open_streams() > 0) {
      EachStream(&Stream::Cut);
      absl::SleepFor(absl::Milliseconds(5));
    }
  }

  std::string address() const {
    return absl::StrCat(options_.listen_address.substr(0, options_.listen_address.rfind(':')), ":",
                        port_);
  }

  void Order(bool Orders::*which, bool value) {
    {
      MutexLock lock(orders_.mu);
      orders_.*which = value;
    }
    EachStream(&Stream::Pump);
  }

  void EachStream(void (Stream::*action)()) {
    MutexLock lock(mu_);
    Reap();
    for (const auto& stream : streams_) ((*stream).*action)();
  }

  int open_streams() {
    MutexLock lock(mu_);
    Reap();
    return static_cast<int>(streams_.size());
  }

  grpc::ServerGenericBidiReactor* CreateReactor(
      grpc::GenericCallbackServerContext* context) override {
    if (Ordered(orders_, &Orders::refuse)) return new Refusal();
    grpc::ChannelArguments args;
    args.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    args.SetMaxReceiveMessageSize(INT_MAX);
    auto channel = grpc::CreateCustomChannel(options_.gateway_address,
                                             grpc::InsecureChannelCredentials(), args);
    auto stream = std::make_unique<Stream>(orders_, record_, context);
    MutexLock lock(mu_);
    Reap();
    streams_.push_back(std::move(stream));
    return streams_.back()->Start(channel);
  }

 private:
  void Reap() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    std::erase_if(streams_, [](const auto& stream) { return stream->done(); });
  }

  const RelayOptions options_;
  RelayRecord record_;
  Orders orders_;
  int port_ = 0;
  Mutex mu_;
  std::vector<std::unique_ptr<Stream>> streams_ ABSL_GUARDED_BY(mu_);
  std::unique_ptr<grpc::Server> server_;
};

absl::StatusOr<std::unique_ptr<Relay>> Relay::Start(const RelayOptions& options) {
  auto core = std::make_unique<Core>(options);
  if (absl::Status started = core->Start(); !started.ok()) return started;
  return std::unique_ptr<Relay>(new Relay(std::move(core)));
}

Relay::Relay(std::unique_ptr<Core> core) : core_(std::move(core)) {}
Relay::~Relay() { core_->Stop(); }
std::string Relay::address() const { return core_->address(); }
void Relay::Cut() { core_->EachStream(&Stream::Cut); }
void Relay::Hold(bool hold) { core_->Order(&Orders::hold, hold); }
void Relay::DropAcks(bool drop) { core_->Order(&Orders::drop_acks, drop); }
void Relay::Refuse(bool refuse) { core_->Order(&Orders::refuse, refuse); }
int Relay::open_streams() const { return core_->open_streams(); }

}  // namespace ampari
