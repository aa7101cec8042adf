// From the bytes of a container's log file to frames: read through the page cache, parse, join,
// classify, collect, compress.
#include <benchmark/benchmark.h>
#include <fcntl.h>
#include <unistd.h>

#include <cstdio>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "bench/micro/access_lines.h"
#include "common/runtime/check.h"
#include "forwarder/tail/flush_collector.h"
#include "forwarder/tail/line_joiner.h"
#include "forwarder/tail/line_plan.h"
#include "forwarder/tail/runtime_line.h"

namespace ampari {
namespace {

constexpr size_t kFileBytes = size_t{48} << 20;
constexpr size_t kReadBytes = size_t{256} << 10;
constexpr size_t kFlushBytes = size_t{512} << 10;

// A file of access lines, removed at the end.
class LineFile {
 public:
  explicit LineFile(LineStyle style) : path_("/tmp/ampari_log_bench_XXXXXX") {
    fd_ = mkstemp(path_.data());
    Check(fd_ >= 0, "a temporary file");
    AccessLines lines(1, style);
    for (std::string text; size_ < kFileBytes; text.clear()) {
      while (text.size() < kReadBytes) lines.Append(&text);
      Check(write(fd_, text.data(), text.size()) == static_cast<ssize_t>(text.size()), "written");
      size_ += text.size();
    }
  }
  ~LineFile() {
    close(fd_);
    unlink(path_.c_str());
  }
  LineFile(const LineFile&) = delete;
  LineFile& operator=(const LineFile&) = delete;

  int fd() const { return fd_; }
  size_t size() const { return size_; }

  static const LineFile& Of(LineStyle style) {
    static const LineFile text(LineStyle::kText), json(LineStyle::kJson);
    return style == LineStyle::kText ? text : json;
  }

 private:
  std::string path_;
  int fd_ = -1;
  size_t size_ = 0;
};

enum class Work : uint8_t { kLines, kJoined, kPlanned, kCollected, kFrames };
struct Sums {
  uint64_t lines = 0, frame_bytes = 0;
};

// What the tailer does for one file, without its looking around, as far as `work`.
class Reader {
 public:
  Reader(LinePlan* plan, Work work) : plan_(plan), work_(work), joiner_({}, {}) {}

  Sums Read(const LineFile& file) {
    std::vector<char> buffer(kReadBytes * 2);
    size_t held = 0;
    off_t at = 0;
    while (true) {
      const ssize_t got = pread(file.fd(), buffer.data() + held, kReadBytes, at);
      Check(got >= 0, "read");
      if (got == 0) break;
      at += got;
      held += static_cast<size_t>(got);
      const size_t used = TakeLines({buffer.data(), held});
      held -= used;
      std::copy(buffer.data() + used, buffer.data() + used + held, buffer.data());
    }
    Flush();
    return sums_;
  }

 private:
  size_t TakeLines(std::string_view text) {
    size_t begin = 0;
    for (size_t end; (end = text.find('\n', begin)) != std::string_view::npos; begin = end + 1) {
      ++sums_.lines;
      if (work_ != Work::kLines) TakeLine(text.substr(begin, end - begin));
    }
    return begin;
  }

  void TakeLine(std::string_view text) {
    RuntimeLine line;
    Check(ParseCriLine(text, &line), "lines as containerd writes them");
    const uint64_t begin = std::exchange(offset_, offset_ + text.size() + 1);
    const auto joined = joiner_.Take(line, begin, offset_);
    if (!joined || work_ == Work::kJoined) return;
    PlannedLine planned;
    if (plan_->Plan(*joined, &planned) != LineFate::kKept || work_ == Work::kPlanned) return;
    collector_.AddLine(*planned.labels, joined->time_ns, joined->text, *planned.metadata);
    if (collector_.raw_bytes() >= kFlushBytes) Flush();
  }

  void Flush() {
    if (work_ != Work::kFrames) {
      collector_.~FlushCollector();
      new (&collector_) FlushCollector();
    } else {
      sums_.frame_bytes += collector_.Finish(1).frame.size();
    }
  }

  LinePlan* plan_;
  Work work_;
  LineJoiner joiner_;
  FlushCollector collector_;
  uint64_t offset_ = 0;
  Sums sums_;
};

enum class Plan : uint8_t { kPlain, kLabels, kMetadata, kRules };

std::unique_ptr<LinePlan> PlanOf(Plan plan) {
  auto job = std::make_shared<LogJob>();
  if (plan == Plan::kLabels || plan == Plan::kMetadata) {
    job->access.enabled = true;
    job->access.formats = AccessLogFormat::IstioDefaults();
    job->access.labels = {
        {"method", "request_method"}, {"protocol", "protocol"}, {"response_code", "response_code"}};
  }
  if (plan == Plan::kMetadata) {
    job->access.metadata = {{"request_id", "request_id"}, {"path", "path"}};
  }
  if (plan == Plan::kRules) {
    job->rules.emplace_back().field = "response_code";
    job->rules.back().regex = "5..";
    LogLineRule& sample = job->rules.emplace_back();
    sample.action = LogLineRule::Action::kSample;
    sample.rate = 0.1;
  }
  LogTarget target;
  target.job = std::move(job);
  target.labels = {{"cluster", "a"},
                   {"container", "istio-proxy"},
                   {"job", "integrations/istio"},
                   {"mesh", "prod"},
                   {"namespace", "default"},
                   {"node", "node-17"},
                   {"pod", "reviews-v1-6f7c9d9f5d-x2x7q"}};
  return *LinePlan::Make(target);
}

void ReadFile(benchmark::State& state, LineStyle style, Plan plan, Work work) {
  const LineFile& file = LineFile::Of(style);
  const std::unique_ptr<LinePlan> planner = PlanOf(plan);
  Sums sums;
  for (auto _ : state) sums = Reader(planner.get(), work).Read(file);
  state.SetBytesProcessed(static_cast<int64_t>(state.iterations() * file.size()));
  const auto lines = static_cast<double>(sums.lines);
  state.counters["bytes/line"] = static_cast<double>(file.size()) / lines;
  state.counters["ns/line"] = benchmark::Counter(
      lines * 1e-9, benchmark::Counter::kIsIterationInvariantRate | benchmark::Counter::kInvert);
  if (sums.frame_bytes > 0) {
    state.counters["ratio"] =
        static_cast<double>(file.size()) / static_cast<double>(sums.frame_bytes);
  }
}

BENCHMARK_CAPTURE(ReadFile, lines, LineStyle::kText, Plan::kPlain, Work::kLines);
BENCHMARK_CAPTURE(ReadFile, joined, LineStyle::kText, Plan::kPlain, Work::kJoined);
BENCHMARK_CAPTURE(ReadFile, planned, LineStyle::kText, Plan::kPlain, Work::kPlanned);
BENCHMARK_CAPTURE(ReadFile, planned_labels, LineStyle::kText, Plan::kLabels, Work::kPlanned);
BENCHMARK_CAPTURE(ReadFile, planned_json, LineStyle::kJson, Plan::kPlain, Work::kPlanned);
BENCHMARK_CAPTURE(ReadFile, planned_json_labels, LineStyle::kJson, Plan::kLabels, Work::kPlanned);
BENCHMARK_CAPTURE(ReadFile, collected, LineStyle::kText, Plan::kPlain, Work::kCollected);
BENCHMARK_CAPTURE(ReadFile, frames, LineStyle::kText, Plan::kPlain, Work::kFrames);
BENCHMARK_CAPTURE(ReadFile, frames_labels, LineStyle::kText, Plan::kLabels, Work::kFrames);
BENCHMARK_CAPTURE(ReadFile, frames_metadata, LineStyle::kText, Plan::kMetadata, Work::kFrames);
BENCHMARK_CAPTURE(ReadFile, frames_rules, LineStyle::kText, Plan::kRules, Work::kFrames);
BENCHMARK_CAPTURE(ReadFile, frames_json, LineStyle::kJson, Plan::kPlain, Work::kFrames);
BENCHMARK_CAPTURE(ReadFile, frames_json_labels, LineStyle::kJson, Plan::kLabels, Work::kFrames);

}  // namespace
}  // namespace ampari
