// Layouts: rendering a layout for a destination, and finding it again.
#include <benchmark/benchmark.h>

#include <string>
#include <vector>

#include "common/frame/registration.h"
#include "gateway/layouts/layout_cache.h"
#include "gateway/layouts/render_rules.h"

namespace ampari {
namespace {

constexpr uint32_t kSeries = 2000;

class OneBlock final : public BlockSource {
 public:
  OneBlock() {
    RegistrationBlock block;
    block.number = block.first_series = block.first_layout = 1;
    for (uint32_t i = 0; i < kSeries; ++i) {
      LabelsBuilder builder;
      builder.Set("__name__", "istio_request_duration_milliseconds_bucket");
      builder.Set("le", std::to_string(i % 20));
      for (int l = 0; l < 29; ++l) {
        builder.Set("destination_label_" + std::to_string(10 + l),
                    "spiffe://cluster.local/ns/" + std::to_string(i / 20));
      }
      block.series.push_back(builder.Build());
    }
    Layout layout;
    layout.size = kSeries;
    layout.runs = {{false, 1, kSeries}};
    block.layouts = {layout};
    bytes_ = EncodeRegistration(block);
  }
  absl::StatusOr<std::string> BlockOfLayout(InstanceNumber, uint64_t) const override {
    return bytes_;
  }
  absl::StatusOr<std::string> BlockOfSeries(InstanceNumber, uint64_t) const override {
    return bytes_;
  }
  absl::StatusOr<Labels> EnforcedLabels(InstanceNumber) const override {
    return Labels{{"cluster", "a"}};
  }

 private:
  std::string bytes_;
};

void PerSeries(benchmark::State& state) {
  const double total = double{kSeries} * static_cast<double>(state.iterations());
  state.counters["per_series"] =
      benchmark::Counter(total, benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}

// First use: block decoded, labels applied, fields encoded.
void BM_RenderLayout(benchmark::State& state) {
  const OneBlock source;
  const RenderRules rules = *MakeRenderRules({{"mesh", "prod"}}, {});
  for (auto _ : state) {
    LayoutCache cache(source, size_t{64} << 20);
    const auto rendered = cache.Rendered(1, 1, rules);
    benchmark::DoNotOptimize((*rendered)->size());
    state.counters["B/series"] = static_cast<double>(cache.bytes()) / kSeries;
  }
  PerSeries(state);
}
BENCHMARK(BM_RenderLayout);

// Another generation: the decoded block is cached.
void BM_RenderAgain(benchmark::State& state) {
  const OneBlock source;
  LayoutCache cache(source, size_t{64} << 20);
  RenderRules rules = *MakeRenderRules({{"mesh", "prod"}}, {});
  for (auto _ : state) {
    ++rules.generation;
    benchmark::DoNotOptimize((*cache.Rendered(1, 1, rules))->size());
  }
  PerSeries(state);
}
BENCHMARK(BM_RenderAgain);

void BM_FindRendered(benchmark::State& state) {
  const OneBlock source;
  LayoutCache cache(source, size_t{64} << 20);
  const RenderRules rules = *MakeRenderRules({}, {});
  for (auto _ : state) benchmark::DoNotOptimize((*cache.Rendered(1, 1, rules))->size());
}
BENCHMARK(BM_FindRendered);

}  // namespace
}  // namespace ampari
