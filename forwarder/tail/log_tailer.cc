#include "forwarder/tail/log_tailer.h"

#include <sys/resource.h>

#include <algorithm>
#include <atomic>
#include <thread>
#include <utility>

#include "common/runtime/mutex.h"
#include "forwarder/tail/tail_engine.h"

namespace ampari {
namespace {

// The tailer answers between two steps; one that waits for longer gets the answer before.
constexpr absl::Duration kStatusWait = absl::Seconds(1);
// Reading what is there at the end takes no longer.
constexpr absl::Duration kMaxDrain = absl::Seconds(5);

// A node's containers can have more files than the 1,024 that a process may open by default.
constexpr rlim_t kWantedOpenFiles = 65'536;

void RaiseOpenFiles() {
  rlimit limit = {};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= kWantedOpenFiles) return;
  limit.rlim_cur = std::min(limit.rlim_max, kWantedOpenFiles);
  (void)::setrlimit(RLIMIT_NOFILE, &limit);
}

}  // namespace

// The engine belongs to the thread; all else goes through what mu_ guards.
class LogTailer::Core {
 public:
  explicit Core(LogTailerOptions options) : clock_(*options.clock), engine_(std::move(options)) {}

  void Start() {
    RaiseOpenFiles();
    thread_ = std::thread([this] { Run(); });
  }
  void Apply(LogTargetSet targets);
  void Wake() { engine_.watch().Wakeup(); }
  void Stop();
  LogTailStatus Status(bool with_files);

 private:
  void Run();
  void Drain();
  void TakeTargets();
  void Answer();

  const Clock& clock_;
  TailEngine engine_;
  std::thread thread_;
  std::atomic<bool> stopping_{false};

  Mutex mu_;
  CondVar answered_;
  std::optional<LogTargetSet> targets_ ABSL_GUARDED_BY(mu_);
  bool asked_ ABSL_GUARDED_BY(mu_) = false;
  bool asked_files_ ABSL_GUARDED_BY(mu_) = false;
  bool running_ ABSL_GUARDED_BY(mu_) = false;
  uint64_t answers_ ABSL_GUARDED_BY(mu_) = 0;
  LogTailStatus status_ ABSL_GUARDED_BY(mu_);
};

void LogTailer::Core::Apply(LogTargetSet targets) {
  {
    const MutexLock lock(mu_);
    targets_ = std::move(targets);
  }
  Wake();
}

void LogTailer::Core::TakeTargets() {
  std::optional<LogTargetSet> targets;
  {
    const MutexLock lock(mu_);
    targets.swap(targets_);
  }
  if (targets) engine_.Apply(*std::move(targets));
}

void LogTailer::Core::Run() {
  {
    const MutexLock lock(mu_);
    running_ = true;
  }
  while (!stopping_.load()) {
    TakeTargets();
    const absl::Duration wait = engine_.Step();
    Answer();
    if (wait > absl::ZeroDuration()) engine_.watch().Wait(wait);
  }
  Drain();
  const MutexLock lock(mu_);
  status_ = engine_.Status(true);
  running_ = false;
  answered_.NotifyAll();
}

void LogTailer::Core::Drain() {
  const absl::Duration until = clock_.Monotonic() + kMaxDrain;
  TakeTargets();
  engine_.BeginDrain();
  while (!engine_.DrainStep() && clock_.Monotonic() < until) {
  }
}

void LogTailer::Core::Answer() {
  const MutexLock lock(mu_);
  if (!asked_) return;
  status_ = engine_.Status(asked_files_);
  asked_ = asked_files_ = false;
  ++answers_;
  answered_.NotifyAll();
}

LogTailStatus LogTailer::Core::Status(bool with_files) {
  MutexLock lock(mu_);
  if (running_) {
    const uint64_t before = answers_;
    const absl::Duration until = clock_.Monotonic() + kStatusWait;
    asked_ = true;
    asked_files_ = asked_files_ || with_files;
    Wake();
    while (running_ && answers_ == before && clock_.Monotonic() < until) {
      answered_.WaitFor(mu_, kStatusWait);
    }
  }
  return status_;
}

void LogTailer::Core::Stop() {
  if (!thread_.joinable()) return;
  stopping_.store(true);
  Wake();
  thread_.join();
}

LogTailer::LogTailer(LogTailerOptions options)
    : core_(std::make_unique<Core>(std::move(options))) {}
LogTailer::~LogTailer() { Stop(); }
void LogTailer::Start() { core_->Start(); }
void LogTailer::Apply(LogTargetSet targets) { core_->Apply(std::move(targets)); }
void LogTailer::Wake() { core_->Wake(); }
void LogTailer::Stop() { core_->Stop(); }
LogTailStatus LogTailer::status(bool with_files) const { return core_->Status(with_files); }

}  // namespace ampari
