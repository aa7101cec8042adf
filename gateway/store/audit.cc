#include "gateway/store/audit.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/frame/log_frame.h"
#include "gateway/store/keys.h"
#include "gateway/store/meta.h"

namespace ampari {
namespace {

constexpr size_t kMaxBrokenNamed = 20;

// Parts of [first, upto) that no hole in `known` covers.
std::map<uint64_t, Hole> Uncovered(uint64_t first, const Hole& hole,
                                   const std::map<uint64_t, Hole>& known) {
  std::map<uint64_t, Hole> parts;
  Hole rest = hole;
  uint64_t at = first;
  for (const auto& [begin, other] : known) {
    if (other.upto <= at || begin >= hole.upto) continue;
    rest.items -= std::min(rest.items, other.items);
    rest.frames -= std::min(rest.frames, std::min(other.upto, hole.upto) - std::max(begin, at));
    if (begin > at) parts[at].upto = begin;
    at = std::max(at, other.upto);
  }
  if (at < hole.upto) parts[at].upto = hole.upto;
  for (auto& [begin, part] : parts) {
    part.frames = part.upto - begin;
    part.reason = "corrupt";
  }
  if (!parts.empty()) parts.begin()->second.items = rest.items;
  return parts;
}

// Follows the records of a queue in order and notes what is missing between them.
class HoleFinder {
 public:
  HoleFinder(uint64_t from, std::map<uint64_t, Hole>& holes) : at_(from), holes_(holes) {}

  void See(uint64_t sequence, const RecordHeader& header) {
    if (sequence > at_) Note(sequence, header.cumulative_items - header.items);
    at_ = sequence + 1;
    below_ = header.cumulative_items;
  }
  void End(uint64_t next, uint64_t cumulative_items) {
    if (next > at_) Note(next, cumulative_items);
  }

 private:
  void Note(uint64_t upto, uint64_t cumulative) {
    uint64_t items = below_ && cumulative >= *below_ ? cumulative - *below_ : 0;
    holes_[at_] = {upto, items, upto - at_, "corrupt"};
  }

  uint64_t at_;
  std::optional<uint64_t> below_;
  std::map<uint64_t, Hole>& holes_;
};

// What a record says of its instance, its lane and its queue, where that is more than what is
// stored.
void RaiseTo(uint64_t sequence, const RecordHeader& header, size_t bytes, QueueRecord& queue,
             StoreState& state) {
  Instance* instance = state.producers.Find(header.instance);
  if (instance != nullptr && instance->mark < header.frame_sequence) {
    instance->mark = header.frame_sequence;
    instance->last_queue_sequence = sequence;
    instance->origin_ms = std::max(instance->origin_ms, header.origin_ms);
    state.dirty.marks.insert(instance->number);
  }
  if (sequence < queue.next) return;
  queue.next = queue.durable_next = sequence + 1;
  queue.cumulative_items = header.cumulative_items;
  queue.cumulative_bytes = header.cumulative_bytes;
  queue.lanes[header.lane] = {{header.lane_items, header.lane_frames, header.lane_bytes}, sequence};
  state.dirty.queues.insert(queue.generation);
  state.dirty.lanes.insert({queue.generation, header.lane});
  for (auto& destination : queue.destinations) {
    AddAccepted(destination->ledger, {header.items, 1, bytes});
    LaneCursor& lane = destination->lanes[header.lane];
    lane.first_pending = std::min(lane.first_pending, sequence);
    state.dirty.ledgers.insert(destination->generation);
  }
}

// Likewise of the files of a frame of logs. The frame's own checksum is not looked at: a part that
// was damaged has no other witness either.
void RaisePositions(std::string_view value, const RecordHeader& header, StoreState& state) {
  const Instance* instance = state.producers.Find(header.instance);
  if (instance == nullptr) return;
  const std::string_view frame = value.substr(kRecordHeaderBytes);
  const absl::StatusOr<FrameHeader> told = ParseFrameHeader(frame);
  if (!told.ok() || frame.size() < kFrameHeaderBytes + told->positions_bytes) return;
  const auto files =
      ParseLogPositions(*told, frame.substr(kFrameHeaderBytes, told->positions_bytes));
  if (!files.ok()) return;
  bool created = false;
  LogProducer& producer =
      state.log_positions.Meet(instance->entry, instance->forwarder_name, header.intake_ms,
                               state.next_log_producer, &created);
  if (created) ++state.next_log_producer;
  state.dirty.numbers |= created;
  state.dirty.log_producers.insert(producer.number);
  LogPositions::Move(producer, *files);
  for (const LogFilePart& file : *files) state.dirty.log_files.insert({producer.number, file.key});
}

// Checks one queue's keys at start. True when something is missing.
class StartCheck {
 public:
  StartCheck(const Database& database, QueueRecord& queue, StoreState& state)
      : database_(database), queue_(queue), state_(state), at_(queue.floor) {}

  absl::StatusOr<bool> Run(AuditDepth depth) {
    if (depth == AuditDepth::kFileBounds) {
      std::vector<Database::FileRange> files = database_.Files(database_.queue(queue_.generation));
      // What a file deletes lies in older files: up to the last such file everything is read. Trims
      // begin below the floor.
      uint64_t doubtful = 0;
      for (const Database::FileRange& file : files) {
        bool trims = file.deletions == 0 && ParseSequenceKey(file.first) < queue_.floor;
        if (file.deletions + file.range_deletions == 0 || trims) continue;
        doubtful = std::max(doubtful, ParseSequenceKey(file.last).value_or(0));
      }
      if (doubtful >= at_) {
        if (absl::Status status = Read(doubtful + 1); !status.ok()) return status;
      }
      for (const Database::FileRange& file : files) {
        if (absl::Status status = File(file); !status.ok()) return status;
      }
    }
    if (absl::Status status = Read(kNothingPending); !status.ok()) return status;
    return missing_;
  }

 private:
  absl::Status File(const Database::FileRange& file) {
    std::optional<uint64_t> first = ParseSequenceKey(file.first);
    std::optional<uint64_t> last = ParseSequenceKey(file.last);
    if (!first || !last || *last < at_) return absl::OkStatus();
    bool dense = file.deletions + file.range_deletions == 0 && file.entries == *last - *first + 1;
    if (!dense || *first > at_ || *last >= queue_.next) return Read(*last + 1);
    at_ = *last + 1;
    return absl::OkStatus();
  }

  // Reads from where the check stands to `end`, or to the last record.
  absl::Status Read(uint64_t end) {
    absl::Status status =
        database_.Scan(database_.queue(queue_.generation), SequenceKey(at_), SequenceKey(end),
                       nullptr, [&](std::string_view key, std::string_view value) {
                         uint64_t sequence = ParseSequenceKey(key).value_or(0);
                         PassTo(sequence);
                         at_ = sequence + 1;
                         auto header = DecodeRecordHeader(value, sequence);
                         if (header.ok()) {
                           const bool newer = sequence >= queue_.next;
                           RaiseTo(sequence, *header, value.size(), queue_, state_);
                           if (newer && queue_.signal == Signal::kLogs) {
                             RaisePositions(value, *header, state_);
                           }
                         } else {
                           missing_ = true;
                         }
                         return true;
                       });
    PassTo(std::min(end, queue_.next));
    return status;
  }

  void PassTo(uint64_t sequence) {
    if (sequence <= at_) return;
    if (!Known(sequence)) missing_ = true;
    at_ = sequence;
  }

  bool Known(uint64_t upto) const {
    return Uncovered(at_, {upto, 0, upto - at_, ""}, queue_.holes).empty();
  }

  const Database& database_;
  QueueRecord& queue_;
  StoreState& state_;
  uint64_t at_;
  bool missing_ = false;
};

}  // namespace

QueueImage ImageOf(const QueueRecord& queue) {
  QueueImage image;
  image.tenant = queue.tenant;
  image.signal = queue.signal;
  image.generation = queue.generation;
  image.floor = queue.floor;
  image.next = queue.next;
  image.first_pending = queue.FirstPending();
  image.stored_bytes = queue.stored_bytes();
  image.cumulative_items = queue.cumulative_items;
  image.holes = queue.holes;
  for (const auto& destination : queue.destinations) {
    QueueImage::DestinationImage& out = image.destinations.emplace_back();
    out.generation = destination->generation;
    out.name = destination->name;
    out.ledger = destination->ledger;
    for (uint32_t lane = 0; lane < kLanes; ++lane) {
      out.cursors[lane] = destination->lanes[lane].cursor;
    }
  }
  return image;
}

absl::StatusOr<Recount> RecountQueue(const Database& database, const QueueImage& image,
                                     const SnapshotPtr& snapshot,
                                     const std::function<bool(size_t)>& rest) {
  FamilyPtr family = database.queue(image.generation);
  if (family == nullptr) return absl::NotFoundError("the queue is gone");
  Recount recount;
  HoleFinder finder(image.floor, recount.holes);
  bool stopped = false;
  for (const auto& destination : image.destinations) recount.pending[destination.generation] = {};
  absl::Status status =
      database.Scan(family, SequenceKey(image.floor), SequenceKey(image.next), snapshot,
                    [&](std::string_view key, std::string_view value) {
                      uint64_t sequence = ParseSequenceKey(key).value_or(0);
                      auto header = DecodeRecordHeader(value, sequence);
                      if (!header.ok()) {
                        if (recount.broken.size() < kMaxBrokenNamed) {
                          recount.broken.emplace_back(header.status().message());
                        }
                        return true;
                      }
                      finder.See(sequence, *header);
                      stopped = rest != nullptr && !rest(value.size());
                      for (const auto& destination : image.destinations) {
                        if (sequence < destination.cursors[header->lane]) continue;
                        recount.pending[destination.generation] += {header->items, 1, value.size()};
                      }
                      return !stopped;
                    });
  if (!status.ok()) return status;
  if (stopped) return absl::CancelledError("the recount was stopped");
  finder.End(image.next, image.cumulative_items);
  return recount;
}

std::map<uint64_t, Hole> CorruptHoles(const QueueImage& image, const Recount& recount) {
  std::map<uint64_t, Hole> ours, corrupt;
  for (const auto& [first, hole] : image.holes) {
    if (hole.reason != "corrupt") ours[first] = hole;
  }
  for (const auto& [first, hole] : recount.holes) corrupt.merge(Uncovered(first, hole, ours));
  return corrupt;
}

FrameSum Missing(const QueueImage::DestinationImage& destination, const FrameSum& recounted) {
  uint64_t stored = destination.ledger.pending;
  for (const auto& [reason, items] : destination.ledger.aside) stored -= std::min(stored, items);
  auto less = [](uint64_t a, uint64_t b) { return a > b ? a - b : 0; };
  return {less(stored, recounted.items), less(destination.ledger.pending_frames, recounted.frames),
          less(destination.ledger.pending_bytes, recounted.bytes)};
}

std::string NameOf(const QueueImage& image) {
  return absl::StrCat("queue ", image.tenant,
                      image.signal == Signal::kMetrics ? "/metrics" : "/logs");
}

std::string NameOf(const QueueImage& image, uint64_t first, const Hole& hole) {
  return absl::StrCat(NameOf(image), ": frames ", first, " to ", hole.upto - 1, " (", hole.frames,
                      " frames, ", hole.items, " items) are missing");
}

void BookRecount(const QueueImage& image, const Recount& recount, const FamilyPtr& meta,
                 StoreState& state, WriteBatch& batch) {
  auto queue = state.queues.find(image.generation);
  if (queue == state.queues.end()) return;
  for (const auto& [first, hole] : recount.holes) {
    for (const auto& [begin, part] : Uncovered(first, hole, queue->second.holes)) {
      WriteHole(image.generation, begin, part, meta, batch);
      queue->second.holes[begin] = part;
      state.Alarm(NameOf(image, begin, part));
    }
  }
  for (const auto& destination : image.destinations) {
    auto recounted = recount.pending.find(destination.generation);
    DestinationRecord* record = state.FindDestination(destination.generation).second;
    if (recounted == recount.pending.end() || record == nullptr) continue;
    FrameSum missing = Missing(destination, recounted->second);
    if (missing == FrameSum{}) continue;
    AddLost(record->ledger, missing);
    state.dirty.ledgers.insert(destination.generation);
    state.Alarm(absl::StrCat(NameOf(image), ": ", missing.items, " items in ", missing.frames,
                             " frames were lost before ", destination.name, " had them"));
  }
}

absl::Status AuditAtStart(const Database& database, AuditDepth depth, StoreState& state,
                          WriteBatch& batch) {
  for (auto& [generation, queue] : state.queues) {
    absl::StatusOr<bool> missing = StartCheck(database, queue, state).Run(depth);
    if (!missing.ok()) return missing.status();
    if (!*missing && depth == AuditDepth::kFileBounds) continue;
    QueueImage image = ImageOf(queue);
    absl::StatusOr<Recount> recount = RecountQueue(database, image, nullptr);
    if (!recount.ok()) return recount.status();
    BookRecount(image, *recount, database.meta(), state, batch);
  }
  return absl::OkStatus();
}

}  // namespace ampari
