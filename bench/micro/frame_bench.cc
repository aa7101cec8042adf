// Cost and size of frames and registration blocks on Istio-like data: 20 targets in a frame.
#include <benchmark/benchmark.h>

#include "bench/micro/istio_sample.h"
#include "common/frame/frame.h"

namespace ampari {
namespace {

constexpr int kTargets = 20;
constexpr int kCombinations = 12;  // 67 series each
constexpr size_t kMaxRaw = size_t{64} << 20;

class OneSize final : public LayoutSizes {
 public:
  explicit OneSize(uint32_t size) : size_(size) {}
  bool Size(uint64_t, uint32_t* size) const override {
    *size = size_;
    return true;
  }

 private:
  uint32_t size_;
};

std::vector<Scrape> Scrapes() {
  std::vector<Scrape> scrapes;
  for (int target = 0; target < kTargets; ++target) {
    Scrape scrape;
    scrape.timestamp_ms = 1700000000000 + target * 137;
    scrape.body_layout = static_cast<uint64_t>(target) + 1;
    scrape.body_values = IstioSample(target, kCombinations).values();
    scrapes.push_back(std::move(scrape));
  }
  return scrapes;
}

size_t SamplesIn(const std::vector<Scrape>& scrapes) {
  return scrapes.size() * scrapes.front().body_values.size();
}

void SetPerSample(benchmark::State& state, size_t samples) {
  state.counters["per_sample"] =
      benchmark::Counter(static_cast<double>(samples) * static_cast<double>(state.iterations()),
                         benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}

void BM_EncodeFrame(benchmark::State& state) {
  const std::vector<Scrape> scrapes = Scrapes();
  FrameBuilder builder;
  size_t bytes = 0;
  for (auto _ : state) {
    for (const Scrape& scrape : scrapes) builder.Add(scrape, scrape.body_values.size());
    const std::string frame = builder.Finish(1);
    bytes = frame.size();
    benchmark::DoNotOptimize(frame.data());
  }
  SetPerSample(state, SamplesIn(scrapes));
  state.counters["B/sample"] = static_cast<double>(bytes) / static_cast<double>(SamplesIn(scrapes));
}
BENCHMARK(BM_EncodeFrame);

void BM_DecodeFrame(benchmark::State& state) {
  const std::vector<Scrape> scrapes = Scrapes();
  FrameBuilder builder;
  for (const Scrape& scrape : scrapes) builder.Add(scrape, scrape.body_values.size());
  const std::string frame = builder.Finish(1);
  const OneSize sizes(static_cast<uint32_t>(scrapes.front().body_values.size()));
  FrameDecoder decoder;
  for (auto _ : state) {
    auto decoded = decoder.Decode(frame, sizes, kMaxRaw);
    if (!decoded.ok()) state.SkipWithError("decode");
    benchmark::DoNotOptimize(decoded);
  }
  SetPerSample(state, SamplesIn(scrapes));
}
BENCHMARK(BM_DecodeFrame);

void BM_EncodeRegistration(benchmark::State& state) {
  const RegistrationBlock block = IstioSample(1, 150).Block();
  size_t bytes = 0;
  for (auto _ : state) {
    const std::string encoded = EncodeRegistration(block);
    bytes = encoded.size();
    benchmark::DoNotOptimize(encoded.data());
  }
  SetPerSample(state, block.series.size());
  state.counters["B/series"] =
      static_cast<double>(bytes) / static_cast<double>(block.series.size());
}
BENCHMARK(BM_EncodeRegistration);

void BM_DecodeRegistration(benchmark::State& state) {
  const RegistrationBlock block = IstioSample(1, 150).Block();
  const std::string encoded = EncodeRegistration(block);
  for (auto _ : state) {
    auto decoded = DecodeRegistration(encoded);
    if (!decoded.ok()) state.SkipWithError("decode");
    benchmark::DoNotOptimize(decoded);
  }
  SetPerSample(state, block.series.size());
}
BENCHMARK(BM_DecodeRegistration);

}  // namespace
}  // namespace ampari

BENCHMARK_MAIN();
