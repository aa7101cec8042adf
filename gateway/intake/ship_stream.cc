#include "gateway/intake/ship_stream.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "gateway/intake/inbound.h"

namespace ampari {

// Bytes that the store has and that are not durable yet, with the slices that they are in, if any.
struct ShipStream::WaitingBytes {
  WaitingBytes(std::shared_ptr<ShipStream> s, std::shared_ptr<const void> o, uint64_t b)
      : stream(std::move(s)), slices(std::move(o)), bytes(b) {}
  ~WaitingBytes() {
    slices.reset();
    stream->Released(bytes);
  }
  std::shared_ptr<ShipStream> stream;
  std::shared_ptr<const void> slices;
  uint64_t bytes;
};

ShipStream::ShipStream(std::shared_ptr<StreamSurroundings> surroundings, Admission admission,
                       std::string peer, StreamWire* wire)
    : around_(std::move(surroundings)),
      admission_(std::move(admission)),
      peer_(std::move(peer)),
      opened_(around_->clock.Monotonic()),
      wire_(wire) {}

// ---- reading ----

void ShipStream::Begin() {
  around_->counters.streams_opened.fetch_add(1, std::memory_order_relaxed);
  around_->pump.Register(shared_from_this());
  MutexLock lock(mu_);
  wire_->Read();
}

void ShipStream::OnMessage(const std::vector<std::string_view>& pieces,
                           std::shared_ptr<const void> owner) {
  const absl::Status taken = Take(pieces, std::move(owner));
  if (!taken.ok()) {
    around_->counters.invalid_streams.fetch_add(1, std::memory_order_relaxed);
    Close(taken);
    return;
  }
  ReadNext();
}

absl::Status ShipStream::Take(const std::vector<std::string_view>& pieces,
                              std::shared_ptr<const void> owner) {
  if (!stream_) return TakeHello(pieces);
  absl::StatusOr<MessageView> view = ParseForwarderMessage(pieces);
  if (!view.ok()) return view.status();
  switch (view->kind) {
    case MessageKind::kHello:
      return absl::FailedPreconditionError("a stream has one hello");
    case MessageKind::kRegistration:
      return TakeRegistration(*view);
    case MessageKind::kRetire:
      return TakeRetire(pieces);
    case MessageKind::kOffer: {
      absl::StatusOr<std::vector<StoredPosition>> offered = ParseOffer(pieces);
      if (!offered.ok()) return offered.status();
      around_->store.SubmitOffer(*stream_, *std::move(offered), Waiting(nullptr, BytesOf(pieces)));
      return absl::OkStatus();
    }
    case MessageKind::kFrame:
      TakeFrame(*view, std::move(owner));
      return absl::OkStatus();
    case MessageKind::kGap: {
      if (signal_ == Signal::kLogs)
        return absl::InvalidArgumentError("lines are never expired by a forwarder");
      absl::StatusOr<GapArrival> gap = ParseGap(pieces);
      if (!gap.ok()) return gap.status();
      around_->counters.gaps.fetch_add(1, std::memory_order_relaxed);
      next_sequence_ = gap->first_sequence + gap->counts.size();
      gap->owner = Waiting(nullptr, BytesOf(pieces));
      around_->store.SubmitGap(*stream_, *std::move(gap));
      return absl::OkStatus();
    }
    case MessageKind::kDrained:
      around_->store.SubmitDrained(*stream_);
      return absl::OkStatus();
  }
  return absl::InvalidArgumentError("a message of an unknown kind");
}

absl::Status ShipStream::TakeHello(const std::vector<std::string_view>& pieces) {
  absl::StatusOr<HelloRequest> hello = ParseHello(pieces);
  if (!hello.ok()) return hello.status();
  {
    MutexLock lock(mu_);
    hello_taken_ = true;
  }
  if (HelloRefused(*hello)) return absl::OkStatus();
  hello->tenant = admission_.identity.tenant;
  hello->entry = admission_.identity.entry;
  hello->enforced_labels = admission_.identity.labels;
  hello->peer = peer_;
  signal_ = hello->signal;
  next_sequence_ = hello->first_sequence;
  stream_ = around_->store.OpenStream(*std::move(hello), shared_from_this());
  return absl::OkStatus();
}

// A signal without a destination is refused in the welcome, in words; nothing of it reaches the
// store.
bool ShipStream::HelloRefused(const HelloRequest& hello) {
  const bool metrics = hello.signal == Signal::kMetrics;
  const EntryIdentity& identity = admission_.identity;
  if (metrics ? identity.takes_metrics : identity.takes_logs) return false;
  WelcomeReply welcome;
  welcome.refused =
      absl::StrCat("the tenant \"", identity.tenant, "\" of entry \"", identity.entry,
                   "\" has no destination for ", metrics ? "metrics" : "logs", ": configure ",
                   metrics ? "remote_write" : "loki_write", " at the gateway");
  OnWelcome(welcome);
  return true;
}

absl::Status ShipStream::TakeRetire(const std::vector<std::string_view>& pieces) {
  absl::StatusOr<Retirement> retired = ParseRetire(pieces);
  if (!retired.ok()) return retired.status();
  std::shared_ptr<const void> waiting = Waiting(nullptr, BytesOf(pieces));
  if (!retired->blocks.empty())
    around_->store.SubmitRetire(*stream_, std::move(retired->blocks), waiting);
  if (!retired->files.empty())
    around_->store.SubmitRetireFiles(*stream_, std::move(retired->files), std::move(waiting));
  return absl::OkStatus();
}

absl::Status ShipStream::TakeRegistration(const MessageView& view) {
  absl::StatusOr<std::string> block = CheckRegistration(view, around_->budget.limits());
  if (!block.ok()) return block.status();
  around_->counters.registrations.fetch_add(1, std::memory_order_relaxed);
  around_->counters.registration_bytes.fetch_add(block->size(), std::memory_order_relaxed);
  std::shared_ptr<const void> waiting = Waiting(nullptr, block->size());
  around_->store.SubmitRegistration(*stream_, *std::move(block), std::move(waiting));
  return absl::OkStatus();
}

std::shared_ptr<const void> ShipStream::Waiting(std::shared_ptr<const void> slices,
                                                uint64_t bytes) {
  around_->budget.Take(bytes);
  {
    MutexLock lock(mu_);
    waiting_bytes_ += bytes;
  }
  return std::make_shared<WaitingBytes>(shared_from_this(), std::move(slices), bytes);
}

void ShipStream::TakeFrame(const MessageView& view, std::shared_ptr<const void> owner) {
  FrameCheck check = CheckFrame(view, signal_, around_->budget.limits(), next_sequence_);
  if (check.refused) {
    OnRefused(check.refusal);
    next_sequence_ = check.refusal.sequence + 1;
    return;
  }
  next_sequence_ = check.arrival.sequence + 1;
  const uint64_t bytes = BytesOf(check.arrival.bytes.pieces);
  around_->counters.frames.fetch_add(1, std::memory_order_relaxed);
  around_->counters.frame_bytes.fetch_add(bytes, std::memory_order_relaxed);
  check.arrival.bytes.owner = Waiting(std::move(owner), bytes);
  around_->store.SubmitFrame(*stream_, std::move(check.arrival));
}

bool ShipStream::MayRead() const {
  const IntakeLimits& limits = around_->budget.limits();
  return waiting_bytes_ < limits.max_unacknowledged_bytes && !around_->budget.full();
}

void ShipStream::ReadNext() {
  MutexLock lock(mu_);
  if (wire_ == nullptr || finished_ || stopping_ || closing_) return;
  if (MayRead()) {
    wire_->Read();
    return;
  }
  parked_ = true;
  around_->counters.reads_paused.fetch_add(1, std::memory_order_relaxed);
  Schedule();
}

void ShipStream::Released(uint64_t bytes) {
  around_->budget.Return(bytes);
  MutexLock lock(mu_);
  waiting_bytes_ -= bytes;
  if (parked_ && MayRead()) Schedule();
}

void ShipStream::OnReadEnd() {
  MutexLock lock(mu_);
  half_closed_ = true;
  if (!hello_taken_) CloseLocked(absl::InvalidArgumentError("the stream ended before its hello"));
  Schedule();
}

// ---- what the committer says ----

void ShipStream::OnWelcome(const WelcomeReply& welcome) {
  MutexLock lock(mu_);
  outbox_.Welcome(welcome);
  if (welcome.found == HelloFound::kRefused)
    CloseLocked(absl::FailedPreconditionError(welcome.refused));
  Schedule();
}

void ShipStream::OnDurable(uint64_t mark, uint64_t settled) {
  MutexLock lock(mu_);
  outbox_.Durable(mark, settled);
  Schedule();
}

void ShipStream::OnRefused(const FrameRefusal& refusal) {
  around_->counters.refused[static_cast<size_t>(refusal.reason)].fetch_add(
      1, std::memory_order_relaxed);
  MutexLock lock(mu_);
  outbox_.Refuse(refusal);
  Schedule();
}

void ShipStream::OnNotice(bool superseded, bool paused, bool admitted) {
  MutexLock lock(mu_);
  outbox_.Notice(superseded, paused, admitted);
  Schedule();
}

void ShipStream::OnClosed(const absl::Status& why) { Close(why); }

// ---- writing and ending ----

bool ShipStream::Flush(absl::Duration now, FlushKind kind) {
  MutexLock lock(mu_);
  if (wire_ == nullptr || finished_) return false;
  if (parked_ && !closing_ && !stopping_ && MayRead()) {
    parked_ = false;
    wire_->Read();
  }
  if (half_closed_ && waiting_bytes_ == 0 && kind == FlushKind::kTick)
    CloseLocked(absl::OkStatus());
  if (!writing_) {
    std::optional<std::string> message = outbox_.Next(now, around_->budget.limits());
    if (message) {
      writing_ = true;
      wire_->Write(*std::move(message));
    } else if (closing_) {
      finished_ = true;
      wire_->Finish(*closing_);
      return false;
    }
  }
  return parked_ || half_closed_ || outbox_.HoldsBack();
}

void ShipStream::OnWritten() {
  {
    MutexLock lock(mu_);
    writing_ = false;
  }
  // What waits goes out from this thread; what is held back needs the pump's tick.
  if (Flush(around_->clock.Monotonic(), FlushKind::kNow)) Schedule();
}

void ShipStream::Inspect(absl::Duration now) {
  const absl::StatusOr<EntryIdentity> identity = around_->entries.Renew(admission_);
  MutexLock lock(mu_);
  if (wire_ == nullptr) return;
  if (!hello_taken_ && now - opened_ > kHelloTimeout) {
    CloseLocked(absl::DeadlineExceededError("no hello within 10 s"));
  } else if (!identity.ok()) {
    CloseLocked(identity.status());
  } else if (identity->tenant != admission_.identity.tenant) {
    CloseLocked(absl::UnavailableError("the entry belongs to another tenant now: connect again"));
  }
  if (closing_ && now - closing_since_ > kFinishTimeout) wire_->Cancel();
  if (closing_) Schedule();
}

void ShipStream::CloseLocked(const absl::Status& why) {
  if (closing_) return;
  closing_ = why;
  closing_since_ = around_->clock.Monotonic();
}

void ShipStream::Close(const absl::Status& why) {
  MutexLock lock(mu_);
  CloseLocked(why);
  Schedule();
}

void ShipStream::StopReading() {
  MutexLock lock(mu_);
  stopping_ = true;
}

bool ShipStream::idle() const {
  MutexLock lock(mu_);
  return waiting_bytes_ == 0;
}

void ShipStream::OnGone() {
  {
    MutexLock lock(mu_);
    wire_ = nullptr;
  }
  if (stream_) around_->store.CloseStream(*stream_);
  around_->budget.Release(admission_.identity.entry);
  around_->pump.Unregister(shared_from_this());
}

}  // namespace ampari
