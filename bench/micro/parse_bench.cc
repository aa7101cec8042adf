// The parser on Istio-like bodies (about 926 bytes a line): known series, unknown series, one
// changed line in fifty, beside the bare hash over the same bytes.
#include <benchmark/benchmark.h>
#include <xxhash.h>

#include <bit>
#include <charconv>
#include <memory>
#include <string>
#include <vector>

#include "bench/micro/istio_sample.h"
#include "forwarder/scrape/target_state.h"

namespace ampari {
namespace {

constexpr int kTargets = 20;
constexpr int kCombinations = 50;
constexpr size_t kPieceBytes = size_t{256} << 10;
constexpr size_t kMaxScrapeBytes = size_t{16} << 20;

std::string BodyOf(const IstioSample& sample, size_t* lines) {
  std::string body;
  for (size_t i = 0; i < sample.series().size(); ++i) {
    const Labels& labels = sample.series()[i];
    body += labels.Get("__name__");
    char separator = '{';
    const auto append = [&](std::string_view name, std::string_view value) {
      body += separator;
      body.append(name).append("=\"").append(value).append("\"");
      separator = ',';
    };
    for (const Label label : labels) {
      if (label.name == "__name__" || label.name == "job" || label.name == "instance") continue;
      if (label.name != "le") append(label.name, label.value);
    }
    if (labels.Has("le")) append("le", labels.Get("le"));  // last, as Envoy writes it
    char number[32];
    const auto value = std::bit_cast<double>(sample.values()[i]);
    const auto end = std::to_chars(number, number + sizeof number, value).ptr;
    body.append("} ").append(number, end).append("\n");
    ++*lines;
  }
  return body;
}

struct Bodies {
  std::vector<std::string> texts;
  size_t lines = 0;
  size_t bytes = 0;
};

const Bodies& TheBodies() {
  static const Bodies bodies = [] {
    Bodies out;
    for (int t = 0; t < kTargets; ++t) {
      out.texts.push_back(BodyOf(IstioSample(t, kCombinations), &out.lines));
      out.bytes += out.texts.back().size();
    }
    return out;
  }();
  return bodies;
}

Target BenchTarget() {
  Target target;
  target.job = std::make_shared<ScrapeJob>();
  target.labels = Labels{{"instance", "10.0.0.1:15020"},
                         {"job", "istio-mesh"},
                         {"namespace", "shop"},
                         {"pod", "cart-7d9f-abcde"}};
  return target;
}

ScrapeSummary ScrapeOnce(TargetState& state, std::string_view body, int64_t time) {
  state.Begin({time, ScrapeProtocol::kText004});
  for (size_t at = 0; at < body.size(); at += kPieceBytes) {
    benchmark::DoNotOptimize(state.Feed(body.substr(at, kPieceBytes)));
  }
  ScrapeSummary summary;
  benchmark::DoNotOptimize(state.Finish({}, &summary));
  return summary;
}

void Tell(benchmark::State& bench, uint64_t lines, uint64_t bytes) {
  bench.SetItemsProcessed(static_cast<int64_t>(lines));
  bench.SetBytesProcessed(static_cast<int64_t>(bytes));
  bench.counters["ns_per_sample"] = benchmark::Counter(
      static_cast<double>(lines) * 1e-9, benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
  bench.counters["bytes_per_line"] = static_cast<double>(bytes) / static_cast<double>(lines);
}

void HashOnly(benchmark::State& bench) {
  const Bodies& bodies = TheBodies();
  uint64_t rounds = 0;
  for (auto _ : bench) {
    for (const std::string& text : bodies.texts) {
      benchmark::DoNotOptimize(XXH3_64bits(text.data(), text.size()));
    }
    ++rounds;
  }
  Tell(bench, rounds * bodies.lines, rounds * bodies.bytes);
}
BENCHMARK(HashOnly);

void KnownSeries(benchmark::State& bench) {
  const Bodies& bodies = TheBodies();
  NumberSource numbers;
  std::vector<std::unique_ptr<TargetState>> targets;
  int64_t time = 1'700'000'000'000;
  for (const std::string& text : bodies.texts) {
    targets.push_back(std::make_unique<TargetState>(BenchTarget(), kMaxScrapeBytes, numbers));
    ScrapeOnce(*targets.back(), text, time);
  }
  uint64_t rounds = 0, predicted = 0;
  for (auto _ : bench) {
    time += 15'000;
    for (size_t i = 0; i < targets.size(); ++i) {
      predicted += ScrapeOnce(*targets[i], bodies.texts[i], time).predicted;
    }
    ++rounds;
  }
  if (predicted != rounds * bodies.lines) bench.SkipWithError("a line was not predicted");
  Tell(bench, rounds * bodies.lines, rounds * bodies.bytes);
  size_t memory = 0, series = 0;
  for (const auto& target : targets) {
    memory += target->memory_bytes();
    series += target->series();
  }
  bench.counters["memory_per_series"] = static_cast<double>(memory) / static_cast<double>(series);
}
BENCHMARK(KnownSeries);

void UnknownSeries(benchmark::State& bench) {
  const Bodies& bodies = TheBodies();
  NumberSource numbers;
  uint64_t rounds = 0;
  for (auto _ : bench) {
    for (const std::string& text : bodies.texts) {
      TargetState target(BenchTarget(), kMaxScrapeBytes, numbers);
      benchmark::DoNotOptimize(ScrapeOnce(target, text, 1'700'000'000'000));
    }
    ++rounds;
  }
  Tell(bench, rounds * bodies.lines, rounds * bodies.bytes);
}
BENCHMARK(UnknownSeries);

// One line of each body comes and goes: every scrape has another layout than the one before.
void OneSeriesFlaps(benchmark::State& bench) {
  const Bodies& bodies = TheBodies();
  NumberSource numbers;
  std::vector<std::unique_ptr<TargetState>> targets;
  std::vector<std::string> shorter;
  int64_t time = 1'700'000'000'000;
  for (const std::string& text : bodies.texts) {
    targets.push_back(std::make_unique<TargetState>(BenchTarget(), kMaxScrapeBytes, numbers));
    ScrapeOnce(*targets.back(), text, time);
    const size_t from = text.find('\n', text.size() / 2) + 1;
    shorter.push_back(text);
    shorter.back().erase(from, text.find('\n', from) + 1 - from);
  }
  uint64_t rounds = 0;
  for (auto _ : bench) {
    time += 15'000;
    const auto& texts = rounds % 2 == 0 ? shorter : bodies.texts;
    for (size_t i = 0; i < targets.size(); ++i) {
      benchmark::DoNotOptimize(ScrapeOnce(*targets[i], texts[i], time));
    }
    ++rounds;
  }
  Tell(bench, rounds * bodies.lines, rounds * bodies.bytes);
}
BENCHMARK(OneSeriesFlaps);

}  // namespace
}  // namespace ampari

BENCHMARK_MAIN();
