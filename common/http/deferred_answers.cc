#include "common/http/deferred_answers.h"

#include <utility>

namespace ampari {

bool DeferredAnswers::Start(Make make, Done done) {
  MutexLock lock(mu_);
  if (busy_ || stopped_) return false;
  busy_ = true;
  make_ = std::move(make);
  done_ = std::move(done);
  if (!thread_.joinable()) thread_ = std::thread(&DeferredAnswers::Run, this);
  changed_.NotifyAll();
  return true;
}

void DeferredAnswers::Run() {
  mu_.Lock();
  while (busy_ || !stopped_) {
    if (!busy_) {
      changed_.Wait(mu_);
      continue;
    }
    const Make make = std::exchange(make_, nullptr);
    const Done done = std::exchange(done_, nullptr);
    mu_.Unlock();
    ServerResponse answer = make();
    mu_.Lock();
    // Free before the asker knows: who asks again once it has its answer is not told to wait.
    busy_ = false;
    mu_.Unlock();
    done(std::move(answer));
    mu_.Lock();
  }
  mu_.Unlock();
}

void DeferredAnswers::Stop() {
  std::thread thread;
  {
    MutexLock lock(mu_);
    stopped_ = true;
    changed_.NotifyAll();
    thread.swap(thread_);
  }
  if (thread.joinable()) thread.join();
}

}  // namespace ampari
