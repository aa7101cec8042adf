// From a stored frame of access logs to the body of a Loki push, as the gateway makes it: Envoy's
// default text of some 330 bytes a line.
#include <benchmark/benchmark.h>

#include <string>
#include <vector>

#include "common/frame/log_frame.h"
#include "gateway/delivery/log_batch.h"

namespace ampari {
namespace {

constexpr int kStreams = 30;
constexpr size_t kFrameRawBytes = 256u << 10;

std::string AccessLine(uint32_t number) {
  return "[2023-11-14T22:13:20." + std::to_string(100 + number % 900) + "Z] \"GET /api/products/" +
         std::to_string(number % 5003) + "?currency=EUR HTTP/1.1\" 200 - via_upstream - \"-\" 0 " +
         std::to_string(500 + number % 4001) + " " + std::to_string(number % 97) + " " +
         std::to_string(number % 89) + " \"-\" \"Mozilla/5.0 (X11; Linux x86_64)\" \"6f1a" +
         std::to_string(number * 2654435761u) +
         "-9c3e-4e1b\" \"products.shop.svc.cluster.local:8080\" \"10.244.1.17:8080\" "
         "inbound|8080|| 127.0.0.6:" +
         std::to_string(30000 + number % 20000) +
         " 10.244.1.17:8080 10.244.2.5:" + std::to_string(30000 + number % 10007) +
         " outbound_.8080_._.products default";
}

Record MakeRecord(const LogMetadata& metadata, uint32_t number, uint64_t* line_bytes) {
  LogFrameBuilder builder;
  for (int stream = 0; stream < kStreams; ++stream) {
    builder.BeginStream({{"cluster", "a"},
                         {"container", "istio-proxy"},
                         {"job", "integrations/istio"},
                         {"log_type", "access"},
                         {"namespace", "shop"},
                         {"pod", "products-7d9c5b6f4-" + std::to_string(stream)},
                         {"stream", "stdout"}});
    while (builder.raw_bytes() < kFrameRawBytes * (stream + 1) / kStreams) {
      const std::string line = AccessLine(number);
      builder.AddLine(1'700'000'000'000'000'000 + number * 1'000'003LL, line, metadata);
      *line_bytes += line.size();
      ++number;
    }
  }
  Record record;
  record.sequence = 1;
  record.header.items = builder.lines();
  record.frame = builder.Finish(1);
  return record;
}

void Encode(benchmark::State& state, const LogMetadata& metadata, uint32_t max_line_bytes) {
  uint64_t line_bytes = 0;
  const auto frames = static_cast<size_t>(state.range(0));
  std::vector<Record> records;
  uint64_t line_count = 0;
  for (uint32_t i = 0; i < frames; ++i) {
    records.push_back(MakeRecord(metadata, i * 1'000'000, &line_bytes));
    line_count += records.back().header.items;
  }
  StreamRules rules;
  rules.external_labels = {{"mesh", "prod"}};
  rules.limits.max_line_bytes = max_line_bytes;
  StreamRenderer renderer(rules);
  LogFrameReader reader;
  PushRequestEncoder encoder;
  const std::vector<uint64_t> sequences(frames, 1);
  uint64_t bytes = 0;
  for (auto _ : state) {
    std::vector<FrameLines> lines;
    for (size_t i = 0; i < frames; ++i)
      lines.push_back(*reader.Read(records[i], Labels({{"cluster", "a"}}), renderer));
    const LineGroups groups = GroupLines(lines, sequences);
    for (const LineUnit& unit : CutUnits(groups, 0, uint64_t{1} << 20, 0)) {
      const std::string body = encoder.Encode(StreamsOf(groups, unit));
      benchmark::DoNotOptimize(body.data());
      bytes += body.size();
    }
  }
  const double iterations = static_cast<double>(state.iterations());
  const double total = static_cast<double>(line_bytes) * iterations;
  state.SetBytesProcessed(static_cast<int64_t>(total));
  state.counters["lines/s"] =
      benchmark::Counter(static_cast<double>(line_count) * iterations, benchmark::Counter::kIsRate);
  state.counters["body/text"] = static_cast<double>(bytes) / total;
}

// `range(0)` frames of 256 KiB in one push.
void BM_FramesToBody(benchmark::State& state) { Encode(state, {}, 0); }
BENCHMARK(BM_FramesToBody)->Arg(1)->Arg(4);

void BM_FramesToBodyWithLimits(benchmark::State& state) { Encode(state, {}, 256u << 10); }
BENCHMARK(BM_FramesToBodyWithLimits)->Arg(4);

void BM_FramesToBodyWithMetadata(benchmark::State& state) {
  Encode(state, {{"request_method", "GET"}, {"response_code", "200"}}, 0);
}
BENCHMARK(BM_FramesToBodyWithMetadata)->Arg(4);

}  // namespace
}  // namespace ampari
