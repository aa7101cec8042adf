// Session: what one instance says to its gateway and makes of the answers: the table "Connecting"
// of proto/README.md as a state machine without threads, clock or gRPC. Time is handed in,
// monotonic; messages go in and out as values.
//
// Life of a connection: Connect() gives the hello; OnMessage() takes what the gateway says; Next()
// gives what to send, until it has nothing; OnDisconnected() ends it. wants_reconnect() asks the
// caller to close the stream and connect again. Not thread-safe. The ring and the cargo (what
// depends on the signal) belong to the session's owner and outlive it.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "absl/time/time.h"
#include "ampari/v1/shipping.pb.h"
#include "forwarder/shipping/outgoing.h"
#include "forwarder/shipping/ring.h"
#include "forwarder/shipping/session_cargo.h"

namespace ampari {

struct SessionOptions {
  std::string forwarder_name;
  std::function<std::string()> new_instance;  // 16 random bytes
};

struct SessionStatus {
  bool welcomed = false, superseded = false, paused = false, admitted = true;
  std::string refused;  // the gateway's words; empty: it takes this signal
  uint64_t epoch = 0, sent = 0, max_frame_bytes = 0;
  uint64_t resent_frames = 0, refused_frames = 0, rollbacks = 0, instances = 1;
  uint64_t supersessions = 0;
};

class Session {
 public:
  Session(SessionOptions options, Ring& ring, SessionCargo& cargo);

  Outgoing Connect(absl::Duration now);
  void OnMessage(const v1::GatewayMessage& message, absl::Duration now);
  void OnDisconnected();
  std::optional<Outgoing> Next(absl::Duration now);
  // No answer to the hello, a new instance, or a welcome that no longer fits the ring.
  bool wants_reconnect(absl::Duration now) const;
  // The next time after `now` at which Next() or wants_reconnect() may change without a call;
  // infinite: never.
  absl::Duration NextWake(absl::Duration now) const;
  // From now on hellos say that this instance is draining; once its input has ended (no frame
  // follows), it tells when everything is sent.
  void Drain() { draining_ = true; }
  void EndInput() { input_ended_ = true; }
  // This gateway is to be left: nothing that it has not seen is offered or sent to it any more.
  void Leave() { leaving_ = true; }
  void Stay() { leaving_ = false; }
  // Everything that this gateway may have is settled there.
  bool may_go() const;
  // The next hello goes to another gateway: a new instance with what is above `forget_upto`.
  void GoElsewhere(uint64_t forget_upto);
  // After each Push into the ring.
  void OnPushed(absl::Duration now) { last_push_ = now; }
  bool drained_said() const { return drained_said_; }
  SessionStatus status() const { return status_; }
  const std::string& instance() const { return instance_; }  // 16 random bytes

  static constexpr absl::Duration kWelcomeTimeout = absl::Seconds(30);
  static constexpr absl::Duration kRefusedDelay =
      absl::Seconds(1);  // before a refused frame is sent again
  static constexpr absl::Duration kQuietBeforeDrained =
      absl::Seconds(3);  // of a superseded instance
  static constexpr int kMaxRefusals = 3;
  static constexpr size_t kMaxRefusedBytes = 1024;  // of the gateway's words; the rest is cut off
  static constexpr uint64_t kMaxGapCounts = 65536;  // in one message

 private:
  void OnWelcome(const v1::Welcome& welcome, absl::Duration now);
  void TakeOver(const v1::Welcome& welcome, absl::Duration now);
  void TakeLimits(const v1::Limits& limits);
  void OnAck(const v1::Ack& ack);
  void OnRefusal(const v1::Refusal& refusal, absl::Duration now);
  void OnPositionRefusal(const v1::Refusal& refusal, absl::Duration now);
  void OnPositions(const v1::Positions& positions, absl::Duration now);
  void ForgetFrom(uint64_t sequence);
  void OnNotice(const v1::Notice& notice);
  bool MustBeginAnew(const v1::Welcome& welcome);
  void RollBack(const v1::Welcome& welcome);
  void BecomeNewInstance(NewInstance why, uint64_t forget_upto);
  void SetSuperseded(bool superseded);
  void BeginAloneIfSettled();
  void StartAt(uint64_t sent);
  uint64_t last_offered() const;
  std::optional<Outgoing> NextFrame(absl::Duration now);
  Outgoing SendFrame(uint64_t sequence, absl::Duration now);
  Outgoing SendGap(uint64_t sequence, absl::Duration now);
  std::optional<Outgoing> NextDrained(absl::Duration now);

  const SessionOptions options_;
  Ring& ring_;
  SessionCargo& cargo_;
  SessionStatus status_;

  // Of the instance.
  std::string instance_;
  std::string store_id_;  // of the last welcome
  bool draining_ = false, input_ended_ = false;
  bool new_instance_wanted_ = false;  // superseded no more; waits until nothing is in flight
  absl::Duration last_push_;
  uint64_t ever_sent_ = 0;  // highest sequence sent on any stream
  bool leaving_ = false;
  uint64_t refused_sequence_ = 0;
  int refusals_ = 0;

  // Of the living stream.
  bool open_ = false, reconnect_ = false, drained_said_ = false;
  absl::Duration hello_at_, not_before_;
  uint64_t told_first_ = 0, told_last_ = 0;  // in the hello; told_last_ 0: the ring was empty
  uint64_t high_sent_ = 0;  // highest sequence ever sent on it; status_.sent may have gone back
  uint64_t in_flight_bytes_ = 0, max_in_flight_bytes_ = 0;
  std::optional<v1::Welcome> held_welcome_;  // until all positions are told
};

}  // namespace ampari
