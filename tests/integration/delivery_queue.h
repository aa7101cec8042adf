// MemoryQueue: a queue in memory for tests of delivery: records, registration blocks and a ledger,
// with a thread that makes settlements durable, as the store's committer does.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "common/frame/frame.h"
#include "common/frame/registration.h"
#include "common/runtime/mutex.h"
#include "gateway/delivery/record_source.h"
#include "gateway/layouts/layout_cache.h"

namespace ampari {

// Thread-safe.
class MemoryQueue final : public RecordSource, public BlockSource {
 public:
  MemoryQueue();
  ~MemoryQueue() override;

  // One block of `series` and one layout over all of them; returns the layout's number.
  uint64_t Register(InstanceNumber instance, const std::vector<Labels>& series);
  // The same layout number space: an edit given as runs.
  uint64_t RegisterEdit(InstanceNumber instance, Layout layout,
                        const std::vector<Labels>& series = {});
  // Builds and stores a frame; returns its queue sequence. `origin_ms` of 0: now.
  uint64_t Append(uint32_t lane, InstanceNumber instance, const std::vector<Scrape>& scrapes,
                  int64_t origin_ms = 0);
  // Stores bytes that need not be a frame.
  uint64_t AppendRaw(uint32_t lane, InstanceNumber instance, std::string frame, uint64_t items);
  // Everything of the lane below `upto` expires.
  void Expire(uint32_t lane, uint64_t upto);
  void SetNow(int64_t now_ms);
  void SetAnnounced(uint32_t lane, std::optional<int64_t> origin_ms);
  void SetAwaiting(bool awaiting);

  struct Totals {
    uint64_t delivered = 0, dropped = 0, uncertain = 0, aside = 0;
    std::map<std::string, uint64_t> rejected, expired;
    std::vector<DeadLetter> dead_letters;
    std::vector<AsideFrame> aside_frames;
    std::map<InstanceNumber, uint64_t> settled;
    uint64_t settlements = 0, intents = 0;
    std::vector<std::string> bugs;  // settlements that the store would refuse
  };
  Totals totals() const;
  uint64_t accepted() const;
  // False after a minute without it.
  bool WaitUntilSettled();
  bool WaitFor(const std::function<bool(const Totals&)>& wanted);

  std::array<LaneState, kLanes> Lanes() const override;
  absl::StatusOr<std::vector<RecordPtr>> Read(uint64_t from, size_t max_bytes,
                                              uint64_t* next) const override;
  bool Claim(uint32_t lane, uint64_t from, uint64_t upto) override;
  void Unclaim(uint32_t lane) override;
  void Settle(Settlement settlement, std::function<void()> done) override;
  void IntendRange(uint32_t lane, uint64_t from, uint64_t upto, uint64_t generation,
                   std::function<void()> done) override;
  void SetWaker(std::function<void()> wake) override;
  std::optional<int64_t> OldestAnnounced(uint32_t lane) const override;
  bool AwaitingProducers() const override;
  int64_t NowMs() const override;

  absl::StatusOr<std::string> BlockOfLayout(InstanceNumber instance,
                                            uint64_t layout) const override;
  absl::StatusOr<std::string> BlockOfSeries(InstanceNumber instance,
                                            uint64_t series) const override;
  absl::StatusOr<Labels> EnforcedLabels(InstanceNumber instance) const override;
  void SetEnforced(InstanceNumber instance, Labels labels);

 private:
  struct Instance {
    std::vector<RegistrationBlock> blocks;
    uint64_t next_series = 1, next_layout = 1, next_frame = 1;
    std::map<uint64_t, uint32_t> sizes;
    Labels enforced;
  };

  struct Intent {
    uint32_t lane = 0;
    uint64_t from = 0, upto = 0, generation = 0;
  };

  void Commit();
  bool Apply(const Intent& intent) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void Apply(const Settlement& settlement) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  uint64_t Store(uint32_t lane, InstanceNumber instance, std::string frame, uint64_t items,
                 int64_t origin_ms) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  bool AllSettled() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  mutable Mutex mu_;
  CondVar changed_;
  std::vector<RecordPtr> records_ ABSL_GUARDED_BY(mu_);  // sequence i + 1
  std::map<InstanceNumber, Instance> instances_ ABSL_GUARDED_BY(mu_);
  std::array<LaneState, kLanes> lanes_ ABSL_GUARDED_BY(mu_);
  std::array<uint64_t, kLanes> claimed_ ABSL_GUARDED_BY(mu_) = {};
  std::array<std::optional<int64_t>, kLanes> announced_ ABSL_GUARDED_BY(mu_);
  std::deque<std::pair<Settlement, std::function<void()>>> queued_ ABSL_GUARDED_BY(mu_);
  std::deque<std::pair<Intent, std::function<void()>>> intents_ ABSL_GUARDED_BY(mu_);
  std::function<void()> wake_ ABSL_GUARDED_BY(mu_);
  bool wake_due_ ABSL_GUARDED_BY(mu_) = false;
  bool stopping_ ABSL_GUARDED_BY(mu_) = false;
  bool awaiting_ ABSL_GUARDED_BY(mu_) = false;
  int64_t now_ms_ ABSL_GUARDED_BY(mu_) = 1'700'000'000'000;
  uint64_t accepted_ ABSL_GUARDED_BY(mu_) = 0;
  Totals totals_ ABSL_GUARDED_BY(mu_);
  std::thread committer_;
};

}  // namespace ampari
