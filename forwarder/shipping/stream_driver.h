// StreamDriver: what every shipper does whatever its signal: connect, back off, move to another
// gateway, drain and stop. One lock over ring, session and what the shipper adds to them; one
// thread that keeps the session's time and reconnects. The stream is called without the lock, since
// it calls back.
#pragma once

#include <memory>
#include <optional>
#include <random>
#include <string>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/time/time.h"
#include "common/runtime/backoff.h"
#include "common/runtime/clock.h"
#include "common/runtime/logging.h"
#include "common/runtime/mutex.h"
#include "forwarder/shipping/gateway_move.h"
#include "forwarder/shipping/grpc_stream.h"
#include "forwarder/shipping/ring.h"
#include "forwarder/shipping/session.h"
#include "forwarder/shipping/shipping_options.h"

namespace ampari {

// What a shipper adds. Called with the driver's lock held, but for OnHeard.
class DriverLoad {
 public:
  virtual ~DriverLoad() = default;
  virtual void OnWelcomed() {}
  // What has waited long enough becomes a frame; with `all`, whatever is there.
  virtual void FlushDue(absl::Duration now) { (void)now; }
  virtual void FlushAll(absl::Duration now) { (void)now; }
  virtual absl::Duration NextFlush() const { return absl::InfiniteDuration(); }  // monotonic
  // The gateway said something; without the lock. Not at the end of a stream, since it may be the
  // last thing that happens to the shipper.
  virtual void OnHeard() {}
};

// Thread-safe. Owns its thread, gRPC's come with the stream. Everything that it is given outlives
// it; declare it last.
class StreamDriver final : public StreamEvents {
 public:
  // `items`: what frames are counted in, for people.
  StreamDriver(const ShippingOptions& options, const char* items, const Clock& clock, Ring& ring,
               Session& session, DriverLoad& load);
  ~StreamDriver() override = default;  // after Stop()

  Mutex& mu() ABSL_LOCK_RETURNED(mu_) { return mu_; }
  void Start();  // nothing after Stop()
  // The thread looks again at what it waits for.
  void Notify() { changed_.NotifyAll(); }
  // There is something to send.
  void Wake() { stream_.Wake(); }
  void MoveTo(const std::string& address);
  absl::Status Stop(absl::Duration grace);
  // All but what only the shipper knows.
  ShippingStatus status() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  const std::string& home() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) { return move_.home(); }

  // --- StreamEvents
  std::optional<Outgoing> OnWritable() override;
  void OnMessage(const v1::GatewayMessage& message) override;
  void OnEnded(const absl::Status& why) override;

 private:
  void Run();
  void OpenStream() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void OnWelcomed() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void ConnectAnew() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void RetryLater(const absl::Status& why) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  absl::Duration NextDeadline(absl::Duration now) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void HearMessage(const v1::GatewayMessage& message);
  void HearEnd(const absl::Status& why);
  absl::Status WaitUntilDrained(absl::Duration deadline);
  void EndStream(absl::Duration patience);

  const char* const items_;
  const Clock& clock_;
  DriverLoad& load_;

  Mutex mu_;
  CondVar changed_;
  Ring& ring_;        // under mu_
  Session& session_;  // under mu_
  GatewayMove move_ ABSL_GUARDED_BY(mu_);
  bool stopped_ ABSL_GUARDED_BY(mu_) = false;  // Stop() was called
  bool closing_ ABSL_GUARDED_BY(mu_) = false;  // no stream is opened any more
  bool stop_ ABSL_GUARDED_BY(mu_) = false;     // the thread ends
  bool stream_open_ ABSL_GUARDED_BY(mu_) = false;
  bool hello_due_ ABSL_GUARDED_BY(mu_) = false;
  bool moved_ ABSL_GUARDED_BY(mu_) = false;  // the open stream goes to the gateway that was left
  bool drained_written_ ABSL_GUARDED_BY(mu_) = false;
  absl::Duration reconnect_at_ ABSL_GUARDED_BY(mu_);
  Backoff backoff_ ABSL_GUARDED_BY(mu_);
  std::string last_error_ ABSL_GUARDED_BY(mu_);
  uint64_t connects_ ABSL_GUARDED_BY(mu_) = 0;  // streams that were welcomed

  GrpcStream stream_;
  std::mt19937_64 random_ ABSL_GUARDED_BY(mu_);
  LogLimit failure_log_;
  std::thread thread_;
};

std::string RandomInstance();  // 16 random bytes

}  // namespace ampari
