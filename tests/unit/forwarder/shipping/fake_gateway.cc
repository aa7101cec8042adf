#include "tests/unit/forwarder/shipping/fake_gateway.h"

#include <grpcpp/grpcpp.h>

#include "absl/strings/str_cat.h"
#include "ampari/v1/shipping.grpc.pb.h"
#include "common/frame/frame.h"
#include "common/frame/registration.h"
#include "common/runtime/mutex.h"

namespace ampari {

using Link = grpc::ServerReaderWriter<v1::GatewayMessage, v1::ForwarderMessage>;

class FakeGateway::Service final : public v1::Shipping::Service {
 public:
  explicit Service(FakeGatewayOptions options) : options_(std::move(options)) {}

  grpc::Status Ship(grpc::ServerContext* context, Link* link) override {
    const auto token = context->client_metadata().find("authorization");
    if (!options_.token.empty() && (token == context->client_metadata().end() ||
                                    token->second != "Bearer " + options_.token)) {
      return {grpc::StatusCode::UNAUTHENTICATED, "no entry has this token"};
    }
    v1::ForwarderMessage message;
    if (!link->Read(&message) || !message.has_hello())
      return {grpc::StatusCode::INVALID_ARGUMENT, "no hello"};
    const std::string instance = message.hello().instance();
    link->Write(Welcome(message.hello()));
    while (link->Read(&message)) {
      v1::GatewayMessage answer;
      if (Take(instance, message, &answer)) link->Write(answer);
    }
    return grpc::Status::OK;
  }

  void Start() {
    grpc::ServerBuilder builder;
    builder.AddListeningPort(absl::StrCat("127.0.0.1:", options_.port),
                             grpc::InsecureServerCredentials(), &options_.port);
    builder.RegisterService(this);
    server_ = builder.BuildAndStart();
  }
  void Stop() {
    if (server_ != nullptr) server_->Shutdown(std::chrono::system_clock::now());
    server_.reset();
  }

  v1::GatewayMessage Welcome(const v1::Hello& hello) {
    MutexLock lock(mu_);
    ++hellos_;
    v1::GatewayMessage message;
    v1::Welcome& welcome = *message.mutable_welcome();
    welcome.set_store_id("the store");
    welcome.set_epoch(1);
    welcome.set_found(instances_.count(hello.instance()) == 0 ? v1::Welcome::FOUND_NEW
                                                              : v1::Welcome::FOUND_KNOWN);
    const FakeInstance& instance = instances_[hello.instance()];
    welcome.set_mark(instance.items.size());
    if (options_.settle) welcome.set_settled(instance.items.size());
    if (welcome.mark() < hello.acknowledged()) Complain("acknowledged more than the mark");
    welcome.mutable_limits()->set_max_frame_bytes(16 << 20);
    welcome.mutable_limits()->set_max_unacknowledged_bytes(1 << 20);
    return message;
  }

  // True when there is something to answer.
  bool Take(const std::string& id, const v1::ForwarderMessage& message,
            v1::GatewayMessage* answer) {
    MutexLock lock(mu_);
    FakeInstance& instance = instances_[id];
    if (message.has_drained()) ++instance.drained;
    if (!message.registration().empty()) {
      const auto header = ParseRegistrationHeader(message.registration());
      if (!header.ok()) Complain(header.status().ToString());
      if (header.ok()) instance.blocks.push_back(header->number);
      if (options_.keep_bytes) instance.registrations.push_back(message.registration());
    }
    if (message.has_gap()) TakeGap(message.gap(), &instance);
    if (!message.frame().empty()) TakeFrame(message.frame(), &instance);
    answer->mutable_ack()->set_durable(instance.items.size());
    if (options_.settle) answer->mutable_ack()->set_settled(instance.items.size());
    return options_.acknowledge && (message.has_gap() || !message.frame().empty());
  }

  FakeGatewayOptions options_;
  mutable Mutex mu_;
  std::map<std::string, FakeInstance> instances_ ABSL_GUARDED_BY(mu_);
  uint64_t hellos_ ABSL_GUARDED_BY(mu_) = 0;
  std::string complaint_ ABSL_GUARDED_BY(mu_);

 private:
  void TakeGap(const v1::Gap& gap, FakeInstance* instance) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    if (gap.first_sequence() != instance->items.size() + 1) Complain("gap not at mark + 1");
    for (const uint64_t count : gap.counts()) {
      instance->items.push_back(0);
      instance->expired += count;
    }
  }

  void TakeFrame(const std::string& frame, FakeInstance* instance)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    const auto header = ParseFrameHeader(frame);
    if (!header.ok() || !VerifyFrame(*header, {frame}).ok()) return Complain("frame malformed");
    if (header->sequence <= instance->items.size()) {
      ++instance->resent;
    } else if (header->sequence != instance->items.size() + 1) {
      Complain(absl::StrCat("sequence ", header->sequence, " after ", instance->items.size()));
    } else {
      instance->items.push_back(header->items);
      if (options_.keep_bytes) instance->frames.push_back(frame);
    }
  }

  void Complain(const std::string& words) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    if (complaint_.empty()) complaint_ = words;
  }

  std::unique_ptr<grpc::Server> server_;
};

FakeGateway::FakeGateway(FakeGatewayOptions options)
    : service_(std::make_unique<Service>(std::move(options))) {
  service_->Start();
}
FakeGateway::~FakeGateway() { service_->Stop(); }
std::string FakeGateway::address() const {
  return absl::StrCat("127.0.0.1:", service_->options_.port);
}
void FakeGateway::Stop() { service_->Stop(); }
void FakeGateway::Restart() { service_->Start(); }
void FakeGateway::Acknowledge(bool acknowledge) {
  MutexLock lock(service_->mu_);
  service_->options_.acknowledge = acknowledge;
}
std::map<std::string, FakeInstance> FakeGateway::instances() const {
  MutexLock lock(service_->mu_);
  return service_->instances_;
}
uint64_t FakeGateway::hellos() const {
  MutexLock lock(service_->mu_);
  return service_->hellos_;
}
std::string FakeGateway::complaint() const {
  MutexLock lock(service_->mu_);
  return service_->complaint_;
}

}  // namespace ampari
