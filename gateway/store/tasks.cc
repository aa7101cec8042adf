#include "gateway/store/tasks.h"

#include <memory>
#include <optional>
#include <utility>

namespace ampari {
namespace {

struct Waiting {
  Mutex mu;
  CondVar done;
  std::optional<absl::Status> status ABSL_GUARDED_BY(mu);
};

}  // namespace

absl::Status RunInBatch(Inbox& inbox, std::function<absl::Status(Commit&)> run) {
  auto waiting = std::make_shared<Waiting>();
  bool taken = inbox.Push(Task{std::move(run), [waiting](const absl::Status& status) {
                                 MutexLock lock(waiting->mu);
                                 waiting->status = status;
                                 waiting->done.NotifyAll();
                               }});
  if (!taken) return absl::CancelledError("the store is closing");
  MutexLock lock(waiting->mu);
  while (!waiting->status) waiting->done.Wait(waiting->mu);
  return *waiting->status;
}

}  // namespace ampari
