#include "forwarder/shipping/stream_driver.h"

#include <algorithm>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"

namespace ampari {
namespace {

constexpr BackoffOptions kReconnect{absl::Milliseconds(100), absl::Seconds(5), 0.5};
constexpr absl::Duration kGoodbye = absl::Seconds(1);  // for the gateway to read the last messages
constexpr absl::Duration kLongestWait = absl::Seconds(60);

GrpcStreamOptions StreamOptions(const ShippingOptions& options) {
  return {options.insecure,    options.ca_file,    options.ca,
          options.server_name, options.token_file, options.token};
}

}  // namespace

std::string RandomInstance() {
  std::random_device random;
  std::string id;
  while (id.size() < 16) id.push_back(static_cast<char>(random()));
  return id;
}

StreamDriver::StreamDriver(const ShippingOptions& options, const char* items, const Clock& clock,
                           Ring& ring, Session& session, DriverLoad& load)
    : items_(items),
      clock_(clock),
      load_(load),
      ring_(ring),
      session_(session),
      move_(options.address, options.move_patience, session, ring),
      backoff_(kReconnect),
      stream_(StreamOptions(options), *this),
      random_(std::random_device{}()) {}

void StreamDriver::Start() {
  MutexLock lock(mu_);
  if (stopped_) return;
  thread_ = std::thread([this] { Run(); });
}

void StreamDriver::MoveTo(const std::string& address) {
  MutexLock lock(mu_);
  move_.To(address, clock_.Monotonic());
  changed_.NotifyAll();
}

absl::Status StreamDriver::Stop(absl::Duration grace) {
  const absl::Duration deadline = clock_.Monotonic() + grace;
  {
    MutexLock lock(mu_);
    if (stopped_) return absl::OkStatus();
    stopped_ = true;
    session_.Drain();
    if (move_.Hurry()) ConnectAnew();
    load_.FlushAll(clock_.Monotonic());
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

std::optional<Outgoing> StreamDriver::OnWritable() {
  MutexLock lock(mu_);
  if (moved_) return std::nullopt;
  if (std::exchange(hello_due_, false)) return session_.Connect(clock_.Monotonic());
  std::optional<Outgoing> next = session_.Next(clock_.Monotonic());
  if (!next && session_.wants_reconnect(clock_.Monotonic())) changed_.NotifyAll();
  if (!next && session_.drained_said() && !drained_written_) {
    drained_written_ = true;
    changed_.NotifyAll();
  }
  return next;
}

void StreamDriver::OnMessage(const v1::GatewayMessage& message) {
  HearMessage(message);
  load_.OnHeard();
}

void StreamDriver::HearMessage(const v1::GatewayMessage& message) {
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

void StreamDriver::OnEnded(const absl::Status& why) { HearEnd(why); }

void StreamDriver::HearEnd(const absl::Status& why) {
  MutexLock lock(mu_);
  const SessionStatus session = session_.status();
  session_.OnDisconnected();
  stream_open_ = false;
  drained_written_ = false;
  if (std::exchange(moved_, false)) return ConnectAnew();
  RetryLater(session.refused.empty() ? why : absl::FailedPreconditionError(session.refused));
}

void StreamDriver::Run() {
  mu_.Lock();
  while (!stop_) {
    const absl::Duration now = clock_.Monotonic();
    load_.FlushDue(now);
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

absl::Duration StreamDriver::NextDeadline(absl::Duration now) const {
  absl::Duration wake = std::min(now + kLongestWait, load_.NextFlush());
  if (!stream_open_) wake = std::min(wake, reconnect_at_);
  wake = std::min({wake, session_.NextWake(now), move_.NextWake()});
  return std::max(wake - now, absl::Milliseconds(1));
}

void StreamDriver::OpenStream() {
  stream_open_ = hello_due_ = true;
  const std::string address = move_.home();
  mu_.Unlock();
  const absl::Status opened = stream_.Open(address);
  mu_.Lock();
  if (opened.ok()) return;
  stream_open_ = false;
  RetryLater(opened);
}

// Without delay, but a stream that is still open ends first.
void StreamDriver::ConnectAnew() {
  moved_ = stream_open_;
  backoff_.Reset();
  reconnect_at_ = clock_.Monotonic();
  last_error_.clear();
  changed_.NotifyAll();
}

void StreamDriver::OnWelcomed() {
  ++connects_;
  last_error_.clear();
  const SessionStatus session = session_.status();
  load_.OnWelcomed();
  Log(LogLevel::kInfo, "connected to gateway",
      {{"gateway", move_.home()},
       {"for", items_},
       {"epoch", session.epoch},
       {"acknowledged", ring_.acknowledged()},
       {"waiting", ring_.last() - ring_.acknowledged()}});
}

void StreamDriver::RetryLater(const absl::Status& why) {
  std::uniform_real_distribution<double> uniform;
  reconnect_at_ = clock_.Monotonic() + backoff_.Next(uniform(random_));
  if (!why.ok()) {
    last_error_ = why.ToString();
    Log(failure_log_, LogLevel::kWarn, "no connection to gateway",
        {{"gateway", move_.home()}, {"for", items_}, {"error", why}});
  }
  changed_.NotifyAll();
}

absl::Status StreamDriver::WaitUntilDrained(absl::Duration deadline) {
  MutexLock lock(mu_);
  while (true) {
    const bool all = ring_.acknowledged() == ring_.last();
    if (all && (!session_.status().welcomed || drained_written_)) return absl::OkStatus();
    const absl::Duration left = deadline - clock_.Monotonic();
    if (left <= absl::ZeroDuration()) {
      return all ? absl::OkStatus()
                 : absl::DeadlineExceededError(absl::StrCat(ring_.last() - ring_.acknowledged(),
                                                            " frames with ", ring_.samples(), " ",
                                                            items_, " were not acknowledged"));
    }
    changed_.WaitFor(mu_, std::min(left, absl::Milliseconds(100)));
  }
}

void StreamDriver::EndStream(absl::Duration patience) {
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

ShippingStatus StreamDriver::status() const {
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
  status.superseded_total = session.supersessions;
  status.expired_frames_total = ring_.expired_frames();
  status.expired_samples_total = ring_.expired_samples();
  status.resent_frames_total = session.resent_frames;
  status.refused_frames_total = session.refused_frames;
  status.rollbacks_total = session.rollbacks;
  status.instances_total = session.instances;
  status.connects_total = connects_;
  return status;
}

}  // namespace ampari
