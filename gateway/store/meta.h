// Meta: the `meta` family's values. Writes down what a batch changed of the state, and reads all of
// it at start.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gateway/store/database.h"
#include "gateway/store/state.h"

namespace ampari {

inline constexpr uint32_t kFormatVersion = 1;

struct StoredClock {
  bool present = false;
  int64_t persisted_ms = 0, wall_ms = 0;
};

// Everything `state.dirty` names, which is empty afterwards.
void WriteDirty(StoreState& state, const FamilyPtr& meta, WriteBatch& batch);
void WriteClock(int64_t persisted_ms, int64_t wall_ms, const FamilyPtr& meta, WriteBatch& batch);
void WriteIdentity(const std::string& store_id, const FamilyPtr& meta, WriteBatch& batch);
void WriteDestination(const QueueRecord& queue, const DestinationRecord& destination,
                      const FamilyPtr& meta, WriteBatch& batch);
void WriteInstance(const Instance& instance, const FamilyPtr& meta, WriteBatch& batch);
void WriteHole(Generation queue, uint64_t first, const Hole& hole, const FamilyPtr& meta,
               WriteBatch& batch);
void WriteRetired(InstanceNumber instance, uint64_t block, uint64_t sequence, const FamilyPtr& meta,
                  WriteBatch& batch);
// Every key of a destination, of a queue, of a producer of logs or of an instance.
void EraseDestination(const DestinationRecord& destination, const FamilyPtr& meta,
                      WriteBatch& batch);
void EraseQueue(const QueueRecord& queue, const FamilyPtr& meta, WriteBatch& batch);
void EraseLogProducer(ProducerNumber producer, const FamilyPtr& meta, WriteBatch& batch);
void EraseInstance(InstanceNumber instance, const FamilyPtr& meta, WriteBatch& batch);

struct LoadedMeta {
  StoredClock clock;
  std::vector<Generation> gone;  // families to drop
};

// Fills an empty state. FailedPrecondition: a newer format. DataLoss: a value that cannot be read.
absl::StatusOr<LoadedMeta> LoadMeta(const Database& database, const Moment& now, StoreState& state);
// The index of registration blocks; call after LoadMeta.
absl::Status LoadRegistrations(const Database& database, StoreState& state);
// Sizes of dead letters and of what is set aside.
absl::Status LoadDeadLetters(const Database& database, StoreState& state);

}  // namespace ampari
