#include "tests/unit/gateway/store/store_rig.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <utility>

#include "common/runtime/check.h"

namespace ampari {
namespace {

constexpr absl::Duration kPatience = absl::Seconds(30);

// Counts down to zero.
class Countdown {
 public:
  explicit Countdown(size_t count) : left_(count) {}
  void Done() {
    MutexLock lock(mu_);
    --left_;
    changed_.NotifyAll();
  }
  void Wait() {
    MutexLock lock(mu_);
    while (left_ > 0) changed_.Wait(mu_);
  }

 private:
  Mutex mu_;
  CondVar changed_;
  size_t left_;
};

}  // namespace

void RecordingSink::OnWelcome(const WelcomeReply& welcome) {
  MutexLock lock(mu_);
  welcome_ = welcome;
  changed_.NotifyAll();
}
void RecordingSink::OnDurable(uint64_t mark, uint64_t settled) {
  MutexLock lock(mu_);
  durable_ = mark;
  settled_ = settled;
  changed_.NotifyAll();
}
void RecordingSink::OnRefused(const FrameRefusal& refusal) {
  MutexLock lock(mu_);
  refusals_.push_back(refusal);
  changed_.NotifyAll();
}
void RecordingSink::OnNotice(bool superseded, bool paused, bool admitted) {
  MutexLock lock(mu_);
  standing_ = Standing{superseded, paused, admitted};
  changed_.NotifyAll();
}
void RecordingSink::OnClosed(const absl::Status& why) {
  MutexLock lock(mu_);
  closed_ = why;
  changed_.NotifyAll();
}

void RecordingSink::Await(const std::function<bool()>& condition) {
  auto until = std::chrono::steady_clock::now() + absl::ToChronoSeconds(kPatience);
  while (!condition()) {
    Check(std::chrono::steady_clock::now() < until, "the stream was not told in time");
    changed_.WaitFor(mu_, absl::Milliseconds(100));
  }
}

WelcomeReply RecordingSink::WaitWelcome() {
  MutexLock lock(mu_);
  Await([this] { return welcome_.has_value(); });
  return *welcome_;
}
void RecordingSink::WaitDurable(uint64_t mark) {
  MutexLock lock(mu_);
  Await([&] { return durable_ >= mark; });
}
void RecordingSink::WaitSettled(uint64_t settled) {
  MutexLock lock(mu_);
  Await([&] { return settled_ >= settled; });
}
FrameRefusal RecordingSink::WaitRefusal() {
  MutexLock lock(mu_);
  Await([this] { return !refusals_.empty(); });
  FrameRefusal refusal = refusals_.front();
  refusals_.pop_front();
  return refusal;
}
void RecordingSink::WaitStanding(const Standing& standing) {
  MutexLock lock(mu_);
  Await([&] { return standing_ == standing; });
}
absl::Status RecordingSink::WaitClosed() {
  MutexLock lock(mu_);
  Await([this] { return closed_.has_value(); });
  return *closed_;
}
uint64_t RecordingSink::durable() {
  MutexLock lock(mu_);
  return durable_;
}

HelloRequest HelloOf(const std::string& forwarder, char instance) {
  HelloRequest hello;
  hello.tenant = "t";
  hello.entry = "cluster-a";
  hello.forwarder_name = forwarder;
  hello.instance_id = std::string(16, instance);
  hello.peer = "ipv4:10.0.0.1:4000";
  return hello;
}

FrameArrival FrameOf(uint64_t sequence, uint64_t items, size_t bytes, uint64_t waited_ms) {
  auto text = std::make_shared<std::string>(bytes, static_cast<char>('a' + sequence % 26));
  FrameArrival frame;
  frame.sequence = sequence;
  frame.items = items;
  frame.waited_ms = waited_ms;
  std::string_view view = *text;
  frame.bytes.pieces = {view.substr(0, bytes / 2), view.substr(bytes / 2)};
  frame.bytes.owner = text;
  return frame;
}

StoreRig::StoreRig() {
  options_.directory = dir_.path() + "/store";
  options_.max_bytes = uint64_t{64} << 20;  // a small ballast
}

void StoreRig::Open() {
  auto store = Store::Open(options_, clock_);
  ASSERT_TRUE(store.ok()) << store.status();
  store_ = *std::move(store);
}

void StoreRig::Apply(const std::vector<std::string>& destinations) {
  QueueTopology queue;
  queue.tenant = "t";
  for (const std::string& name : destinations) queue.destinations.push_back({name, false});
  absl::Status applied = store_->Apply({queue});
  ASSERT_TRUE(applied.ok()) << applied;
}

DestinationId StoreRig::Id(const std::string& destination) const {
  return {"t", Signal::kMetrics, destination};
}

StoreRig::Stream StoreRig::Connect(HelloRequest hello) {
  Stream stream;
  stream.sink = std::make_shared<RecordingSink>();
  stream.id = store_->OpenStream(std::move(hello), stream.sink);
  stream.welcome = stream.sink->WaitWelcome();
  return stream;
}

void StoreRig::Send(Stream& stream, uint64_t first, uint64_t last, uint64_t items, size_t bytes) {
  for (uint64_t sequence = first; sequence <= last; ++sequence) {
    store_->SubmitFrame(stream.id, FrameOf(sequence, items, bytes));
  }
  stream.sink->WaitDurable(last);
}

std::vector<RecordPtr> StoreRig::ReadAll(const DestinationId& id) {
  std::vector<RecordPtr> all;
  for (uint64_t from = 0;;) {
    uint64_t next = 0;
    auto records = store_->Read(id, from, 1 << 20, &next);
    EXPECT_TRUE(records.ok()) << records.status();
    if (!records.ok() || records->empty()) return all;
    all.insert(all.end(), records->begin(), records->end());
    from = next;
  }
}

void StoreRig::SettleBelow(const DestinationId& id, uint64_t upto) {
  auto lanes = store_->Lanes(id);
  std::map<uint32_t, Settlement> settlements;
  for (const RecordPtr& record : ReadAll(id)) {
    uint32_t lane = record->header.lane;
    if (record->sequence >= upto || record->sequence < lanes[lane].cursor) continue;
    Settlement& settlement = settlements[lane];
    settlement.destination = id;
    settlement.lane = lane;
    settlement.from = lanes[lane].cursor;
    settlement.upto = record->sequence + 1;
    settlement.delivered += record->header.items;
    settlement.settled.emplace_back(record->header.instance, record->header.frame_sequence);
  }
  auto countdown = std::make_shared<Countdown>(settlements.size());
  for (auto& [lane, settlement] : settlements) {
    store_->Settle(std::move(settlement), [countdown] { countdown->Done(); });
  }
  countdown->Wait();
}

Ledger StoreRig::LedgerOf(const DestinationId& id) {
  for (const DestinationStatus& destination : store_->status().destinations) {
    if (destination.id == id) return destination.ledger;
  }
  ADD_FAILURE() << "no destination " << id.name;
  return {};
}

void StoreRig::WaitUntil(const std::function<bool()>& condition) {
  Mutex mu;
  CondVar never;
  auto until = std::chrono::steady_clock::now() + absl::ToChronoSeconds(kPatience);
  while (!condition()) {
    Check(std::chrono::steady_clock::now() < until, "the condition did not come in time");
    MutexLock lock(mu);
    never.WaitFor(mu, absl::Milliseconds(10));
  }
}

}  // namespace ampari

// Debian's RocksDB is not instrumented: TSan does not see the reference counts by which it frees
// what readers have let go.
extern "C" const char* __tsan_default_suppressions();
extern "C" const char* __tsan_default_suppressions() { return "race:librocksdb\n"; }
