#include "forwarder/shipping/metrics_shipper.h"

#include <algorithm>
#include <random>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "common/runtime/backoff.h"
#include "common/runtime/logging.h"
#include "common/runtime/mutex.h"
#include "forwarder/shipping/frame_assembler.h"
#include "forwarder/shipping/gateway_move.h"
#include "forwarder/shipping/grpc_stream.h"
#include "forwarder/shipping/session.h"

namespace ampari {
namespace {

constexpr BackoffOptions kReconnect{absl::Milliseconds(100), absl::Seconds(5), 0.5};
constexpr absl::Duration kGoodbye = absl::Seconds(1);  // for the gateway to read the last messages
constexpr absl::Duration kLongestWait = absl::Seconds(60);

// A frame of one scrape fits even if zstd cannot compress it.
size_t MaxRawBytes(uint64_t max_frame_bytes) {
  return max_frame_bytes - max_frame_bytes / 128 - 1024;
}

std::string RandomInstance() {
  std::random_device random;
  std::string id;
  while (id.size() < 16) id.push_back(static_cast<char>(random()));
  return id;
}

GrpcStreamOptions StreamOptions(const ShippingOptions& options) {
  return {options.insecure,    options.ca_file,    options.ca,
          options.server_name, options.token_file, options.token};
}

}  // namespace

// The wiring: one lock over ring, registrations, assembler and session; one thread that flushes and
// reconnects. The stream is called without the lock, since it calls back.
class MetricsShipper::Core final : public StreamEvents {
 public:
  Core(ShippingOptions options, const Clock& clock)
      : options_(std::move(options)),
        clock_(clock),
        ring_(options_.ring_bytes),
        assembler_(options_.flush_bytes, MaxRawBytes(uint64_t{16} << 20), ring_, registrations_),
        session_({options_.forwarder_name, RandomInstance}, ring_, registrations_),
        move_(options_.address, options_.move_patience, session_, ring_),
        stream_(StreamOptions(options_), *this),
        random_(std::random_device{}()) {}

  void Start() {
    thread_ = std::thread([this] { Run(); });
  }

  void Push(Shipment shipment) {
    EncodedShipment encoded(std::move(shipment));
    bool flushed = false;
    {
      MutexLock lock(mu_);
      const bool was_waiting = assembler_.waiting_since().has_value();
      const absl::Duration now = clock_.Monotonic();
      flushed = assembler_.Add(std::move(encoded), now);
      if (flushed) session_.OnPushed(now);
      if (!was_waiting) changed_.NotifyAll();
    }
    if (flushed) stream_.Wake();
  }

  size_t max_scrape_bytes() {
    MutexLock lock(mu_);
    return MaxRawBytes(session_.status().max_frame_bytes);
  }

  void MoveTo(const std::string& address) {
    MutexLock lock(mu_);
    move_.To(address, clock_.Monotonic());
    changed_.NotifyAll();
  }

  absl::Status Stop(absl::Duration grace) {
    const absl::Duration deadline = clock_.Monotonic() + grace;
    {
      MutexLock lock(mu_);
      if (stopped_) return absl::OkStatus();
      stopped_ = true;
      session_.Drain();
      if (move_.Hurry()) ConnectAnew();
      if (assembler_.Flush(clock_.Monotonic())) session_.OnPushed(clock_.Monotonic());
      session_.EndInput();
    }
    stream_.Wake();
    const absl::Status drained = WaitUntilDrained(deadline);
    EndStream(drained.ok() ? kGoodbye : absl::ZeroDuration());
    {
      MutexLock lock(mu_);
      stop_ = true;
      changed_.NotifyAll();
    }
    if (thread_.joinable()) thread_.join();
    return drained;
  }

  ShippingStatus status();

  // --- StreamEvents
  std::optional<Outgoing> OnWritable() override {
    MutexLock lock(mu_);
    if (moved_) return std::nullopt;
    if (std::exchange(hello_due_, false)) return session_.Connect(clock_.Monotonic());
    std::optional<Outgoing> next = session_.Next(clock_.Monotonic());
    if (!next && session_.drained_said() && !drained_written_) {
      drained_written_ = true;
      changed_.NotifyAll();
    }
    return next;
  }

  void OnMessage(const v1::GatewayMessage& message) override {
    MutexLock lock(mu_);
    if (moved_) return;
    const bool was_welcomed = session_.status().welcomed;
    const uint64_t acknowledged = ring_.acknowledged();
    const absl::Duration now = clock_.Monotonic();
    session_.OnMessage(message, now);
    if (!was_welcomed && session_.status().welcomed) OnWelcomed();
    if (ring_.acknowledged() > acknowledged) backoff_.Reset();
    // The thread keeps the session's time; most acknowledgements change nothing of it.
    const bool timed = session_.NextWake(now) < absl::InfiniteDuration();
    if (stopped_ || timed || session_.wants_reconnect(now) || !move_.target().empty())
      changed_.NotifyAll();
  }

  void OnEnded(const absl::Status& why) override {
    MutexLock lock(mu_);
    const SessionStatus session = session_.status();
    session_.OnDisconnected();
    stream_open_ = false;
    drained_written_ = false;
    if (std::exchange(moved_, false)) return ConnectAnew();
    RetryLater(session.refused.empty() ? why : absl::FailedPreconditionError(session.refused));
  }

 private:
  void Run();
  void OpenStream() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void OnWelcomed() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void ConnectAnew() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void RetryLater(const absl::Status& why) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  absl::Duration NextDeadline(absl::Duration now) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  absl::Status WaitUntilDrained(absl::Duration deadline);
  void EndStream(absl::Duration patience);

  const ShippingOptions options_;
  const Clock& clock_;

  Mutex mu_;
  CondVar changed_;
  Ring ring_ ABSL_GUARDED_BY(mu_);
  Registrations registrations_ ABSL_GUARDED_BY(mu_);
  FrameAssembler assembler_ ABSL_GUARDED_BY(mu_);
  Session session_ ABSL_GUARDED_BY(mu_);
  GatewayMove move_ ABSL_GUARDED_BY(mu_);
  bool stopped_ ABSL_GUARDED_BY(mu_) = false;  // Stop() was called
  bool closing_ ABSL_GUARDED_BY(mu_) = false;  // no stream is opened any more
  bool stop_ ABSL_GUARDED_BY(mu_) = false;     // the thread ends
  bool stream_open_ ABSL_GUARDED_BY(mu_) = false;
  bool hello_due_ ABSL_GUARDED_BY(mu_) = false;
  bool moved_ ABSL_GUARDED_BY(mu_) = false;  // the open stream goes to the gateway that was left
  bool drained_written_ ABSL_GUARDED_BY(mu_) = false;
  absl::Duration reconnect_at_ ABSL_GUARDED_BY(mu_);
  Backoff backoff_ ABSL_GUARDED_BY(mu_){kReconnect};
  std::string last_error_ ABSL_GUARDED_BY(mu_);
  uint64_t connects_ ABSL_GUARDED_BY(mu_) = 0;

  GrpcStream stream_;
  std::mt19937_64 random_ ABSL_GUARDED_BY(mu_);
  LogLimit failure_log_;
  std::thread thread_;
};

void MetricsShipper::Core::Run() {
  mu_.Lock();
  while (!stop_) {
    const absl::Duration now = clock_.Monotonic();
    const auto waiting = assembler_.waiting_since();
    if (waiting && now >= *waiting + options_.flush_interval && assembler_.Flush(now)) {
      session_.OnPushed(now);
    }
    if (move_.Step(now)) ConnectAnew();
    if (!stream_open_ && !closing_ && now >= reconnect_at_) OpenStream();
    const bool cancel = stream_open_ && (moved_ || session_.wants_reconnect(now));
    mu_.Unlock();
    if (cancel) {
      stream_.Cancel();
    } else {
      stream_.Wake();
    }
    mu_.Lock();
    if (!stop_) changed_.WaitFor(mu_, NextDeadline(clock_.Monotonic()));
  }
  mu_.Unlock();
}

absl::Duration MetricsShipper::Core::NextDeadline(absl::Duration now) const {
  absl::Duration wake = now + kLongestWait;
  if (const auto waiting = assembler_.waiting_since(); waiting) {
    wake = std::min(wake, *waiting + options_.flush_interval);
  }
  if (!stream_open_) wake = std::min(wake, reconnect_at_);
  wake = std::min({wake, session_.NextWake(now), move_.NextWake()});
  return std::max(wake - now, absl::Milliseconds(1));
}

void MetricsShipper::Core::OpenStream() {
  stream_open_ = hello_due_ = true;
  ++connects_;
  const std::string address = move_.home();
  mu_.Unlock();
  const absl::Status opened = stream_.Open(address);
  mu_.Lock();
  if (opened.ok()) return;
  stream_open_ = false;
  RetryLater(opened);
}

// Without delay, but a stream that is still open ends first.
void MetricsShipper::Core::ConnectAnew() {
  moved_ = stream_open_;
  backoff_.Reset();
  reconnect_at_ = clock_.Monotonic();
  last_error_.clear();
  changed_.NotifyAll();
}

void MetricsShipper::Core::OnWelcomed() {
  last_error_.clear();
  const SessionStatus session = session_.status();
  assembler_.set_max_raw_bytes(MaxRawBytes(session.max_frame_bytes));
  Log(LogLevel::kInfo, "connected to gateway",
      {{"gateway", move_.home()},
       {"epoch", session.epoch},
       {"acknowledged", ring_.acknowledged()},
       {"waiting", ring_.last() - ring_.acknowledged()}});
}

void MetricsShipper::Core::RetryLater(const absl::Status& why) {
  std::uniform_real_distribution<double> uniform;
  reconnect_at_ = clock_.Monotonic() + backoff_.Next(uniform(random_));
  if (!why.ok()) {
    last_error_ = why.ToString();
    Log(failure_log_, LogLevel::kWarn, "no connection to gateway",
        {{"gateway", move_.home()}, {"error", why}});
  }
  changed_.NotifyAll();
}

absl::Status MetricsShipper::Core::WaitUntilDrained(absl::Duration deadline) {
  MutexLock lock(mu_);
  while (true) {
    const bool all = ring_.acknowledged() == ring_.last();
    if (all && (!session_.status().welcomed || drained_written_)) return absl::OkStatus();
    const absl::Duration left = deadline - clock_.Monotonic();
    if (left <= absl::ZeroDuration()) {
      return all ? absl::OkStatus()
                 : absl::DeadlineExceededError(absl::StrCat(ring_.last() - ring_.acknowledged(),
                                                            " frames with ", ring_.samples(),
                                                            " samples were not acknowledged"));
    }
    changed_.WaitFor(mu_, std::min(left, absl::Milliseconds(100)));
  }
}

void MetricsShipper::Core::EndStream(absl::Duration patience) {
  {
    MutexLock lock(mu_);
    closing_ = true;
  }
  stream_.FinishWriting();
  const absl::Duration deadline = clock_.Monotonic() + patience;
  while (true) {
    {
      MutexLock lock(mu_);
      if (!stream_open_) return;
      changed_.WaitFor(mu_, absl::Milliseconds(20));
    }
    // Again and again, as the thread may have been about to open it.
    if (clock_.Monotonic() >= deadline) stream_.Cancel();
  }
}

ShippingStatus MetricsShipper::Core::status() {
  MutexLock lock(mu_);
  const SessionStatus session = session_.status();
  ShippingStatus status;
  status.connected = session.welcomed;
  status.superseded = session.superseded;
  status.paused = session.paused;
  status.refused = !session.refused.empty();
  status.last_error = last_error_;
  status.gateway = move_.home();
  status.moving_to = move_.target();
  status.moves_total = move_.moves();
  status.impatient_moves_total = move_.impatient_moves();
  status.instance = absl::BytesToHexString(session_.instance());
  status.epoch = session.epoch;
  status.sent_sequence = session.sent;
  status.acknowledged_sequence = ring_.acknowledged();
  status.settled_sequence = ring_.settled();
  status.last_sequence = ring_.last();
  status.ring_frames = ring_.frames();
  status.ring_bytes = ring_.bytes();
  status.ring_samples = ring_.samples();
  status.ring_unacknowledged_bytes = ring_.unacknowledged_bytes();
  status.ring_max_bytes = options_.ring_bytes;
  status.superseded_total = session.supersessions;
  status.registration_bytes = registrations_.bytes();
  status.unsendable_registrations_total = session.unsendable_registrations;
  status.frames_total = assembler_.frames_total();
  status.frame_bytes_total = assembler_.frame_bytes_total();
  status.samples_total = assembler_.samples_total();
  status.expired_frames_total = ring_.expired_frames();
  status.expired_samples_total = ring_.expired_samples();
  status.resent_frames_total = session.resent_frames;
  status.refused_frames_total = session.refused_frames;
  status.rollbacks_total = session.rollbacks;
  status.instances_total = session.instances;
  status.connects_total = connects_;
  return status;
}

MetricsShipper::MetricsShipper(ShippingOptions options, const Clock& clock)
    : core_(std::make_unique<Core>(std::move(options), clock)) {}
MetricsShipper::~MetricsShipper() { (void)core_->Stop(absl::ZeroDuration()); }
void MetricsShipper::Start() { core_->Start(); }
void MetricsShipper::Push(Shipment shipment) { core_->Push(std::move(shipment)); }
void MetricsShipper::MoveTo(const std::string& address) { core_->MoveTo(address); }
size_t MetricsShipper::max_scrape_bytes() const { return core_->max_scrape_bytes(); }
ShippingStatus MetricsShipper::status() const { return core_->status(); }
absl::Status MetricsShipper::Stop(absl::Duration grace) { return core_->Stop(grace); }

}  // namespace ampari
