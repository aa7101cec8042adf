// LogTailer on a node's files, with a shipper that takes every frame and acknowledges at once:
// bytes a second from files to frames, and what quiet files cost.
#include <benchmark/benchmark.h>
#include <sys/resource.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "bench/micro/access_lines.h"
#include "common/runtime/check.h"
#include "forwarder/tail/log_tailer.h"

namespace ampari {
namespace {

constexpr size_t kNodeBytes = size_t{192} << 20;  // of all files together

double ProcessSeconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

double ResidentBytes() {
  double pages = 0, resident = 0;
  std::ifstream("/proc/self/statm") >> pages >> resident;
  return resident * static_cast<double>(sysconf(_SC_PAGESIZE));
}

// /var/log/pods of a node with `files` sidecars, in a directory that goes with it.
class Node {
 public:
  Node(int files, size_t bytes) : root_("/tmp/ampari_tailer_bench_XXXXXX") {
    Check(mkdtemp(root_.data()) != nullptr, "a temporary directory");
    auto job = std::make_shared<LogJob>();
    job->job_name = "integrations/istio";
    job->start = LogStart::kBeginning;
    for (int i = 0; i < files; ++i) {
      const std::string pod = absl::StrCat("default_web-", i, "_uid-", i);
      const std::string directory = absl::StrCat(root_, "/", pod, "/istio-proxy");
      std::filesystem::create_directories(directory);
      AccessLines lines(static_cast<uint64_t>(i), LineStyle::kText);
      std::string text;
      while (text.size() < bytes / static_cast<size_t>(files)) lines.Append(&text);
      std::ofstream(absl::StrCat(directory, "/0.log"), std::ios::binary) << text;
      bytes_ += text.size();
      LogTarget target;
      target.job = job;
      target.labels = {{"namespace", "default"}, {"pod", absl::StrCat("web-", i)}};
      target.path = absl::StrCat(directory, "/*.log");
      target.id = absl::StrCat(i);
      targets_.targets.push_back(std::move(target));
    }
  }
  ~Node() { std::filesystem::remove_all(root_); }
  Node(const Node&) = delete;
  Node& operator=(const Node&) = delete;

  const LogTargetSet& targets() const { return targets_; }
  size_t bytes() const { return bytes_; }

 private:
  std::string root_;
  size_t bytes_ = 0;
  LogTargetSet targets_;
};

// The shipper's side.
class Taker {
 public:
  explicit Taker(size_t expected) : expected_(expected) {}

  LogTailerOptions Options() {
    LogTailerOptions options;
    options.clock = &SystemClock();
    options.take_directions = [this]() -> std::optional<LogDirections> {
      if (std::exchange(told_, true)) return std::nullopt;
      LogDirections directions;
      directions.round = 1;
      directions.all = true;
      return directions;
    };
    options.has_room = [] { return true; };
    options.push = [this](const LogFlush& flush) {
      Take(flush);
      return true;
    };
    options.retire = [](const std::vector<std::string>&) {};
    options.superseded = [] { return false; };
    options.flush_interval = absl::Milliseconds(20);
    return options;
  }

  void WaitForAll() {
    while (!all_) all_.wait(false);
  }
  uint64_t frames() const { return frames_; }
  uint64_t frame_bytes() const { return frame_bytes_; }

 private:
  void Take(const LogFlush& flush) {
    ++frames_;
    frame_bytes_ += flush.frame.size();
    for (const LogFilePart& file : flush.files) read_ += file.upto.out - file.from.out;
    if (read_ < expected_) return;
    all_ = true;
    all_.notify_all();
  }

  const size_t expected_;
  bool told_ = false;
  uint64_t read_ = 0;
  std::atomic<uint64_t> frames_ = 0, frame_bytes_ = 0;
  std::atomic<bool> all_ = false;
};

void FilesToFrames(benchmark::State& state) {
  const Node node(static_cast<int>(state.range(0)), kNodeBytes);
  double cpu = 0, resident = 0;
  uint64_t frame_bytes = 0;
  for (auto _ : state) {
    Taker taker(node.bytes());
    LogTailer tailer(taker.Options());
    const double before = ProcessSeconds();
    const absl::Time began = absl::Now();
    tailer.Start();
    tailer.Apply(node.targets());
    tailer.Wake();
    taker.WaitForAll();
    state.SetIterationTime(absl::ToDoubleSeconds(absl::Now() - began));
    cpu += ProcessSeconds() - before;
    frame_bytes = taker.frame_bytes();
    resident = ResidentBytes();
    tailer.Stop();
  }
  const auto bytes = static_cast<double>(state.iterations() * node.bytes());
  state.SetBytesProcessed(static_cast<int64_t>(bytes));
  state.counters["MB/s/core"] = bytes / cpu / 1e6;
  state.counters["ratio"] = static_cast<double>(node.bytes()) / static_cast<double>(frame_bytes);
  state.counters["resident_MB"] = resident / 1e6;
}
BENCHMARK(FilesToFrames)
    ->Arg(1)
    ->Arg(100)
    ->Arg(1000)
    ->UseManualTime()
    ->Unit(benchmark::kMillisecond);

// A node whose files say nothing, after all of them were read.
void QuietFiles(benchmark::State& state) {
  const auto files = static_cast<int>(state.range(0));
  const double resident_before = ResidentBytes();
  const Node node(files, static_cast<size_t>(files) * 4096);
  Taker taker(node.bytes());
  LogTailer tailer(taker.Options());
  tailer.Start();
  tailer.Apply(node.targets());
  tailer.Wake();
  taker.WaitForAll();
  absl::SleepFor(absl::Seconds(5));  // so that looks are as rare as they become
  double cpu = 0, wall = 0;
  for (auto _ : state) {
    const double before = ProcessSeconds();
    const absl::Time began = absl::Now();
    absl::SleepFor(absl::Seconds(10));
    cpu += ProcessSeconds() - before;
    wall += absl::ToDoubleSeconds(absl::Now() - began);
    state.SetIterationTime(10);
  }
  state.counters["percent_of_core"] = 100 * cpu / wall;
  state.counters["KB/file"] = (ResidentBytes() - resident_before) / files / 1e3;
}
BENCHMARK(QuietFiles)->Arg(1000)->Iterations(1)->UseManualTime()->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace ampari
