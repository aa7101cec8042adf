// Inbox: what waits for the committer. Arrivals of streams in order, settlements in a queue of
// their own that frames cannot fill, and tasks of the store itself.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "common/runtime/mutex.h"
#include "gateway/store/commit.h"
#include "gateway/store/settling.h"

namespace ampari {

inline constexpr size_t kMaxCommitBytes = size_t{8}
                                          << 20;  // of frames and registrations in one batch
inline constexpr absl::Duration kSettleDelay = absl::Milliseconds(100);

struct HelloArrival {
  HelloRequest hello;
  std::shared_ptr<StreamSink> sink;
};
struct RegistrationArrival {
  std::string block;
  std::shared_ptr<const void> owner;
};
struct RetireArrival {
  std::vector<uint64_t> blocks;
  std::shared_ptr<const void> owner;
};
struct RetireFilesArrival {
  std::vector<std::string> keys;
  std::shared_ptr<const void> owner;
};
struct OfferArrival {
  std::vector<StoredPosition> offered;
  std::shared_ptr<const void> owner;
};
struct DrainedArrival {};
struct CloseArrival {};

struct Arrival {
  StreamId stream = 0;
  std::variant<HelloArrival, RegistrationArrival, RetireArrival, RetireFilesArrival, OfferArrival,
               FrameArrival, GapArrival, DrainedArrival, CloseArrival>
      what;
  size_t bytes = 0;
};

// Work of the store itself, in a batch. `done` runs after the sync, without a lock, with what `run`
// said, or with why the batch failed.
struct Task {
  std::function<absl::Status(Commit&)> run;
  std::function<void(const absl::Status&)> done;
};

struct Work {
  std::vector<Task> tasks;
  std::vector<Arrival> arrivals;
  std::vector<PendingSettlement> settlements;
  std::vector<PendingIntent> intents;
};

// Thread-safe.
class Inbox {
 public:
  void Push(Arrival arrival);
  void Push(PendingSettlement settlement);
  void Push(PendingIntent intent);
  bool Push(Task task);  // false, and nothing happens, after Stop
  // Settlements and intents of a batch that failed, before all others.
  void PutBack(std::vector<PendingSettlement> settlements, std::vector<PendingIntent> intents);
  // Waits for work: at once for arrivals, intents and tasks, at most kSettleDelay for settlements.
  // An intent is never taken before a settlement that was pushed earlier. False:
  // stopped and empty.
  bool Take(Work* work);
  void Stop();
  bool stopped() const;
  // Waits, at most `timeout`, until Stop.
  void WaitForStop(absl::Duration timeout) const;

 private:
  bool Due() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  mutable Mutex mu_;
  mutable CondVar changed_;
  std::deque<Arrival> arrivals_ ABSL_GUARDED_BY(mu_);
  std::deque<PendingSettlement> settlements_ ABSL_GUARDED_BY(mu_);
  std::deque<PendingIntent> intents_ ABSL_GUARDED_BY(mu_);
  std::deque<Task> tasks_ ABSL_GUARDED_BY(mu_);
  std::chrono::steady_clock::time_point settle_by_ ABSL_GUARDED_BY(mu_);
  bool stopped_ ABSL_GUARDED_BY(mu_) = false;
};

}  // namespace ampari
