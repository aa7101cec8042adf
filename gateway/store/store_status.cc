// What the store shows: status, dead letters, verification.
#include <algorithm>
#include <iterator>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "ampari/store/v1/store.pb.h"
#include "gateway/store/audit.h"
#include "gateway/store/core.h"
#include "gateway/store/keys.h"
#include "gateway/store/reader.h"
#include "gateway/store/store.h"
#include "gateway/store/tasks.h"

namespace ampari {
namespace {

constexpr int64_t kAwaitedMs = int64_t{3600} * 1000;

InstanceStatus StatusOf(const Instance& instance) {
  InstanceStatus status;
  status.number = instance.number;
  status.signal = instance.signal;
  status.tenant = instance.tenant;
  status.entry = instance.entry;
  status.forwarder_name = instance.forwarder_name;
  status.instance_hex = absl::BytesToHexString(instance.id);
  status.peer = instance.peer;
  status.epoch = instance.epoch;
  status.mark = instance.mark;
  status.settled = instance.settled;
  status.connected = instance.connected;
  status.superseded = instance.superseded;
  status.admitted = instance.admitted;
  status.last_contact_ms = instance.last_contact_ms;
  return status;
}

struct Images {
  std::vector<QueueImage> queues;
  SnapshotPtr snapshot;
};

void CompareDestinations(const QueueImage& image, const Recount& recount,
                         std::vector<VerifyProblem>* problems) {
  for (const auto& destination : image.destinations) {
    std::string name = absl::StrCat(NameOf(image), " at ", destination.name);
    const FrameSum& stored = recount.pending.at(destination.generation);
    uint64_t pending = destination.ledger.pending;
    for (const auto& [reason, items] : destination.ledger.aside) pending -= items;
    if (pending != stored.items) {
      problems->push_back({absl::StrCat(name, ": ", pending, " items are pending by the ledger, ",
                                        stored.items, " are stored")});
    }
    if (!Holds(destination.ledger)) problems->push_back({name + ": the ledger does not add up"});
  }
}

void Compare(const QueueImage& image, const Recount& recount,
             std::vector<VerifyProblem>* problems) {
  for (const auto& [first, hole] : CorruptHoles(image, recount)) {
    problems->push_back({NameOf(image, first, hole)});
  }
  for (const std::string& broken : recount.broken) {
    problems->push_back({absl::StrCat(NameOf(image), ": ", broken)});
  }
  CompareDestinations(image, recount, problems);
}

}  // namespace

StoreStatus StatusOf(const StoreState& state) {
  StoreStatus status;
  status.store_id_hex = absl::BytesToHexString(state.store_id);
  status.paused = state.paused;
  status.commits_total = state.commits;
  status.committed_frames_total = state.frames;
  status.committed_bytes_total = state.bytes;
  status.duplicate_frames_total = state.duplicates;
  status.rollbacks_total = state.rollbacks;
  status.reopened_total = state.reopened;
  status.alarms = state.alarms;
  for (const auto& [generation, queue] : state.queues) {
    for (const auto& destination : queue.destinations) {
      status.destinations.push_back({{queue.tenant, queue.signal, destination->name},
                                     destination->removed_at_ms != 0,
                                     destination->ledger});
    }
  }
  status.destinations.insert(status.destinations.end(), state.ended.begin(), state.ended.end());
  for (const auto& [number, instance] : state.producers.all()) {
    status.instances.push_back(StatusOf(*instance));
  }
  return status;
}

void AwaitProducers(StoreState& state, int64_t stopped_ms) {
  for (const auto& [number, instance] : state.producers.all()) {
    if (instance->signal != Signal::kMetrics) continue;
    if (instance->last_contact_ms + kAwaitedMs < stopped_ms) continue;
    state.awaited.insert({instance->entry, instance->forwarder_name});
  }
}

StoreStatus Store::status() const {
  const Vault& vault = core_->vault;
  struct Oldest {
    Generation queue;
    uint64_t from, end;
  };
  std::vector<Oldest> oldest;
  StoreStatus status;
  {
    MutexLock lock(vault.mu);
    status = StatusOf(*vault.state);
    for (const auto& [generation, queue] : vault.state->queues) {
      for (const auto& destination : queue.destinations) {
        oldest.push_back(
            {generation, std::max(destination->FirstPending(), queue.floor), queue.durable_next});
      }
    }
  }
  std::shared_ptr<Database> database = vault.db();
  for (size_t i = 0; database != nullptr && i < oldest.size(); ++i) {
    if (oldest[i].from >= oldest[i].end) continue;
    status.destinations[i].ledger.oldest_pending_intake_ms =
        FirstIntake(*database, vault.cache, oldest[i].queue, oldest[i].from, oldest[i].end);
  }
  status.disk_bytes = vault.disk_bytes;
  status.max_bytes = vault.max_bytes;
  status.fsync_seconds_sum = static_cast<double>(vault.syncs.nanoseconds.load()) / 1e9;
  return status;
}

int64_t Store::NowMs() const { return core_->vault.persisted->NowMs(); }

std::vector<DeadLetter> Store::DeadLetters(const std::string& tenant, size_t limit) const {
  std::vector<DeadLetter> letters;
  const Vault& vault = core_->vault;
  std::shared_ptr<Database> database = vault.db();
  if (database == nullptr || limit == 0) return letters;
  Generation generation = 0;
  uint64_t first = 0;
  {
    MutexLock lock(vault.mu);
    auto it = vault.state->tenants.find(tenant);
    if (it == vault.state->tenants.end() || it->second.dead_letters.empty()) return letters;
    const auto& numbers = it->second.dead_letters;
    generation = it->second.generation;
    first = numbers[numbers.size() > limit ? numbers.size() - limit : 0].first;
  }
  FamilyPtr family = database->aside(generation);
  if (family == nullptr) return letters;
  database
      ->Scan(family, DeadLetterKey(first), PrefixEnd(std::string(1, kDeadLetters)), nullptr,
             [&](std::string_view, std::string_view value) {
               store::v1::DeadLetterState state;
               if (!state.ParseFromArray(value.data(), static_cast<int>(value.size()))) return true;
               letters.push_back({state.sequence(), state.samples(), state.http_status(),
                                  state.series(), state.response()});
               return true;
             })
      .IgnoreError();
  std::reverse(letters.begin(), letters.end());
  if (letters.size() > limit) letters.resize(limit);
  return letters;
}

std::vector<VerifyProblem> Store::Verify(const std::function<bool()>& go_on) const {
  std::vector<VerifyProblem> problems;
  MutexLock files(core_->vault.files_mu);
  std::shared_ptr<Database> database;  // before the snapshot, which it outlives
  Images images;
  absl::Status taken = RunInBatch(core_->inbox, [&](Commit& commit) {
    for (const auto& [generation, queue] : commit.state.queues) {
      images.queues.push_back(ImageOf(queue));
    }
    database = core_->vault.db();
    images.snapshot = database->Snapshot();
    return absl::OkStatus();
  });
  if (!taken.ok()) return {{taken.ToString()}};
  const auto rest = [&go_on](size_t) { return go_on == nullptr || go_on(); };
  for (const QueueImage& image : images.queues) {
    absl::StatusOr<Recount> recount = RecountQueue(*database, image, images.snapshot, rest);
    if (recount.ok()) {
      Compare(image, *recount, &problems);
    } else {
      problems.push_back({absl::StrCat(NameOf(image), ": ", recount.status().ToString())});
    }
  }
  return problems;
}

}  // namespace ampari
