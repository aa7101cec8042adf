#include "gateway/intake/ack_pump.h"

#include <algorithm>
#include <utility>

#include "gateway/intake/ship_stream.h"

namespace ampari {

AckPump::AckPump(const Clock& clock) : clock_(clock) {}

AckPump::~AckPump() { Stop(); }

void AckPump::Start() { thread_ = std::thread(&AckPump::Run, this); }

void AckPump::Stop() {
  {
    MutexLock lock(mu_);
    stop_ = true;
    changed_.NotifyAll();
  }
  if (thread_.joinable()) thread_.join();
  Streams scheduled;
  std::set<std::shared_ptr<ShipStream>> registered;
  MutexLock lock(mu_);
  scheduled.swap(scheduled_);
  registered.swap(streams_);
}

void AckPump::Register(std::shared_ptr<ShipStream> stream) {
  MutexLock lock(mu_);
  streams_.insert(std::move(stream));
}

void AckPump::Unregister(const std::shared_ptr<ShipStream>& stream) {
  MutexLock lock(mu_);
  streams_.erase(stream);
}

void AckPump::Schedule(std::shared_ptr<ShipStream> stream) {
  MutexLock lock(mu_);
  if (stop_) return;
  scheduled_.push_back(std::move(stream));
  if (scheduled_.size() == 1) changed_.NotifyOne();
}

AckPump::Streams AckPump::streams() const {
  MutexLock lock(mu_);
  return Streams(streams_.begin(), streams_.end());
}

// Waits until something is scheduled or `until` (monotonic); false when the pump stops.
bool AckPump::WaitForWork(absl::Duration until, Streams* due) {
  MutexLock lock(mu_);
  if (!stop_ && scheduled_.empty()) {
    const absl::Duration wait = until - clock_.Monotonic();
    if (wait > absl::ZeroDuration()) changed_.WaitFor(mu_, std::min(wait, kTick));
  }
  due->swap(scheduled_);
  return !stop_;
}

void AckPump::Flush(const Streams& due, bool tick) {
  const absl::Duration now = clock_.Monotonic();
  for (const std::shared_ptr<ShipStream>& stream : due) {
    if (stream->Flush(now, tick ? FlushKind::kTick : FlushKind::kNow)) {
      later_.insert(stream);
    } else {
      later_.erase(stream);
    }
  }
}

void AckPump::Inspect() {
  const absl::Duration now = clock_.Monotonic();
  for (const std::shared_ptr<ShipStream>& stream : streams()) stream->Inspect(now);
}

void AckPump::Run() {
  absl::Duration next_tick = clock_.Monotonic() + kTick;
  absl::Duration next_inspection = clock_.Monotonic() + kInspection;
  Streams due;
  while (WaitForWork(next_tick, &due)) {
    Flush(due, false);
    due.clear();
    const absl::Duration now = clock_.Monotonic();
    if (now < next_tick) continue;
    next_tick = now + kTick;
    Flush(Streams(later_.begin(), later_.end()), true);
    if (now < next_inspection) continue;
    next_inspection = now + kInspection;
    Inspect();
  }
  later_.clear();
}

}  // namespace ampari
