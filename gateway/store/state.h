// StoreState: what the store keeps in memory of what is durable. The committer alone changes it,
// under the store's lock, and writes down what it changed through `dirty` in the same batch; after
// a failed write all of it is read again.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "gateway/store/ledger.h"
#include "gateway/store/log_positions.h"
#include "gateway/store/producers.h"
#include "gateway/store/registrations.h"
#include "gateway/store/store.h"
#include "gateway/store/write_batch.h"

namespace ampari {

inline constexpr uint64_t kNothingPending = std::numeric_limits<uint64_t>::max();
inline constexpr size_t kMaxAlarms = 100;  // the newest stay
inline constexpr size_t kMaxRemovedShown =
    64;  // destinations whose hold has ended, shown until the next start

// One lane at one destination.
struct LaneCursor {
  uint64_t cursor = 1;
  FrameSum settled;  // the lane's running sums below the cursor
  // A bound below the first unsettled frame that is better than the cursor; kNothingPending: all is
  // settled.
  uint64_t first_pending = kNothingPending;
  std::optional<std::pair<uint64_t, uint64_t>> claim;
  // As LaneState's; 0 once the cursor has passed.
  uint64_t merged_upto = 0, merged_generation = 0;
  // Single frames were taken out: whoever has read the lane must read it again before it claims.
  enum class Reread { kNo, kOnce, kWhileWriting } reread = Reread::kNo;

  void MoveTo(uint64_t sequence) {
    cursor = sequence;
    if (merged_upto <= cursor) merged_upto = merged_generation = 0;
  }
};

struct LaneEnd {
  FrameSum total;
  uint64_t last_sequence = 0;
};

struct DestinationRecord {
  Generation generation = 0;
  std::string name;
  int64_t removed_at_ms = 0;  // persisted clock; 0: in the configuration
  Ledger ledger;
  std::array<LaneCursor, kLanes> lanes;
  std::map<InstanceNumber, uint64_t> settled;
  std::function<void()> wake;

  uint64_t FirstPending() const;
};

// Records that are missing from a queue: [first, upto).
struct Hole {
  uint64_t upto = 0, items = 0, frames = 0;
  std::string reason;
};

struct QueueRecord {
  std::string tenant;
  Signal signal = Signal::kMetrics;
  Generation generation = 0;
  uint64_t next = 1;           // of the next frame to be stored
  uint64_t durable_next = 1;   // readers stop here
  uint64_t floor = 1;          // keys below are trimmed
  uint64_t durable_floor = 1;  // the floor that is on disk; files may go below it
  uint64_t cumulative_items = 0, cumulative_bytes = 0, floor_bytes = 0;
  uint64_t budget_bytes = 0;
  std::array<LaneEnd, kLanes> lanes;
  std::vector<std::unique_ptr<DestinationRecord>> destinations;
  std::map<uint64_t, Hole> holes;
  absl::Duration trimmed_at, trim_looked_at;  // monotonic
  uint64_t dropped_below = 1;                 // whole files below are gone
  uint64_t dropped_bytes = 0;                 // floor_bytes at that time

  DestinationRecord* Find(const std::string& name);
  // Lowest sequence that a destination still needs; `next` when none does.
  uint64_t FirstPending() const;
  uint64_t stored_bytes() const { return cumulative_bytes - floor_bytes; }
};

struct TenantRecord {
  std::string name;
  Generation generation = 0;  // of its aside family
  uint64_t dead_letter_bytes = 0, dead_letters_dropped = 0;
  uint64_t aside_bytes = 0;
  std::deque<std::pair<uint64_t, uint64_t>> dead_letters;  // number, bytes
};

struct StreamRecord {
  std::shared_ptr<StreamSink> sink;
  InstanceNumber instance = 0;  // 0: answered, but no frames are taken
  Generation queue = 0;
  bool refusing = false;            // a wrong sequence was refused; the rest of that run is ignored
  ProducerNumber log_producer = 0;  // of a stream of logs
  uint32_t round = 0;               // frames of lower rounds are ignored
  uint64_t announced_last = 0;
  int64_t announced_origin_ms = 0;
};

// What the batch in the making has to write down.
struct Dirty {
  bool numbers = false;
  std::set<Generation> queues, tenants;
  std::set<std::pair<Generation, uint32_t>> lanes;    // queue, lane
  std::set<Generation> ledgers;                       // destinations
  std::set<std::pair<Generation, uint32_t>> cursors;  // destination, lane
  std::set<std::pair<Generation, InstanceNumber>> settled;
  std::set<InstanceNumber> marks;
  std::set<ProducerNumber> log_producers;
  std::set<std::pair<ProducerNumber, std::string>>
      log_files;  // producer, key; gone ones are erased
};

struct StoreState {
  explicit StoreState(ProducerBounds bounds) : producers(bounds) {}

  std::string store_id;
  Generation next_generation = 1;
  InstanceNumber next_instance = 1;
  uint64_t next_dead_letter = 1;
  ProducerNumber next_log_producer = 1;
  std::map<Generation, QueueRecord> queues;
  std::map<std::string, TenantRecord> tenants;
  std::vector<DestinationStatus> ended;  // removed destinations whose hold is over
  Producers producers;
  Registrations registrations;
  LogPositions log_positions;
  std::map<StreamId, StreamRecord> streams;
  std::map<InstanceNumber, StreamId> stream_ids;  // of instances with a stream
  std::set<std::pair<std::string, std::string>>
      awaited;  // producers that have not come back since the start
  std::vector<std::string> alarms;
  bool paused = false;
  uint64_t commits = 0, frames = 0, bytes = 0, duplicates = 0, rollbacks = 0, reopened = 0;
  Dirty dirty;

  QueueRecord* FindQueue(const std::string& tenant, Signal signal);
  DestinationRecord* Find(const DestinationId& id, QueueRecord** queue = nullptr);
  std::pair<QueueRecord*, DestinationRecord*> FindDestination(Generation generation);
  StreamRecord* StreamOf(InstanceNumber instance, StreamId* id = nullptr);
  // Prints to stderr as well.
  void Alarm(std::string words);
};

}  // namespace ampari
