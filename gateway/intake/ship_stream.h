// ShipStream: one stream of one forwarder, from its hello to its end; everything but the transport.
//
// Life: made for an authenticated call → hello → Store::OpenStream → frames in, acknowledgements
// out → closed by the forwarder, by the store (a newer hello), by what it sent, by a reload or by
// the gateway's stop → OnGone.
//
// Threads: the transport calls OnMessage, OnReadEnd, OnWritten and OnGone from its own threads,
// reads one at a time; the committer calls the StreamSink side, which only notes and schedules; the
// AckPump's thread calls Flush and Inspect. Nothing here blocks.
//
// Back-pressure: bytes of frames and blocks count as waiting until the store lets go of them, which
// it does when they are durable or refused; above the bounds of IntakeLimits the next read is not
// started, and HTTP/2 holds the forwarder.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "common/frame/wire.h"
#include "common/runtime/clock.h"
#include "common/runtime/mutex.h"
#include "gateway/intake/ack_pump.h"
#include "gateway/intake/intake_status.h"
#include "gateway/intake/outbox.h"
#include "gateway/intake/stream_budget.h"
#include "gateway/store/store.h"
#include "gateway/tenants/entries.h"

namespace ampari {

// What a stream needs of its transport. Called with the stream's lock held; must not call back from
// inside.
class StreamWire {
 public:
  virtual ~StreamWire() = default;
  virtual void Read() = 0;                              // OnMessage or OnReadEnd follows
  virtual void Write(std::string message) = 0;          // OnWritten follows
  virtual void Finish(const absl::Status& status) = 0;  // no Read or Write after it
  virtual void Cancel() = 0;                            // the peer does not take what was written
};

// What all streams share. Streams hold it, since the store may let go of their last bytes after
// intake has ended; `store`, `entries` and `clock` outlive intake and are not used after it.
struct StreamSurroundings {
  StreamSurroundings(Store& s, const Entries& e, const IntakeLimits& limits, const Clock& c)
      : store(s), entries(e), clock(c), budget(limits), pump(c) {}
  Store& store;
  const Entries& entries;
  const Clock& clock;
  StreamBudget budget;
  AckPump pump;
  IntakeCounters counters;
};

enum class FlushKind : uint8_t { kNow, kTick };

// Always held by shared_ptr: the store, the pump and the bytes on their way refer to it.
class ShipStream final : public StreamSink, public std::enable_shared_from_this<ShipStream> {
 public:
  static constexpr absl::Duration kHelloTimeout = absl::Seconds(10);
  static constexpr absl::Duration kFinishTimeout = absl::Seconds(5);

  // `admission` was counted by the budget, which OnGone gives back. `wire` lives until OnGone.
  ShipStream(std::shared_ptr<StreamSurroundings> surroundings, Admission admission,
             std::string peer, StreamWire* wire);

  // --- the transport's side
  void Begin();
  // `pieces` are the message's bytes, kept alive by `owner`.
  void OnMessage(const std::vector<std::string_view>& pieces, std::shared_ptr<const void> owner);
  void OnReadEnd();  // the forwarder has sent everything
  void OnWritten();
  void OnGone();

  // --- the committer's side
  void OnWelcome(const WelcomeReply& welcome) override;
  void OnDurable(uint64_t mark, uint64_t settled) override;
  void OnRefused(const FrameRefusal& refusal) override;
  void OnNotice(bool superseded, bool paused, bool admitted) override;
  void OnClosed(const absl::Status& why) override;

  // --- the pump's side
  // Writes and reads what is possible; true when it should be called again at the next tick.
  bool Flush(absl::Duration now, FlushKind kind);
  // Ends the stream when its hello is late, its entry is gone, or its peer does not read.
  void Inspect(absl::Duration now);

  // --- the server's side
  void StopReading();
  void Close(const absl::Status& why);
  bool idle() const;  // nothing of it waits to become durable

 private:
  struct WaitingBytes;

  void Schedule() { around_->pump.Schedule(shared_from_this()); }
  void ReadNext();
  bool MayRead() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  absl::Status Take(const std::vector<std::string_view>& pieces, std::shared_ptr<const void> owner);
  absl::Status TakeHello(const std::vector<std::string_view>& pieces);
  absl::Status TakeRetire(const std::vector<std::string_view>& pieces);
  absl::Status TakeRegistration(const MessageView& view);
  void TakeFrame(const MessageView& view, std::shared_ptr<const void> owner);
  std::shared_ptr<const void> Waiting(std::shared_ptr<const void> slices, uint64_t bytes);
  void Released(uint64_t bytes);
  void CloseLocked(const absl::Status& why) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  bool HelloRefused(const HelloRequest& hello);

  const std::shared_ptr<StreamSurroundings> around_;
  const Admission admission_;
  const std::string peer_;
  const absl::Duration opened_;

  // Of the reading side alone, one message at a time.
  std::optional<StreamId> stream_;
  Signal signal_ = Signal::kMetrics;
  uint64_t next_sequence_ = 0;  // to name a frame whose header cannot be read

  mutable Mutex mu_;
  StreamWire* wire_ ABSL_GUARDED_BY(mu_);
  Outbox outbox_ ABSL_GUARDED_BY(mu_);
  bool hello_taken_ ABSL_GUARDED_BY(mu_) = false;
  bool writing_ ABSL_GUARDED_BY(mu_) = false;
  bool parked_ ABSL_GUARDED_BY(mu_) = false;    // the next read waits
  bool stopping_ ABSL_GUARDED_BY(mu_) = false;  // no further reads
  bool half_closed_ ABSL_GUARDED_BY(mu_) = false;
  bool finished_ ABSL_GUARDED_BY(mu_) = false;
  std::optional<absl::Status> closing_ ABSL_GUARDED_BY(mu_);
  absl::Duration closing_since_ ABSL_GUARDED_BY(mu_);
  uint64_t waiting_bytes_ ABSL_GUARDED_BY(mu_) = 0;
};

}  // namespace ampari
