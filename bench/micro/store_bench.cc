// The store: durable append through the committer, and draining a backlog from a cold and a warm
// cache.
#include <benchmark/benchmark.h>

#include <atomic>
#include <filesystem>
#include <map>
#include <memory>
#include <string>

#include "common/runtime/check.h"
#include "common/runtime/mutex.h"
#include "gateway/store/store.h"

namespace ampari {
namespace {

constexpr uint64_t kWindow = 64;  // frames in flight

class CountingSink final : public StreamSink {
 public:
  void OnWelcome(const WelcomeReply&) override { Raise(0); }
  void OnDurable(uint64_t mark, uint64_t) override { Raise(mark); }
  void OnRefused(const FrameRefusal& refusal) override { Check(false, refusal.message); }
  void OnNotice(bool, bool, bool) override {}
  void OnClosed(const absl::Status&) override {}
  void Wait(uint64_t mark) {
    MutexLock lock(mu_);
    while (!welcomed_ || mark_ < mark) changed_.Wait(mu_);
  }

 private:
  void Raise(uint64_t mark) {
    MutexLock lock(mu_);
    welcomed_ = true;
    mark_ = mark;
    changed_.NotifyAll();
  }
  Mutex mu_;
  CondVar changed_;
  bool welcomed_ = false;
  uint64_t mark_ = 0;
};

struct Bed {
  Bed() : directory(std::filesystem::temp_directory_path() / "ampari-store-bench") {
    std::filesystem::remove_all(directory);
    StoreOptions options;
    options.directory = directory;
    options.max_bytes = uint64_t{8} << 30;
    auto opened = Store::Open(options, SystemClock());
    Check(opened.ok(), opened.status().ToString());
    store = *std::move(opened);
    Check(store->Apply({{"t", Signal::kMetrics, 0, {{"region"}}}}).ok(), "apply");
    HelloRequest hello;
    hello.tenant = "t";
    hello.entry = "e";
    hello.forwarder_name = "node";
    hello.instance_id = std::string(16, 'a');
    stream = store->OpenStream(hello, sink);
    sink->Wait(0);
  }
  ~Bed() {
    store.reset();
    std::filesystem::remove_all(directory);
  }
  void Submit(const std::shared_ptr<std::string>& bytes) {
    FrameArrival frame;
    frame.sequence = ++sequence;
    frame.items = 1000;
    frame.bytes = {{*bytes}, bytes};
    store->SubmitFrame(stream, std::move(frame));
  }
  // Settles everything read from `from` on in pieces of 1 MiB, as delivery that only counts would.
  uint64_t Drain() {
    DestinationId id{"t", Signal::kMetrics, "region"};
    uint32_t lane = LaneOf("e", "node");
    uint64_t cursor = store->Lanes(id)[lane].cursor, bytes = 0;
    for (uint64_t next = 0;; cursor = next) {
      auto records = store->Read(id, cursor, 1 << 20, &next);
      Check(records.ok(), "read");
      if (records->empty()) return bytes;
      Settlement settlement;
      settlement.destination = id;
      settlement.lane = lane;
      settlement.from = cursor;
      settlement.upto = next;
      for (const RecordPtr& record : *records) {
        settlement.delivered += record->header.items;
        bytes += record->frame.size();
      }
      store->Settle(std::move(settlement), [] {});
    }
  }

  std::string directory;
  std::unique_ptr<Store> store;
  std::shared_ptr<CountingSink> sink = std::make_shared<CountingSink>();
  StreamId stream = 0;
  uint64_t sequence = 0;
};

// Frames of range(0) bytes, kWindow in flight, each acknowledged after its sync; a reader settles
// right behind.
void BM_Append(benchmark::State& state) {
  Bed bed;
  auto bytes = std::make_shared<std::string>(static_cast<size_t>(state.range(0)), 'x');
  for (auto _ : state) {
    bed.Submit(bytes);
    if (bed.sequence > kWindow) bed.sink->Wait(bed.sequence - kWindow);
    if (bed.sequence % 512 == 0) bed.Drain();
  }
  bed.sink->Wait(bed.sequence);
  StoreStatus status = bed.store->status();
  state.SetBytesProcessed(static_cast<int64_t>(state.iterations()) * state.range(0));
  state.counters["frames/commit"] = static_cast<double>(status.committed_frames_total) /
                                    static_cast<double>(status.commits_total);
  state.counters["fsync_ms"] =
      1e3 * status.fsync_seconds_sum / static_cast<double>(status.commits_total);
}
BENCHMARK(BM_Append)->Arg(1 << 10)->Arg(16 << 10)->Arg(256 << 10)->UseRealTime();

// A backlog of 512 MiB in frames of 32 KiB, read from the disk's tables and settled.
void BM_Drain(benchmark::State& state) {
  constexpr uint64_t kFrames = 16384;
  auto bytes = std::make_shared<std::string>(32 << 10, 'x');
  for (auto _ : state) {
    state.PauseTiming();
    auto bed = std::make_unique<Bed>();
    for (uint64_t i = 0; i < kFrames; ++i) {
      bed->Submit(bytes);
      if (bed->sequence > kWindow) bed->sink->Wait(bed->sequence - kWindow);
    }
    bed->sink->Wait(kFrames);
    state.ResumeTiming();
    uint64_t drained = bed->Drain();
    Check(drained == kFrames * bytes->size(), "all of it");
    state.PauseTiming();
    bed.reset();
    state.ResumeTiming();
  }
  state.SetBytesProcessed(static_cast<int64_t>(state.iterations() * kFrames * bytes->size()));
}
BENCHMARK(BM_Drain)->Iterations(2)->UseRealTime()->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace ampari
