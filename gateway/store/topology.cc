#include "gateway/store/topology.h"

#include <algorithm>
#include <set>
#include <string>
#include <utility>

#include "gateway/store/keys.h"
#include "gateway/store/meta.h"

namespace ampari {
namespace {

Generation NewGeneration(Commit& commit) {
  commit.state.dirty.numbers = true;
  return commit.state.next_generation++;
}

absl::Status EnsureTenant(Commit& commit, const std::string& name) {
  if (commit.state.tenants.contains(name)) return absl::OkStatus();
  Generation generation = NewGeneration(commit);
  absl::Status created = commit.database.CreateAside(generation);
  if (!created.ok()) return created;
  TenantRecord& tenant = commit.state.tenants[name];
  tenant.name = name;
  tenant.generation = generation;
  commit.state.dirty.tenants.insert(generation);
  return absl::OkStatus();
}

absl::StatusOr<QueueRecord*> EnsureQueue(Commit& commit, const QueueTopology& wanted) {
  QueueRecord* queue = commit.state.FindQueue(wanted.tenant, wanted.signal);
  if (queue == nullptr) {
    Generation generation = NewGeneration(commit);
    absl::Status created = commit.database.CreateQueue(generation);
    if (!created.ok()) return created;
    queue = &commit.state.queues[generation];
    queue->tenant = wanted.tenant;
    queue->signal = wanted.signal;
    queue->generation = generation;
    queue->trimmed_at = commit.now.monotonic;
    commit.state.dirty.queues.insert(generation);
  }
  if (queue->budget_bytes != wanted.budget_bytes) {
    queue->budget_bytes = wanted.budget_bytes;
    commit.state.dirty.queues.insert(queue->generation);
  }
  return queue;
}

// A destination that begins with the oldest stored frame: all that is stored is pending for it.
absl::Status BeginOldest(Commit& commit, const QueueRecord& queue, DestinationRecord& destination) {
  std::array<FrameSum, kLanes> present{};
  absl::Status status = commit.database.Scan(
      commit.database.queue(queue.generation), SequenceKey(queue.floor), SequenceKey(queue.next),
      nullptr, [&](std::string_view key, std::string_view value) {
        uint64_t sequence = ParseSequenceKey(key).value_or(0);
        auto header = DecodeRecordHeader(value, sequence);
        if (!header.ok()) return true;
        present[header->lane] += {header->items, 1, value.size()};
        LaneCursor& lane = destination.lanes[header->lane];
        lane.first_pending = std::min(lane.first_pending, sequence);
        return true;
      });
  for (uint32_t number = 0; number < kLanes; ++number) {
    LaneCursor& lane = destination.lanes[number];
    lane.cursor = queue.floor;
    lane.settled = queue.lanes[number].total - present[number];
    AddAccepted(destination.ledger, present[number]);
  }
  return status;
}

void BeginAtEnd(Commit& commit, const QueueRecord& queue, DestinationRecord& destination) {
  for (uint32_t number = 0; number < kLanes; ++number) {
    destination.lanes[number].cursor = queue.next;
    destination.lanes[number].settled = queue.lanes[number].total;
  }
  for (const auto& [number, instance] : commit.state.producers.all()) {
    if (instance->tenant != queue.tenant || instance->signal != queue.signal) continue;
    destination.settled[number] = instance->mark;
    commit.state.dirty.settled.insert({destination.generation, number});
  }
}

absl::Status Create(Commit& commit, QueueRecord& queue, const DestinationTopology& wanted) {
  Generation generation = NewGeneration(commit);
  auto destination = std::make_unique<DestinationRecord>();
  destination->generation = generation;
  destination->name = wanted.name;
  if (wanted.start_oldest) {
    absl::Status begun = BeginOldest(commit, queue, *destination);
    if (!begun.ok()) return begun;
  } else {
    BeginAtEnd(commit, queue, *destination);
  }
  for (uint32_t lane = 0; lane < kLanes; ++lane) {
    commit.state.dirty.cursors.insert({generation, lane});
  }
  commit.state.dirty.ledgers.insert(generation);
  WriteDestination(queue, *destination, commit.database.meta(), commit.batch);
  std::erase_if(commit.state.ended, [&](const DestinationStatus& ended) {
    return ended.id == DestinationId{queue.tenant, queue.signal, wanted.name};
  });
  queue.destinations.push_back(std::move(destination));
  return absl::OkStatus();
}

void SetRemoved(Commit& commit, const QueueRecord& queue, DestinationRecord& destination,
                int64_t removed_at_ms) {
  if ((destination.removed_at_ms == 0) == (removed_at_ms == 0)) return;
  destination.removed_at_ms = removed_at_ms;
  WriteDestination(queue, destination, commit.database.meta(), commit.batch);
}

void End(Commit& commit, QueueRecord& queue, DestinationRecord& destination) {
  Ledger& ledger = destination.ledger;
  ledger.expired["removed"] += ledger.pending;
  ledger.pending = ledger.pending_frames = ledger.pending_bytes = 0;
  ledger.aside.clear();
  DestinationStatus ended{{queue.tenant, queue.signal, destination.name}, true, ledger};
  if (commit.state.ended.size() >= kMaxRemovedShown) {
    commit.state.ended.erase(commit.state.ended.begin());
  }
  commit.state.ended.push_back(std::move(ended));
  auto tenant = commit.state.tenants.find(queue.tenant);
  FamilyPtr aside = tenant == commit.state.tenants.end()
                        ? nullptr
                        : commit.database.aside(tenant->second.generation);
  if (aside != nullptr) {
    std::string first = AsideFrameKey(destination.generation, 0);
    commit.batch.DeleteRange(aside, first, PrefixEnd(first.substr(0, 5)));
  }
  EraseDestination(destination, commit.database.meta(), commit.batch);
}

void DropEmptyTenants(Commit& commit) {
  std::set<std::string> used;
  for (const auto& [generation, queue] : commit.state.queues) used.insert(queue.tenant);
  std::erase_if(commit.state.tenants, [&](const auto& entry) {
    if (used.contains(entry.first)) return false;
    Generation generation = entry.second.generation;
    commit.batch.Delete(commit.database.meta(), MetaKey(MetaKind::kTenant, generation));
    commit.batch.Put(commit.database.meta(), MetaKey(MetaKind::kGone, generation), "");
    commit.replies.push_back([&database = commit.database, generation] {
      database.DropAside(generation).IgnoreError();
    });
    return true;
  });
}

}  // namespace

absl::Status ApplyTopology(Commit& commit, const std::vector<QueueTopology>& topology) {
  std::set<DestinationId> wanted;
  for (const QueueTopology& queue_wanted : topology) {
    absl::Status tenant = EnsureTenant(commit, queue_wanted.tenant);
    if (!tenant.ok()) return tenant;
    absl::StatusOr<QueueRecord*> queue = EnsureQueue(commit, queue_wanted);
    if (!queue.ok()) return queue.status();
    for (const DestinationTopology& destination : queue_wanted.destinations) {
      wanted.insert({queue_wanted.tenant, queue_wanted.signal, destination.name});
      DestinationRecord* known = (*queue)->Find(destination.name);
      if (known != nullptr) {
        SetRemoved(commit, **queue, *known, 0);
        continue;
      }
      absl::Status created = Create(commit, **queue, destination);
      if (!created.ok()) return created;
    }
  }
  for (auto& [generation, queue] : commit.state.queues) {
    for (auto& destination : queue.destinations) {
      if (wanted.contains({queue.tenant, queue.signal, destination->name})) continue;
      SetRemoved(commit, queue, *destination, commit.now.persisted_ms);
    }
  }
  return absl::OkStatus();
}

void EndRemoved(Commit& commit) {
  for (auto it = commit.state.queues.begin(); it != commit.state.queues.end();) {
    QueueRecord& queue = it->second;
    std::erase_if(queue.destinations, [&](const std::unique_ptr<DestinationRecord>& destination) {
      if (destination->removed_at_ms == 0) return false;
      if (commit.now.persisted_ms - destination->removed_at_ms < kHoldMs) return false;
      End(commit, queue, *destination);
      return true;
    });
    if (!queue.destinations.empty()) {
      ++it;
      continue;
    }
    EraseQueue(queue, commit.database.meta(), commit.batch);
    commit.replies.push_back([&database = commit.database, generation = queue.generation] {
      database.DropQueue(generation).IgnoreError();
    });
    it = commit.state.queues.erase(it);
  }
  DropEmptyTenants(commit);
}

}  // namespace ampari
