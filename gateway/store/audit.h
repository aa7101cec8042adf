// Audit: compares what is stored with what the ledger says is stored. A frame that is missing
// without a reason of ours is lost{corrupt}: per destination, stored pending less the recount.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "gateway/store/database.h"
#include "gateway/store/state.h"

namespace ampari {

enum class AuditDepth { kFileBounds, kEverything };

// What a recount needs to know of a queue, taken between two batches together with a snapshot.
struct QueueImage {
  struct DestinationImage {
    Generation generation = 0;
    std::string name;
    std::array<uint64_t, kLanes> cursors{};
    Ledger ledger;
  };
  std::string tenant;
  Signal signal = Signal::kMetrics;
  Generation generation = 0;
  uint64_t floor = 1, next = 1, first_pending = 1, cumulative_items = 0, stored_bytes = 0;
  std::vector<DestinationImage> destinations;
  std::map<uint64_t, Hole> holes;
};
QueueImage ImageOf(const QueueRecord& queue);

struct Recount {
  std::map<Generation, FrameSum> pending;  // by destination, without what is set aside
  std::map<uint64_t, Hole> holes;          // every range that is missing in [floor, next)
  std::vector<std::string> broken;         // records that cannot be read
};
// `rest`: called with the bytes of each record; false ends the recount as Cancelled. May be null.
absl::StatusOr<Recount> RecountQueue(const Database& database, const QueueImage& image,
                                     const SnapshotPtr& snapshot,
                                     const std::function<bool(size_t)>& rest = nullptr);

// Ranges that are missing without a reason of ours, booked or not.
std::map<uint64_t, Hole> CorruptHoles(const QueueImage& image, const Recount& recount);

// What the recount says is missing from a destination.
FrameSum Missing(const QueueImage::DestinationImage& destination, const FrameSum& recounted);

// "queue tenant/metrics"; holes with range and counts.
std::string NameOf(const QueueImage& image);
std::string NameOf(const QueueImage& image, uint64_t first, const Hole& hole);

// At start: raises marks, next sequences and accepted to what the stored records say; books holes
// and names them in alarms. With kFileBounds, what the files' tables say is believed, and only what
// lies outside them is read.
absl::Status AuditAtStart(const Database& database, AuditDepth depth, StoreState& state,
                          WriteBatch& batch);

// Books a recount of a running store: `batch` gets the holes, the state the losses.
void BookRecount(const QueueImage& image, const Recount& recount, const FamilyPtr& meta,
                 StoreState& state, WriteBatch& batch);

}  // namespace ampari
