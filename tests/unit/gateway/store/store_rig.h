// What the store's tests share: streams that remember what they were told, and a store in a
// temporary directory.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/runtime/mutex.h"
#include "gateway/store/store.h"
#include "tests/support/fake_clock.h"
#include "tests/support/temp_dir.h"

namespace ampari {

// A forwarder's end of a stream. Every Wait… returns as soon as the answer is there and fails the
// test after 30 s.
class RecordingSink final : public StreamSink {
 public:
  struct Standing {
    bool superseded = false, paused = false, admitted = true;
    friend bool operator==(const Standing&, const Standing&) = default;
  };

  void OnWelcome(const WelcomeReply& welcome) override;
  void OnDurable(uint64_t mark, uint64_t settled) override;
  void OnRefused(const FrameRefusal& refusal) override;
  void OnNotice(bool superseded, bool paused, bool admitted) override;
  void OnClosed(const absl::Status& why) override;

  WelcomeReply WaitWelcome();
  void WaitDurable(uint64_t mark);
  void WaitSettled(uint64_t settled);
  FrameRefusal WaitRefusal();
  void WaitStanding(const Standing& standing);
  absl::Status WaitClosed();
  uint64_t durable();

 private:
  void Await(const std::function<bool()>& condition) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  Mutex mu_;
  CondVar changed_;
  std::optional<WelcomeReply> welcome_;
  uint64_t durable_ = 0, settled_ = 0;
  std::deque<FrameRefusal> refusals_;
  std::optional<Standing> standing_;
  std::optional<absl::Status> closed_;
};

HelloRequest HelloOf(const std::string& forwarder, char instance);
FrameArrival FrameOf(uint64_t sequence, uint64_t items, size_t bytes = 100, uint64_t waited_ms = 0);

class StoreRig {
 public:
  StoreRig();

  void Open();
  void Close() { store_.reset(); }
  Store& store() { return *store_; }
  FakeClock& clock() { return clock_; }
  StoreOptions& options() { return options_; }
  std::string directory() const { return options_.directory; }
  void Apply(const std::vector<std::string>& destinations);
  DestinationId Id(const std::string& destination = "region") const;

  struct Stream {
    StreamId id = 0;
    std::shared_ptr<RecordingSink> sink;
    WelcomeReply welcome;
  };
  Stream Connect(HelloRequest hello);
  // Submits frames [first, last] of `items` each and waits until they are durable.
  void Send(Stream& stream, uint64_t first, uint64_t last, uint64_t items, size_t bytes = 100);
  std::vector<RecordPtr> ReadAll(const DestinationId& id);
  // Settles, lane by lane, everything below `upto` as delivered, and waits.
  void SettleBelow(const DestinationId& id, uint64_t upto);
  void SettleAll(const DestinationId& id) { SettleBelow(id, ~uint64_t{0}); }
  Ledger LedgerOf(const DestinationId& id);
  void WaitUntil(const std::function<bool()>& condition);

 private:
  TempDir dir_;
  FakeClock clock_;
  StoreOptions options_;
  std::unique_ptr<Store> store_;
};

}  // namespace ampari
