#include "gateway/store/inbox.h"

#include <iterator>
#include <utility>

namespace ampari {
namespace {

using SteadyClock = std::chrono::steady_clock;

template <typename T>
std::vector<T> TakeAll(std::deque<T>& queue) {
  std::vector<T> taken(std::make_move_iterator(queue.begin()),
                       std::make_move_iterator(queue.end()));
  queue.clear();
  return taken;
}

}  // namespace

void Inbox::Push(Arrival arrival) {
  MutexLock lock(mu_);
  arrivals_.push_back(std::move(arrival));
  if (arrivals_.size() == 1) changed_.NotifyAll();
}

void Inbox::Push(PendingSettlement settlement) {
  MutexLock lock(mu_);
  if (settlements_.empty()) {
    settle_by_ = SteadyClock::now() + absl::ToChronoNanoseconds(kSettleDelay);
    changed_.NotifyAll();
  }
  settlements_.push_back(std::move(settlement));
}

void Inbox::Push(PendingIntent intent) {
  MutexLock lock(mu_);
  intents_.push_back(std::move(intent));
  if (intents_.size() == 1) changed_.NotifyAll();
}

bool Inbox::Push(Task task) {
  MutexLock lock(mu_);
  if (stopped_) return false;
  tasks_.push_back(std::move(task));
  changed_.NotifyAll();
  return true;
}

void Inbox::PutBack(std::vector<PendingSettlement> settlements,
                    std::vector<PendingIntent> intents) {
  MutexLock lock(mu_);
  intents_.insert(intents_.begin(), std::make_move_iterator(intents.begin()),
                  std::make_move_iterator(intents.end()));
  if (settlements.empty()) return;
  if (settlements_.empty()) settle_by_ = SteadyClock::now();
  settlements_.insert(settlements_.begin(), std::make_move_iterator(settlements.begin()),
                      std::make_move_iterator(settlements.end()));
}

bool Inbox::Due() const {
  if (!arrivals_.empty() || !intents_.empty() || !tasks_.empty()) return true;
  return !settlements_.empty() && (stopped_ || SteadyClock::now() >= settle_by_);
}

bool Inbox::Take(Work* work) {
  MutexLock lock(mu_);
  while (!Due()) {
    if (stopped_) return false;
    if (settlements_.empty()) {
      changed_.Wait(mu_);
    } else {
      changed_.WaitFor(mu_, absl::FromChrono(settle_by_ - SteadyClock::now()));
    }
  }
  work->tasks = TakeAll(tasks_);
  work->settlements = TakeAll(settlements_);
  work->intents = TakeAll(intents_);
  work->arrivals.clear();
  for (size_t bytes = 0; !arrivals_.empty() && bytes < kMaxCommitBytes;) {
    bytes += arrivals_.front().bytes;
    work->arrivals.push_back(std::move(arrivals_.front()));
    arrivals_.pop_front();
  }
  return true;
}

void Inbox::Stop() {
  MutexLock lock(mu_);
  stopped_ = true;
  changed_.NotifyAll();
}

bool Inbox::stopped() const {
  MutexLock lock(mu_);
  return stopped_;
}

void Inbox::WaitForStop(absl::Duration timeout) const {
  auto until = SteadyClock::now() + absl::ToChronoNanoseconds(timeout);
  MutexLock lock(mu_);
  while (!stopped_ && SteadyClock::now() < until) {
    changed_.WaitFor(mu_, absl::FromChrono(until - SteadyClock::now()));
  }
}

}  // namespace ampari
