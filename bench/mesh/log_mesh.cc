#include "bench/mesh/log_mesh.h"

#include <algorithm>
#include <deque>
#include <fstream>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "bench/mesh/log_container.h"
#include "bench/mesh/log_targets.h"
#include "common/runtime/clock.h"
#include "common/runtime/mutex.h"

namespace ampari::bench {
namespace {

constexpr absl::Duration kTick = absl::Milliseconds(5);

}  // namespace

class LogMesh::Core {
 public:
  explicit Core(const LogMeshOptions& options) : options_(options) {}
  ~Core() {
    Stop();
    if (thread_.joinable()) thread_.join();
  }

  absl::Status Start() {
    absl::StatusOr<std::unique_ptr<WrittenLog>> written = WrittenLog::Create(options_.written_path);
    if (!written.ok()) return written.status();
    written_ = *std::move(written);
    pods_ = MakePods(options_.pods, 1, options_.seed);
    pods_.pop_back();  // istiod
    const absl::Duration now = SystemClock().Monotonic();
    next_look_ = now + options_.rotate_check;
    next_restart_ = now + options_.restart_every;
    next_replace_ = now + options_.replace_every;
    for (const Pod& pod : pods_) {
      if (absl::Status opened = Add(pod, now); !opened.ok()) return opened;
    }
    if (absl::Status told = TellTargets(); !told.ok()) return told;
    thread_ = std::thread([this] { Run(); });
    return absl::OkStatus();
  }

  absl::Status Wait() ABSL_LOCKS_EXCLUDED(mu_) {
    MutexLock lock(mu_);
    while (!ended_) changed_.Wait(mu_);
    return status_;
  }

  void Stop() ABSL_LOCKS_EXCLUDED(mu_) {
    MutexLock lock(mu_);
    stopping_ = true;
    changed_.NotifyAll();
  }

  LogMeshCounts counts() const ABSL_LOCKS_EXCLUDED(mu_) {
    MutexLock lock(mu_);
    return counts_;
  }

 private:
  struct Dying {
    std::unique_ptr<LogContainer> container;
    absl::Duration delete_at;
  };

  void Run() {
    absl::Status status;
    bool last = false;
    while (status.ok() && !last) {
      last = Sleep();
      status = Step(SystemClock().Monotonic(), last);
      Publish();
      last = last || LinesLeft() == 0;
    }
    if (status.ok()) status = written_->Flush();
    MutexLock lock(mu_);
    status_ = status;
    ended_ = true;
    changed_.NotifyAll();
  }

  // True when this is the last turn.
  bool Sleep() ABSL_LOCKS_EXCLUDED(mu_) {
    MutexLock lock(mu_);
    if (!stopping_) changed_.WaitFor(mu_, kTick);
    return stopping_;
  }

  absl::Status Step(absl::Duration now, bool last) {
    for (const auto& container : living_) {
      if (!last && !container->FlushDue(now)) continue;
      if (absl::Status flushed = Flush(*container, now); !flushed.ok()) return flushed;
    }
    if (now >= next_look_) {
      next_look_ = now + options_.rotate_check;
      if (absl::Status looked = LookAtSizes(now); !looked.ok()) return looked;
    }
    if (options_.restart_every > absl::ZeroDuration() && now >= next_restart_) {
      next_restart_ = now + options_.restart_every;
      ++totals_.restarts;
      if (absl::Status done = Turn(next_restarted_)->Restart(); !done.ok()) return done;
    }
    if (options_.replace_every > absl::ZeroDuration() && now >= next_replace_) {
      next_replace_ = now + options_.replace_every;
      if (absl::Status done = Replace(now); !done.ok()) return done;
    }
    return DeleteDead(now);
  }

  uint64_t LinesLeft() const {
    if (options_.max_lines == 0) return UINT64_MAX;
    return options_.max_lines - std::min(options_.max_lines, totals_.lines);
  }

  absl::Status Flush(LogContainer& container, absl::Duration now) {
    const absl::StatusOr<uint64_t> lines = container.Flush(now, LinesLeft());
    if (lines.ok()) totals_.lines += *lines;
    return lines.status();
  }

  absl::Status LookAtSizes(absl::Duration now) {
    for (const auto& container : living_) {
      const uint64_t before = container->lines();
      const absl::StatusOr<bool> rotated = container->LookAtSize(now, LinesLeft());
      if (!rotated.ok()) return rotated.status();
      totals_.rotations += *rotated ? 1 : 0;
      totals_.lines += container->lines() - before;
    }
    return written_->Flush();
  }

  std::unique_ptr<LogContainer>& Turn(size_t& next) { return living_[next++ % living_.size()]; }

  absl::Status Add(const Pod& pod, absl::Duration now) {
    ++totals_.pods;
    living_.push_back(std::make_unique<LogContainer>(
        options_, pod, static_cast<uint32_t>(totals_.pods), *written_));
    return living_.back()->Open(now);
  }

  absl::Status Replace(absl::Duration now) {
    std::unique_ptr<LogContainer>& old = Turn(next_replaced_);
    if (absl::Status flushed = Flush(*old, now); !flushed.ok()) return flushed;
    Pod successor = old->pod();
    const std::string number = absl::StrCat(totals_.pods + 1);
    successor.name = absl::StrCat(successor.controller, "-n", number);
    successor.uid.replace(successor.uid.size() - number.size(), number.size(), number);
    dying_.push_back({std::move(old), now + options_.linger});
    std::erase(living_, nullptr);
    if (absl::Status added = Add(successor, now); !added.ok()) return added;
    return TellTargets();
  }

  absl::Status DeleteDead(absl::Duration now) {
    bool changed = false;
    while (!dying_.empty() && now >= dying_.front().delete_at) {
      LogContainer& dead = *dying_.front().container;
      if (absl::Status deleted = dead.Delete(); !deleted.ok()) return deleted;
      buried_bytes_ += dead.bytes();
      buried_gone_ += dead.gone();
      dying_.pop_front();
      changed = true;
    }
    return changed ? TellTargets() : absl::OkStatus();
  }

  absl::Status TellTargets() const {
    if (options_.targets_path.empty()) return absl::OkStatus();
    std::vector<Pod> pods;
    for (const auto& container : living_) pods.push_back(container->pod());
    for (const Dying& dying : dying_) pods.push_back(dying.container->pod());
    return WriteLogTargets(pods, options_.targets_path);
  }

  void Publish() ABSL_LOCKS_EXCLUDED(mu_) {
    totals_.bytes = buried_bytes_;
    totals_.gone = buried_gone_;
    const auto add = [this](const LogContainer& container) {
      totals_.bytes += container.bytes();
      totals_.gone += container.gone();
    };
    for (const auto& container : living_) add(*container);
    for (const Dying& dying : dying_) add(*dying.container);
    MutexLock lock(mu_);
    counts_ = totals_;
  }

  const LogMeshOptions options_;
  // Of the thread, once it runs.
  std::unique_ptr<WrittenLog> written_;
  std::vector<Pod> pods_;
  std::vector<std::unique_ptr<LogContainer>> living_;
  std::deque<Dying> dying_;
  absl::Duration next_look_, next_restart_, next_replace_;
  size_t next_restarted_ = 0, next_replaced_ = 0;
  uint64_t buried_bytes_ = 0, buried_gone_ = 0;
  LogMeshCounts totals_;

  mutable Mutex mu_;
  CondVar changed_;
  bool stopping_ ABSL_GUARDED_BY(mu_) = false;
  bool ended_ ABSL_GUARDED_BY(mu_) = false;
  absl::Status status_ ABSL_GUARDED_BY(mu_);
  LogMeshCounts counts_ ABSL_GUARDED_BY(mu_);
  std::thread thread_;
};

LogMesh::LogMesh(std::unique_ptr<Core> core) : core_(std::move(core)) {}
LogMesh::~LogMesh() = default;

absl::StatusOr<std::unique_ptr<LogMesh>> LogMesh::Start(const LogMeshOptions& options) {
  if (options.pods < 1 || options.pods > kMaxSidecars || !(options.lines_per_second > 0)) {
    return absl::InvalidArgumentError("the number of pods or lines is out of range");
  }
  auto core = std::make_unique<Core>(options);
  if (absl::Status started = core->Start(); !started.ok()) return started;
  return std::unique_ptr<LogMesh>(new LogMesh(std::move(core)));
}

absl::Status LogMesh::Wait() { return core_->Wait(); }
void LogMesh::Stop() { core_->Stop(); }
LogMeshCounts LogMesh::counts() const { return core_->counts(); }

}  // namespace ampari::bench
