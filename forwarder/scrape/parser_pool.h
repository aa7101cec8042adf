// ParserPool: a fixed number of threads that run what belongs to a target in order, and the targets
// in turn.
#pragma once

#include <deque>
#include <memory>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/functional/any_invocable.h"
#include "common/runtime/mutex.h"

namespace ampari {

// Thread-safe. The tasks of one strand run one at a time and in the order in which they were
// posted; after each task the next waiting strand has its turn, so a strand with much to do delays
// another by one task per thread. The queues hold what is posted: callers bound that (a target
// stops reading while it has 1 MiB unparsed).
class ParserPool {
 public:
  using Task = absl::AnyInvocable<void()>;

  // The queue of one target; lives as long as anybody refers to it.
  class Strand {
   private:
    friend class ParserPool;
    std::deque<Task> tasks;  // guarded by the pool's mu_
    bool scheduled = false;  // in ready_ or running; guarded by the pool's mu_
  };

  explicit ParserPool(int threads);
  ~ParserPool();  // Drain()
  ParserPool(const ParserPool&) = delete;
  ParserPool& operator=(const ParserPool&) = delete;

  // After Drain() has begun, tasks are dropped unless they come from a task.
  void Post(const std::shared_ptr<Strand>& strand, Task task) ABSL_LOCKS_EXCLUDED(mu_);
  // Runs what was posted and ends the threads. Once.
  void Drain() ABSL_LOCKS_EXCLUDED(mu_);

 private:
  void Run() ABSL_LOCKS_EXCLUDED(mu_);

  Mutex mu_;
  CondVar changed_;
  std::deque<std::shared_ptr<Strand>> ready_ ABSL_GUARDED_BY(mu_);
  int running_ ABSL_GUARDED_BY(mu_) = 0;
  bool draining_ ABSL_GUARDED_BY(mu_) = false;
  std::vector<std::thread> threads_;
};

}  // namespace ampari
