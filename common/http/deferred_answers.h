// DeferredAnswers: makes the answers of an HttpServer that take long, one at a time, on a thread of
// its own, so that the threads that serve connections stay free.
#pragma once

#include <functional>
#include <thread>

#include "common/http/server.h"
#include "common/runtime/mutex.h"

namespace ampari {

// Thread-safe. The thread is started with the first answer.
class DeferredAnswers {
 public:
  using Make = std::function<ServerResponse()>;
  using Done = std::function<void(ServerResponse)>;

  DeferredAnswers() = default;
  ~DeferredAnswers() { Stop(); }
  DeferredAnswers(const DeferredAnswers&) = delete;
  DeferredAnswers& operator=(const DeferredAnswers&) = delete;

  // Calls `make`, then `done` with its answer, on the thread. False, and neither is called, while
  // another answer is being made and after Stop.
  bool Start(Make make, Done done) ABSL_LOCKS_EXCLUDED(mu_);
  // Waits for the answer that is being made.
  void Stop() ABSL_LOCKS_EXCLUDED(mu_);

 private:
  void Run() ABSL_LOCKS_EXCLUDED(mu_);

  Mutex mu_;
  CondVar changed_;
  Make make_ ABSL_GUARDED_BY(mu_);
  Done done_ ABSL_GUARDED_BY(mu_);
  bool busy_ ABSL_GUARDED_BY(mu_) = false;  // an answer waits or is being made
  bool stopped_ ABSL_GUARDED_BY(mu_) = false;
  std::thread thread_ ABSL_GUARDED_BY(mu_);
};

}  // namespace ampari
