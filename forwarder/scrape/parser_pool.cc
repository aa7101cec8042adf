#include "forwarder/scrape/parser_pool.h"

#include <utility>

namespace ampari {

ParserPool::ParserPool(int threads) {
  for (int i = 0; i < threads; ++i) threads_.emplace_back([this] { Run(); });
}

ParserPool::~ParserPool() { Drain(); }

void ParserPool::Post(const std::shared_ptr<Strand>& strand, Task task) {
  MutexLock lock(mu_);
  if (draining_ && running_ == 0) return;
  strand->tasks.push_back(std::move(task));
  if (std::exchange(strand->scheduled, true)) return;
  ready_.push_back(strand);
  changed_.NotifyOne();
}

void ParserPool::Drain() {
  {
    MutexLock lock(mu_);
    draining_ = true;
    changed_.NotifyAll();
  }
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
}

void ParserPool::Run() {
  mu_.Lock();
  while (true) {
    if (ready_.empty()) {
      if (draining_ && running_ == 0) break;
      changed_.Wait(mu_);
      continue;
    }
    std::shared_ptr<Strand> strand = std::move(ready_.front());
    ready_.pop_front();
    {
      Task task = std::move(strand->tasks.front());
      strand->tasks.pop_front();
      ++running_;
      mu_.Unlock();
      task();
    }  // what the task owned goes without the lock
    mu_.Lock();
    --running_;
    strand->scheduled = !strand->tasks.empty();
    if (strand->scheduled) ready_.push_back(std::move(strand));
    changed_.NotifyAll();
  }
  changed_.NotifyAll();
  mu_.Unlock();
}

}  // namespace ampari
