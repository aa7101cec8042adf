// Store's side towards delivery: reading, claims, blocks of registrations.
#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "gateway/store/core.h"
#include "gateway/store/keys.h"
#include "gateway/store/reader.h"
#include "gateway/store/store.h"

namespace ampari {
namespace {

// How long delivery waits after a start for producers that were there before the stop.
constexpr absl::Duration kAwaitProducers = absl::Minutes(2);

absl::Status NoSuch(const DestinationId& id) {
  return absl::NotFoundError(absl::StrCat("no destination ", id.name, " of tenant ", id.tenant));
}

absl::Status BeingReopened() { return absl::UnavailableError("the store is being opened anew"); }

absl::StatusOr<std::string> ReadBlock(const Vault& vault, InstanceNumber instance,
                                      std::optional<uint64_t> block) {
  if (!block) return absl::NotFoundError(absl::StrCat("no registration of instance ", instance));
  std::shared_ptr<Database> database = vault.db();
  if (database == nullptr) return BeingReopened();
  return database->Get(database->series(), BlockKey(instance, *block));
}

}  // namespace

std::array<LaneState, kLanes> Store::Lanes(const DestinationId& id) const {
  std::array<LaneState, kLanes> lanes{};
  MutexLock lock(core_->vault.mu);
  const DestinationRecord* destination = core_->vault.state->Find(id);
  if (destination == nullptr) return lanes;
  for (uint32_t lane = 0; lane < kLanes; ++lane) {
    const LaneCursor& at = destination->lanes[lane];
    lanes[lane] = {at.cursor, at.merged_upto, at.merged_generation};
  }
  return lanes;
}

absl::StatusOr<std::vector<RecordPtr>> Store::Read(const DestinationId& id, uint64_t from,
                                                   size_t max_bytes, uint64_t* next) const {
  const Vault& vault = core_->vault;
  std::shared_ptr<Database> database = vault.db();
  if (database == nullptr) return BeingReopened();
  Generation generation = 0;
  uint64_t end = 0;
  {
    MutexLock lock(vault.mu);
    QueueRecord* queue = nullptr;
    if (vault.state->Find(id, &queue) == nullptr) return NoSuch(id);
    generation = queue->generation;
    from = std::max(from, queue->floor);
    end = queue->durable_next;
  }
  return ReadRecords(*database, vault.cache, generation, from, end, max_bytes, next);
}

bool Store::Claim(const DestinationId& id, uint32_t lane, uint64_t from, uint64_t upto) {
  MutexLock lock(core_->vault.mu);
  DestinationRecord* destination = core_->vault.state->Find(id);
  if (destination == nullptr || lane >= kLanes) return false;
  LaneCursor& cursor = destination->lanes[lane];
  if (from < cursor.cursor || upto <= from) return false;
  if (cursor.reread != LaneCursor::Reread::kNo) {
    if (cursor.reread == LaneCursor::Reread::kOnce) cursor.reread = LaneCursor::Reread::kNo;
    return false;
  }
  if (!cursor.claim) cursor.claim = {from, upto};
  cursor.claim->first = std::min(cursor.claim->first, from);
  cursor.claim->second = std::max(cursor.claim->second, upto);
  return true;
}

void Store::Unclaim(const DestinationId& id, uint32_t lane) {
  MutexLock lock(core_->vault.mu);
  DestinationRecord* destination = core_->vault.state->Find(id);
  if (destination != nullptr && lane < kLanes) destination->lanes[lane].claim.reset();
}

void Store::SetWaker(const DestinationId& id, std::function<void()> wake) {
  MutexLock lock(core_->vault.mu);
  DestinationRecord* destination = core_->vault.state->Find(id);
  if (destination != nullptr) destination->wake = std::move(wake);
}

std::optional<int64_t> Store::OldestAnnounced(const DestinationId& id, uint32_t lane) const {
  std::optional<int64_t> oldest;
  MutexLock lock(core_->vault.mu);
  for (const auto& [number, stream] : core_->vault.state->streams) {
    const Instance* instance = core_->vault.state->producers.Find(stream.instance);
    if (instance == nullptr || instance->lane != lane || instance->tenant != id.tenant ||
        instance->signal != id.signal || instance->mark >= stream.announced_last) {
      continue;
    }
    oldest = std::min(oldest.value_or(stream.announced_origin_ms), stream.announced_origin_ms);
  }
  return oldest;
}

bool Store::AwaitingProducers() const {
  const Vault& vault = core_->vault;
  if (vault.clock.Monotonic() - vault.started >= kAwaitProducers) return false;
  MutexLock lock(vault.mu);
  return !vault.state->awaited.empty();
}

absl::StatusOr<std::string> Store::ReadBlockOfLayout(InstanceNumber instance,
                                                     uint64_t layout) const {
  std::optional<uint64_t> block;
  {
    MutexLock lock(core_->vault.mu);
    block = core_->vault.state->registrations.BlockOfLayout(instance, layout);
  }
  return ReadBlock(core_->vault, instance, block);
}

absl::StatusOr<std::string> Store::ReadBlockOfSeries(InstanceNumber instance,
                                                     uint64_t series) const {
  std::optional<uint64_t> block;
  {
    MutexLock lock(core_->vault.mu);
    block = core_->vault.state->registrations.BlockOfSeries(instance, series);
  }
  return ReadBlock(core_->vault, instance, block);
}

absl::StatusOr<Labels> Store::EnforcedLabels(InstanceNumber number) const {
  MutexLock lock(core_->vault.mu);
  const Instance* instance = core_->vault.state->producers.Find(number);
  if (instance == nullptr) return absl::NotFoundError(absl::StrCat("no instance ", number));
  return instance->enforced_labels;
}

}  // namespace ampari
