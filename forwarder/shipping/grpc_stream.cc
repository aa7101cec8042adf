#include "forwarder/shipping/grpc_stream.h"

#include <grpcpp/create_channel.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>
#include <grpcpp/support/byte_buffer.h>

#include <climits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/frame/log_frame.h"
#include "common/runtime/small_file.h"
#include "forwarder/shipping/token_file.h"

namespace ampari {
namespace {

constexpr char kMethod[] = "/ampari.v1.Shipping/Ship";
constexpr int kKeepaliveMs = 10000;  // silence before a ping, and before its answer is missed
// The gateway's messages are small, but for a refusal that names all the files of a frame.
constexpr int kMaxReceiveBytes = 4 << 20;
static_assert(kMaxLogFilesPerFrame <= kMaxReceiveBytes / 64,
              "a refused file takes 44 bytes at most");
constexpr int kMinConnectBackoffMs = 100;

using Stub = grpc::TemplatedGenericStub<grpc::ByteBuffer, grpc::ByteBuffer>;

// The slice keeps the ring's bytes alive instead of copying them.
grpc::Slice SharedSlice(const std::shared_ptr<const std::string>& bytes) {
  auto* owner = new std::shared_ptr<const std::string>(bytes);
  return grpc::Slice(
      const_cast<char*>(bytes->data()), bytes->size(),
      [](void* held) { delete static_cast<std::shared_ptr<const std::string>*>(held); }, owner);
}

grpc::ByteBuffer ToByteBuffer(const Outgoing& message) {
  if (message.body == nullptr) {
    const grpc::Slice slice(message.head);
    return grpc::ByteBuffer(&slice, 1);
  }
  const grpc::Slice slices[] = {grpc::Slice(message.head), SharedSlice(message.body)};
  return grpc::ByteBuffer(slices, 2);
}

bool Parse(grpc::ByteBuffer* buffer, v1::GatewayMessage* message) {
  std::vector<grpc::Slice> slices;
  if (!buffer->Dump(&slices).ok()) return false;
  std::string bytes;
  for (const grpc::Slice& slice : slices) {
    bytes.append(reinterpret_cast<const char*>(slice.begin()), slice.size());
  }
  return message->ParseFromString(bytes);
}

absl::Status ToStatus(const grpc::Status& status) {
  return absl::Status(static_cast<absl::StatusCode>(status.error_code()), status.error_message());
}

// Each attempt has a channel of its own, so that our backoff alone decides when to connect.
absl::StatusOr<std::shared_ptr<grpc::Channel>> NewChannel(const GrpcStreamOptions& options,
                                                          const std::string& address) {
  grpc::ChannelArguments args;
  args.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  args.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, kMinConnectBackoffMs);
  args.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, kKeepaliveMs);
  args.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, kKeepaliveMs);
  args.SetInt(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  args.SetInt(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
  args.SetMaxSendMessageSize(INT_MAX);  // the welcome's limits decide
  args.SetMaxReceiveMessageSize(kMaxReceiveBytes);
  if (options.insecure) {
    return grpc::CreateCustomChannel(address, grpc::InsecureChannelCredentials(), args);
  }
  grpc::SslCredentialsOptions tls;
  tls.pem_root_certs = options.ca;
  if (!options.ca_file.empty()) {
    absl::StatusOr<SmallFile> ca = ReadSmallFile(options.ca_file);
    if (!ca.ok()) return ca.status();
    tls.pem_root_certs = std::move(ca->bytes);
  }
  if (!options.server_name.empty()) args.SetSslTargetNameOverride(options.server_name);
  return grpc::CreateCustomChannel(address, grpc::SslCredentials(tls), args);
}

}  // namespace

// One stream. Its owner keeps it until OnEnded at least, and drops it outside of gRPC's threads:
// the last channel ends the queue that those threads serve, and waits for them.
class GrpcStream::Call final : public grpc::ClientBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer> {
 public:
  Call(StreamEvents& events, std::shared_ptr<grpc::Channel> channel, const std::string& token)
      : events_(events), stub_(std::move(channel)) {
    if (!token.empty()) context_.AddMetadata("authorization", absl::StrCat("Bearer ", token));
  }

  void Start() {
    stub_.PrepareBidiStreamingCall(&context_, kMethod, {}, this);
    AddHold();  // for Wake() and FinishWriting(), which come from outside
    StartRead(&incoming_);
    StartCall();
    Wake();
  }

  void Wake() {
    MutexLock lock(mu_);
    WriteNext();
  }

  void FinishWriting() {
    MutexLock lock(mu_);
    if (ended_ || finished_) return;
    finished_ = true;
    if (!writing_) StartWritesDone();
  }

  void Cancel() { context_.TryCancel(); }

  void OnWriteDone(bool ok) override {
    MutexLock lock(mu_);
    writing_ = false;
    if (!ok || ended_) return;
    if (finished_) {
      StartWritesDone();
    } else {
      WriteNext();
    }
  }

  void OnReadDone(bool ok) override {
    v1::GatewayMessage message;
    if (ok && !Parse(&incoming_, &message)) {
      Cancel();
      ok = false;
    }
    if (!ok) return End();
    events_.OnMessage(message);
    Wake();
    StartRead(&incoming_);
  }

  void OnDone(const grpc::Status& status) override { events_.OnEnded(ToStatus(status)); }

 private:
  void WriteNext() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    if (writing_ || ended_ || finished_) return;
    const std::optional<Outgoing> next = events_.OnWritable();
    if (!next) return;
    outgoing_ = ToByteBuffer(*next);
    writing_ = true;
    StartWrite(&outgoing_);
  }

  void End() {
    MutexLock lock(mu_);
    if (std::exchange(ended_, true)) return;
    RemoveHold();
  }

  StreamEvents& events_;
  Stub stub_;
  grpc::ClientContext context_;
  grpc::ByteBuffer incoming_;
  Mutex mu_;
  grpc::ByteBuffer outgoing_ ABSL_GUARDED_BY(mu_);
  bool writing_ ABSL_GUARDED_BY(mu_) = false;
  bool finished_ ABSL_GUARDED_BY(mu_) = false;  // no more writes by our will
  bool ended_ ABSL_GUARDED_BY(mu_) = false;     // nothing may be started any more
};

GrpcStream::GrpcStream(GrpcStreamOptions options, StreamEvents& events)
    : options_(std::move(options)), events_(events) {}

GrpcStream::~GrpcStream() = default;

std::shared_ptr<GrpcStream::Call> GrpcStream::call() const {
  MutexLock lock(mu_);
  return call_;
}

absl::Status GrpcStream::Open(const std::string& address) {
  std::string token = options_.token;
  if (!options_.token_file.empty()) {
    absl::StatusOr<std::string> read = ReadToken(options_.token_file);
    if (!read.ok()) return read.status();
    token = *std::move(read);
  }
  auto channel = NewChannel(options_, address);
  if (!channel.ok()) return channel.status();
  auto call = std::make_shared<Call>(events_, *std::move(channel), token);
  call->Start();
  {
    MutexLock lock(mu_);
    call_.swap(call);  // only now may others wake it
  }
  return absl::OkStatus();
}

void GrpcStream::Wake() {
  if (auto living = call()) living->Wake();
}

void GrpcStream::FinishWriting() {
  if (auto living = call()) living->FinishWriting();
}

void GrpcStream::Cancel() {
  if (auto living = call()) living->Cancel();
}

}  // namespace ampari
