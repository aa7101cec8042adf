#include "gateway/store/topology.h"

#include <algorithm>
#include <array>
#include <map>
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

// What a queue holds by lane, for a destination that begins with the oldest stored frame.
struct Stored {
  std::array<FrameSum, kLanes> sums{};
  std::array<uint64_t, kLanes> first{};
  Stored() { first.fill(kNothingPending); }
};

// All that can fail, before anything is changed: families for what is new, and what new
// destinations find stored.
struct Preparation {
  std::map<std::string, Generation> tenants;                    // of the new ones
  std::map<std::pair<std::string, Signal>, Generation> queues;  // of the new ones
  std::map<DestinationId, Stored> oldest;                       // new, and begin there
};

absl::StatusOr<Stored> ReadStored(const Commit& commit, const QueueRecord& queue) {
  Stored stored;
  absl::Status status = commit.database.Scan(
      commit.database.queue(queue.generation), SequenceKey(queue.floor), SequenceKey(queue.next),
      nullptr, [&](std::string_view key, std::string_view value) {
        uint64_t sequence = ParseSequenceKey(key).value_or(0);
        auto header = DecodeRecordHeader(value, sequence);
        if (!header.ok()) return true;
        stored.sums[header->lane] += {header->items, 1, value.size()};
        stored.first[header->lane] = std::min(stored.first[header->lane], sequence);
        return true;
      });
  if (!status.ok()) return status;
  return stored;
}

absl::Status PrepareQueue(Commit& commit, const QueueTopology& wanted, Preparation& preparation) {
  if (!commit.state.tenants.contains(wanted.tenant)) {
    const auto [tenant, added] = preparation.tenants.try_emplace(wanted.tenant);
    if (added) {
      tenant->second = NewGeneration(commit);
      absl::Status created = commit.database.CreateAside(tenant->second);
      if (!created.ok()) return created;
    }
  }
  QueueRecord* queue = commit.state.FindQueue(wanted.tenant, wanted.signal);
  if (queue == nullptr) {
    const auto [added, is_new] =
        preparation.queues.try_emplace(std::make_pair(wanted.tenant, wanted.signal));
    if (!is_new) return absl::OkStatus();
    added->second = NewGeneration(commit);
    return commit.database.CreateQueue(added->second);
  }
  for (const DestinationTopology& destination : wanted.destinations) {
    if (!destination.start_oldest || queue->Find(destination.name) != nullptr) continue;
    absl::StatusOr<Stored> stored = ReadStored(commit, *queue);
    if (!stored.ok()) return stored.status();
    preparation.oldest[{wanted.tenant, wanted.signal, destination.name}] = *std::move(stored);
  }
  return absl::OkStatus();
}

// What could not be dropped has no name; the next start drops it.
void Discard(Commit& commit, const Preparation& preparation) {
  for (const auto& [id, generation] : preparation.queues) {
    commit.database.DropQueue(generation).IgnoreError();
  }
  for (const auto& [tenant, generation] : preparation.tenants) {
    commit.database.DropAside(generation).IgnoreError();
  }
}

void EnsureTenant(Commit& commit, const std::string& name, const Preparation& preparation) {
  if (commit.state.tenants.contains(name)) return;
  TenantRecord& tenant = commit.state.tenants[name];
  tenant.name = name;
  tenant.generation = preparation.tenants.at(name);
  commit.state.dirty.tenants.insert(tenant.generation);
}

QueueRecord& EnsureQueue(Commit& commit, const QueueTopology& wanted,
                         const Preparation& preparation) {
  QueueRecord* queue = commit.state.FindQueue(wanted.tenant, wanted.signal);
  if (queue == nullptr) {
    Generation generation = preparation.queues.at({wanted.tenant, wanted.signal});
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
  return *queue;
}

// All that is stored is pending for it.
void BeginOldest(const QueueRecord& queue, const Stored& stored, DestinationRecord& destination) {
  for (uint32_t number = 0; number < kLanes; ++number) {
    LaneCursor& lane = destination.lanes[number];
    lane.cursor = queue.floor;
    lane.first_pending = stored.first[number];
    lane.settled = queue.lanes[number].total - stored.sums[number];
    AddAccepted(destination.ledger, stored.sums[number]);
  }
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

void Create(Commit& commit, QueueRecord& queue, const std::string& name,
            const Preparation& preparation) {
  Generation generation = NewGeneration(commit);
  auto destination = std::make_unique<DestinationRecord>();
  destination->generation = generation;
  destination->name = name;
  const DestinationId id{queue.tenant, queue.signal, name};
  const auto oldest = preparation.oldest.find(id);
  if (oldest != preparation.oldest.end()) {
    BeginOldest(queue, oldest->second, *destination);
  } else {
    BeginAtEnd(commit, queue, *destination);  // the same where the queue is new
  }
  for (uint32_t lane = 0; lane < kLanes; ++lane) {
    commit.state.dirty.cursors.insert({generation, lane});
  }
  commit.state.dirty.ledgers.insert(generation);
  WriteDestination(queue, *destination, commit.database.meta(), commit.batch);
  std::erase_if(commit.state.ended, [&](const DestinationStatus& ended) { return ended.id == id; });
  queue.destinations.push_back(std::move(destination));
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
  Preparation preparation;
  for (const QueueTopology& queue : topology) {
    absl::Status prepared = PrepareQueue(commit, queue, preparation);
    if (prepared.ok()) continue;
    Discard(commit, preparation);
    return prepared;
  }
  std::set<DestinationId> wanted;
  for (const QueueTopology& queue_wanted : topology) {
    EnsureTenant(commit, queue_wanted.tenant, preparation);
    QueueRecord& queue = EnsureQueue(commit, queue_wanted, preparation);
    for (const DestinationTopology& destination : queue_wanted.destinations) {
      wanted.insert({queue_wanted.tenant, queue_wanted.signal, destination.name});
      DestinationRecord* known = queue.Find(destination.name);
      if (known != nullptr) {
        SetRemoved(commit, queue, *known, 0);
      } else {
        Create(commit, queue, destination.name, preparation);
      }
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
