// The tailer's thread: started, given targets, asked and stopped from others.
#include "forwarder/tail/log_tailer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "absl/strings/str_cat.h"
#include "common/runtime/mutex.h"
#include "tests/unit/forwarder/tail/tail_bed.h"

namespace ampari {
namespace {

// The shipper's side, for any thread.
class Sink {
 public:
  std::optional<LogDirections> TakeDirections() {
    const MutexLock lock(mu_);
    return gateway_.TakeDirections();
  }
  bool Push(LogFlush flush) {
    const MutexLock lock(mu_);
    const bool taken = gateway_.Push(std::move(flush));
    gateway_.Settle();
    changed_.NotifyAll();
    return taken;
  }
  void Connect() {
    const MutexLock lock(mu_);
    gateway_.Connect(absl::Hours(1));
  }
  void WaitForLines(size_t lines) {
    MutexLock lock(mu_);
    while (gateway_.lines.size() < lines) changed_.WaitFor(mu_, absl::Seconds(1));
  }
  size_t lines() {
    const MutexLock lock(mu_);
    return gateway_.lines.size();
  }

 private:
  Mutex mu_;
  CondVar changed_;
  ModelGateway gateway_ ABSL_GUARDED_BY(mu_);
};

LogTargetSet Targets(const std::string& path) {
  auto job = std::make_shared<LogJob>();
  job->job_name = "test";
  job->start = LogStart::kBeginning;
  LogTargetSet set;
  LogTarget target;
  target.job = job;
  target.path = path;
  target.id = path;
  set.targets.push_back(std::move(target));
  return set;
}

LogTailerOptions OptionsFor(Sink* sink) {
  LogTailerOptions options;
  options.clock = &SystemClock();
  options.take_directions = [sink] { return sink->TakeDirections(); };
  options.has_room = [] { return true; };
  options.push = [sink](LogFlush flush) { return sink->Push(std::move(flush)); };
  options.retire = [](const std::vector<std::string>&) {};
  options.superseded = [] { return false; };
  options.flush_interval = absl::Milliseconds(20);
  return options;
}

TEST(LogTailer, ReadsOnItsThreadAndAnswersOthers) {
  TailBed bed;
  Sink sink;
  const std::string log = bed.Container("a_b_1", "app") + "/0.log";
  LogTailer tailer(OptionsFor(&sink));
  tailer.Start();
  tailer.Apply(Targets(bed.root() + "/*/app/*.log"));
  AppendFile(log, bed.Cri("1"));
  sink.Connect();
  tailer.Wake();
  sink.WaitForLines(1);
  std::thread asker([&tailer] {
    for (int i = 0; i < 50; ++i) (void)tailer.status(i % 2 == 0);
  });
  for (int i = 0; i < 50; ++i) {
    AppendFile(log, bed.Cri("more"));
    tailer.Wake();
    tailer.Apply(Targets(bed.root() + "/*/app/*.log"));
  }
  asker.join();
  sink.WaitForLines(51);
  EXPECT_EQ(tailer.status(true).files.size(), 1);
  EXPECT_EQ(tailer.status(false).lines_total, 51);
  tailer.Stop();
  EXPECT_EQ(tailer.status(false).lines_total, 51) << "what it knew last";
}

TEST(LogTailer, StopReadsAndPushesWhatIsThere) {
  TailBed bed;
  Sink sink;
  const std::string log = bed.Container("a_b_1", "app") + "/0.log";
  LogTailerOptions options = OptionsFor(&sink);
  options.flush_interval = absl::Hours(1);
  LogTailer tailer(std::move(options));
  sink.Connect();
  tailer.Start();
  for (int i = 0; i < 1000; ++i) AppendFile(log, bed.Cri("line"));
  tailer.Apply(Targets(bed.root() + "/*/app/*.log"));
  tailer.Stop();
  EXPECT_EQ(sink.lines(), 1000);
}

TEST(LogTailer, StopReadsQuietFilesToo) {
  TailBed bed;
  FakeClock clock;  // that stands: nothing is due any more
  Sink sink;
  const std::string log = bed.Container("a_b_1", "app") + "/0.log";
  AppendFile(log, bed.Cri("line"));
  LogTailerOptions options = OptionsFor(&sink);
  options.clock = &clock;
  options.flush_bytes = 1;
  LogTailer tailer(std::move(options));
  sink.Connect();
  tailer.Start();
  tailer.Apply(Targets(bed.root() + "/*/app/*.log"));
  sink.WaitForLines(1);
  (void)tailer.status(false);
  AppendFile(log, bed.Cri("line"));
  tailer.Stop();
  EXPECT_EQ(sink.lines(), 2);
}

TEST(LogTailer, StopsWithoutAGatewayAndWithoutAStart) {
  Sink sink;
  LogTailer never_started(OptionsFor(&sink));
  LogTailer tailer(OptionsFor(&sink));
  tailer.Start();
  tailer.Stop();
  tailer.Stop();
  EXPECT_EQ(never_started.status(true).files_open, 0);
}

}  // namespace
}  // namespace ampari
