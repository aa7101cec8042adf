// AckPump: the thread that writes to streams what the committer had to say, so that the committer
// never waits for a network. It also holds back what should be told at most every kTick, and looks
// after every stream once a second.
#pragma once

#include <memory>
#include <set>
#include <thread>
#include <vector>

#include "absl/time/time.h"
#include "common/runtime/clock.h"
#include "common/runtime/mutex.h"

namespace ampari {

class ShipStream;

// Thread-safe. Owns one thread between Start and Stop; keeps the streams alive that are registered.
// `clock` must outlive it. Its lock is never held while a stream is called, and streams may call it
// with theirs held.
class AckPump {
 public:
  static constexpr absl::Duration kTick = absl::Milliseconds(100);
  static constexpr absl::Duration kInspection = absl::Seconds(1);

  explicit AckPump(const Clock& clock);
  ~AckPump();  // Stop()

  void Start();
  void Stop();

  void Register(std::shared_ptr<ShipStream> stream);
  void Unregister(const std::shared_ptr<ShipStream>& stream);
  // Flush the stream soon. Never blocks for longer than a push on a vector.
  void Schedule(std::shared_ptr<ShipStream> stream);
  std::vector<std::shared_ptr<ShipStream>> streams() const;

 private:
  using Streams = std::vector<std::shared_ptr<ShipStream>>;

  void Run();
  bool WaitForWork(absl::Duration until, Streams* due);
  void Flush(const Streams& due, bool tick);
  void Inspect();

  const Clock& clock_;
  mutable Mutex mu_;
  CondVar changed_;
  bool stop_ ABSL_GUARDED_BY(mu_) = false;
  Streams scheduled_ ABSL_GUARDED_BY(mu_);
  std::set<std::shared_ptr<ShipStream>> streams_ ABSL_GUARDED_BY(mu_);
  std::set<std::shared_ptr<ShipStream>> later_;  // the thread's own: flushed again at each tick
  std::thread thread_;
};

}  // namespace ampari
