// Remote-write requests as the gateway makes them: Istio-like series (31 labels, some 1,150 bytes),
// 2,000 samples a request.
#include <benchmark/benchmark.h>
#include <snappy.h>

#include <bit>
#include <string>
#include <vector>

#include "gateway/layouts/series_renderer.h"
#include "gateway/remote_write/request_plan.h"
#include "gateway/remote_write/write_request.h"
#include "prometheus/remote.pb.h"

namespace ampari {
namespace {

constexpr uint32_t kSeries = 2000;

Labels IstioSeries(uint32_t number) {
  std::vector<std::pair<std::string, std::string>> text = {
      {"__name__", "istio_request_duration_milliseconds_bucket"},
      {"le", std::to_string(number % 20)}};
  for (int i = 0; i < 29; ++i) {
    text.emplace_back("destination_label_" + std::to_string(10 + i),
                      "spiffe://cluster.local/ns/" + std::to_string(number / 20));
  }
  LabelsBuilder builder;
  for (const auto& [name, value] : text) builder.Set(name, value);
  return builder.Build();
}

std::vector<SampleGroup> Groups(size_t columns) {
  const RenderRules rules;
  const Labels enforced;
  SeriesRenderer renderer(rules, enforced);
  auto layout = std::make_shared<RenderedLayout>();
  for (uint32_t i = 0; i < kSeries; ++i) renderer.Append(IstioSeries(i), *layout);
  SampleGroup group;
  group.layout = std::move(layout);
  for (size_t c = 0; c < columns; ++c) {
    SampleColumn column;
    column.timestamp_ms = 1'700'000'000'000 + static_cast<int64_t>(c) * 15'000;
    for (uint32_t i = 0; i < kSeries; ++i)
      column.values.push_back(std::bit_cast<uint64_t>(1.0 * i + 7.0 * c));
    group.columns.push_back(std::move(column));
  }
  std::vector<SampleGroup> groups;
  groups.push_back(std::move(group));
  return groups;
}

void Report(benchmark::State& state, uint64_t samples, uint64_t bytes) {
  const double total = static_cast<double>(samples) * static_cast<double>(state.iterations());
  state.counters["per_sample"] =
      benchmark::Counter(total, benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
  state.counters["B/sample"] = static_cast<double>(bytes) / static_cast<double>(samples);
}

// Planning and encoding of `range(0)` scrapes of one layout, merged.
void BM_EncodeRequests(benchmark::State& state) {
  const std::vector<SampleGroup> groups = Groups(static_cast<size_t>(state.range(0)));
  WriteRequestEncoder encoder;
  uint64_t samples = 0, bytes = 0;
  for (auto _ : state) {
    samples = bytes = 0;
    for (const RequestPlan& plan : PlanRequests(groups, {})) {
      const std::string body = encoder.Encode(plan);
      benchmark::DoNotOptimize(body.data());
      samples += plan.samples;
      bytes += body.size();
    }
  }
  Report(state, samples, bytes);
}
BENCHMARK(BM_EncodeRequests)->Arg(1)->Arg(4)->Arg(8);

// The same request built and serialised by libprotobuf, then compressed.
void BM_EncodeByProtobuf(benchmark::State& state) {
  const std::vector<SampleGroup> groups = Groups(1);
  const SampleColumn& column = groups[0].columns[0];
  std::vector<Labels> series;
  for (uint32_t i = 0; i < kSeries; ++i) series.push_back(IstioSeries(i));
  std::string plain, body;
  for (auto _ : state) {
    prometheus::WriteRequest request;
    for (uint32_t i = 0; i < kSeries; ++i) {
      prometheus::TimeSeries* one = request.add_timeseries();
      for (const Label label : series[i]) {
        prometheus::Label* to = one->add_labels();
        to->set_name(label.name.data(), label.name.size());
        to->set_value(label.value.data(), label.value.size());
      }
      prometheus::Sample* sample = one->add_samples();
      sample->set_value(std::bit_cast<double>(column.values[i]));
      sample->set_timestamp(column.timestamp_ms);
    }
    plain.clear();
    request.SerializeToString(&plain);
    snappy::Compress(plain.data(), plain.size(), &body);
    benchmark::DoNotOptimize(body.data());
  }
  Report(state, kSeries, body.size());
}
BENCHMARK(BM_EncodeByProtobuf);

void BM_PlanRequests(benchmark::State& state) {
  const std::vector<SampleGroup> groups = Groups(1);
  RequestBounds bounds;
  bounds.max_samples = static_cast<uint64_t>(state.range(0));
  for (auto _ : state) benchmark::DoNotOptimize(PlanRequests(groups, bounds).size());
  Report(state, kSeries, 0);
}
BENCHMARK(BM_PlanRequests)->Arg(2000)->Arg(500);

}  // namespace
}  // namespace ampari
