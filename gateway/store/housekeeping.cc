#include "gateway/store/housekeeping.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "gateway/store/admission.h"
#include "gateway/store/eviction.h"
#include "gateway/store/keys.h"
#include "gateway/store/log_admission.h"
#include "gateway/store/reader.h"
#include "gateway/store/tasks.h"
#include "gateway/store/topology.h"
#include "gateway/store/trims.h"

namespace ampari {
namespace {

constexpr absl::Duration kTick = absl::Milliseconds(500);
constexpr absl::Duration kDropFilesInterval = absl::Seconds(60);
constexpr size_t kRecountPiece = size_t{8} << 20;  // read between two rests of the slow recount
constexpr absl::Duration kRecountRest = absl::Milliseconds(50);

std::vector<QueueImage> Images(const StoreState& state) {
  std::vector<QueueImage> images;
  for (const auto& [generation, queue] : state.queues) images.push_back(ImageOf(queue));
  return images;
}

// What each tenant has stored, in the order of names; its budget is the largest that its queues
// name.
std::vector<TenantUse> Uses(const StoreState& state) {
  std::map<std::string, TenantUse> uses;
  for (const auto& [generation, queue] : state.queues) {
    TenantUse& use = uses[queue.tenant];
    use.tenant = queue.tenant;
    use.budget_bytes = std::max(use.budget_bytes, queue.budget_bytes);
    use.stored_bytes += queue.stored_bytes();
  }
  for (const auto& [name, tenant] : state.tenants) {
    uses[name].tenant = name;
    uses[name].stored_bytes += tenant.aside_bytes + tenant.dead_letter_bytes;
  }
  std::vector<TenantUse> list;
  for (auto& [name, use] : uses) list.push_back(std::move(use));
  return list;
}

// Intake stamp of the first frame that is pending; 0: none.
int64_t OldestIntake(const Vault& vault, const QueueImage& image) {
  std::shared_ptr<Database> database = vault.db();
  uint64_t first = std::max(image.floor, image.first_pending);
  if (database == nullptr || first >= image.next) return 0;
  return FirstIntake(*database, vault.cache, image.generation, first, image.next);
}

}  // namespace

void Housekeeping::Start() {
  recounted_at_ = dropped_at_ = vault_.clock.Monotonic();
  thread_ = std::thread([this] { Run(); });
}

void Housekeeping::Join() {
  if (thread_.joinable()) thread_.join();
}

void Housekeeping::Run() {
  while (!inbox_.stopped()) {
    GuardReserve();
    Standings();
    ExpireByAge();
    ExpireByBudget();
    DropTrimmedFiles();
    if (vault_.clock.Monotonic() - recounted_at_ >= kRecountInterval) RecountAll();
    inbox_.WaitForStop(kTick);
  }
}

void Housekeeping::Standings() {
  RunInBatch(inbox_, [this](Commit& commit) {
    JudgeStandings(commit);
    EndRemoved(commit);
    ForgetOldInstances(commit, vault_.max_age_ms);
    ForgetOldLogProducers(commit, vault_.max_age_ms);
    ForgetRetiredFiles(commit);
    int64_t horizon = commit.now.persisted_ms - vault_.max_age_ms;
    for (auto& [name, tenant] : commit.state.tenants) {
      ExpireAside(commit, tenant, {.horizon_ms = horizon}, "age");
    }
    return absl::OkStatus();
  }).IgnoreError();
}

void Housekeeping::Expire(const QueueImage& image, const ExpiryGoal& goal,
                          const std::string& reason) {
  std::shared_ptr<Database> database = vault_.db();
  if (database == nullptr) return;
  absl::StatusOr<ExpiryPlan> plan = PlanExpiry(*database, image, goal, reason);
  database.reset();
  if (!plan.ok() || plan->lanes.empty()) return;
  RunInBatch(inbox_, [&](Commit& commit) {
    ApplyExpiry(commit, *plan);
    return absl::OkStatus();
  }).IgnoreError();
}

void Housekeeping::ExpireByAge() {
  int64_t horizon = vault_.persisted->NowMs() - vault_.max_age_ms;
  std::vector<QueueImage> images;
  {
    MutexLock lock(vault_.mu);
    images = Images(*vault_.state);
  }
  for (const QueueImage& image : images) {
    int64_t oldest = OldestIntake(vault_, image);
    if (oldest != 0 && oldest < horizon) Expire(image, {.horizon_ms = horizon}, "age");
  }
}

void Housekeeping::ExpireByBudget() {
  std::vector<ExpiryNeed> needs;
  // What is settled goes before anything expires.
  absl::Status taken = RunInBatch(inbox_, [&](Commit& commit) {
    needs = ExpiryNeeds(Uses(commit.state), FrameLimit(vault_.max_bytes));
    if (needs.empty()) return absl::OkStatus();
    for (auto& [generation, queue] : commit.state.queues) {
      TrimQueue(commit, queue, TrimWhen::kNow);
    }
    needs = ExpiryNeeds(Uses(commit.state), FrameLimit(vault_.max_bytes));
    for (const ExpiryNeed& need : needs) {
      auto tenant = commit.state.tenants.find(need.tenant);
      if (tenant == commit.state.tenants.end()) continue;
      ExpireAside(commit, tenant->second, {.bytes = need.bytes}, need.reason);
    }
    return absl::OkStatus();
  });
  if (!taken.ok()) return;
  for (const ExpiryNeed& need : needs) {
    std::vector<QueueImage> images;
    {
      MutexLock lock(vault_.mu);
      images = Images(*vault_.state);
    }
    std::erase_if(images, [&](const QueueImage& image) { return image.tenant != need.tenant; });
    for (const QueueImage& image : images) {
      // Each signal gives in proportion to what it holds.
      uint64_t all = 0;
      for (const QueueImage& other : images) all += other.stored_bytes;
      if (all == 0) continue;
      double share = static_cast<double>(image.stored_bytes) / static_cast<double>(all);
      uint64_t bytes = static_cast<uint64_t>(share * static_cast<double>(need.bytes)) + 1;
      Expire(image, {.bytes = bytes}, need.reason);
    }
  }
}

void Housekeeping::GuardReserve() {
  const std::string& directory = vault_.options.directory;
  DiskUse use = MeasureDisk(directory);
  vault_.disk_bytes = use.used;
  ReserveState before = ReserveState::kHeld;
  {
    MutexLock lock(vault_.mu);
    if (vault_.state->paused) before = ReserveState::kReached;
  }
  ReserveState now = JudgeReserve(before, use, vault_.max_bytes);
  if (now == ReserveState::kReached) ReleaseBallast(directory);
  if (now == ReserveState::kHeld && !HoldBallast(directory, ReserveBytes(vault_.max_bytes)).ok()) {
    now = ReserveState::kReached;
  }
  if (now != before) {
    RunInBatch(inbox_, [now](Commit& commit) {
      commit.state.paused = now == ReserveState::kReached;
      if (commit.state.paused) commit.state.Alarm("the disk's reserve is reached, frames wait");
      TellPaused(commit);
      return absl::OkStatus();
    }).IgnoreError();
  }
  if (now == ReserveState::kReached) {
    RunInBatch(inbox_, [](Commit& commit) {
      for (auto& [generation, queue] : commit.state.queues) {
        TrimQueue(commit, queue, TrimWhen::kNow);
      }
      return absl::OkStatus();
    }).IgnoreError();
  }
}

void Housekeeping::DropTrimmedFiles() {
  struct Trimmed {
    Generation queue;
    uint64_t floor;
  };
  std::vector<Trimmed> trimmed;
  bool paused = false;
  bool due = vault_.clock.Monotonic() - dropped_at_ >= kDropFilesInterval;
  {
    MutexLock lock(vault_.mu);
    paused = vault_.state->paused;
    for (auto& [generation, queue] : vault_.state->queues) {
      bool worthwhile = queue.floor_bytes - queue.dropped_bytes >= kDropFilesEvery;
      if (queue.durable_floor <= queue.dropped_below && !paused) continue;
      if (!due && !worthwhile && !paused) continue;
      trimmed.push_back({generation, queue.durable_floor});
      queue.dropped_below = queue.durable_floor;
      queue.dropped_bytes = queue.floor_bytes;
    }
  }
  if (due) dropped_at_ = vault_.clock.Monotonic();
  std::shared_ptr<Database> database = vault_.db();
  if (trimmed.empty() || database == nullptr) return;
  // A recount in progress has an older floor.
  MutexLock lock(vault_.files_mu);
  if (paused) database->FlushAll().IgnoreError();
  for (const auto& [generation, floor] : trimmed) {
    FamilyPtr family = database->queue(generation);
    if (family == nullptr) continue;
    database->DropFilesBelow(family, SequenceKey(floor)).IgnoreError();
    if (paused) database->Compact(family, SequenceKey(floor)).IgnoreError();
  }
}

void Housekeeping::RecountAll() {
  recounted_at_ = vault_.clock.Monotonic();
  std::shared_ptr<Database> database;
  std::vector<QueueImage> images;
  SnapshotPtr snapshot;
  absl::Status taken = RunInBatch(inbox_, [&](Commit& commit) {
    images = Images(commit.state);
    database = vault_.db();
    snapshot = database->Snapshot();
    return absl::OkStatus();
  });
  if (!taken.ok()) return;
  size_t read = 0;
  auto rest = [&](size_t bytes) {
    read += bytes;
    if (read < kRecountPiece) return !inbox_.stopped();
    read = 0;
    inbox_.WaitForStop(kRecountRest);
    return !inbox_.stopped();
  };
  std::vector<std::pair<const QueueImage*, Recount>> recounts;
  for (const QueueImage& image : images) {
    absl::StatusOr<Recount> recount = RecountQueue(*database, image, snapshot, rest);
    if (recount.ok()) recounts.emplace_back(&image, *std::move(recount));
  }
  // Whoever waits for the committer holds no database: the committer may be waiting to close it.
  snapshot.reset();
  database.reset();
  RunInBatch(inbox_, [&](Commit& commit) {
    for (const auto& [image, recount] : recounts) {
      BookRecount(*image, recount, commit.database.meta(), commit.state, commit.batch);
    }
    return absl::OkStatus();
  }).IgnoreError();
}

}  // namespace ampari
