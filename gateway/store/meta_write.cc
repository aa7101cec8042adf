#include <optional>
#include <utility>

#include "ampari/store/v1/store.pb.h"
#include "gateway/store/keys.h"
#include "gateway/store/meta.h"

namespace ampari {
namespace {

namespace pb = store::v1;

void Fill(const FrameSum& sum, pb::FrameSum* out) {
  out->set_items(sum.items);
  out->set_frames(sum.frames);
  out->set_bytes(sum.bytes);
}

std::string EncodeQueue(const QueueRecord& queue) {
  pb::QueueState state;
  state.set_tenant(queue.tenant);
  state.set_signal(static_cast<uint32_t>(queue.signal));
  state.set_next_sequence(queue.next);
  state.set_floor(queue.floor);
  state.set_cumulative_items(queue.cumulative_items);
  state.set_cumulative_bytes(queue.cumulative_bytes);
  state.set_floor_bytes(queue.floor_bytes);
  state.set_budget_bytes(queue.budget_bytes);
  return state.SerializeAsString();
}

std::string EncodeLane(const LaneEnd& lane) {
  pb::LaneEnd state;
  Fill(lane.total, state.mutable_total());
  state.set_last_sequence(lane.last_sequence);
  return state.SerializeAsString();
}

std::string EncodeCursor(const LaneCursor& lane) {
  pb::LaneCursor state;
  state.set_cursor(lane.cursor);
  Fill(lane.settled, state.mutable_settled());
  state.set_merged_upto(lane.merged_upto);
  state.set_merged_generation(lane.merged_generation);
  return state.SerializeAsString();
}

std::string EncodeMark(const Instance& instance) {
  pb::MarkState state;
  state.set_mark(instance.mark);
  state.set_origin_ms(instance.origin_ms);
  state.set_last_contact_ms(instance.last_contact_ms);
  state.set_last_queue_sequence(instance.last_queue_sequence);
  return state.SerializeAsString();
}

std::string EncodeNumbers(const StoreState& state) {
  pb::NextNumbers numbers;
  numbers.set_generation(state.next_generation);
  numbers.set_instance(state.next_instance);
  numbers.set_dead_letter(state.next_dead_letter);
  numbers.set_log_producer(state.next_log_producer);
  return numbers.SerializeAsString();
}

void WriteDestinations(StoreState& state, const FamilyPtr& meta, WriteBatch& batch) {
  for (Generation generation : state.dirty.ledgers) {
    auto [queue, destination] = state.FindDestination(generation);
    if (destination == nullptr) continue;
    batch.Put(meta, MetaKey(MetaKind::kLedger, generation), EncodeLedger(destination->ledger));
  }
  for (const auto& [generation, lane] : state.dirty.cursors) {
    auto [queue, destination] = state.FindDestination(generation);
    if (destination == nullptr) continue;
    batch.Put(meta, MetaKey(MetaKind::kCursor, generation, lane),
              EncodeCursor(destination->lanes[lane]));
  }
  for (const auto& [generation, instance] : state.dirty.settled) {
    auto [queue, destination] = state.FindDestination(generation);
    if (destination == nullptr) continue;
    pb::MarkState settled;
    settled.set_mark(destination->settled[instance]);
    batch.Put(meta, MetaKey(MetaKind::kSettled, generation, instance), settled.SerializeAsString());
  }
}

std::string EncodeLogFile(const LogPosition& at, const std::string& name,
                          const RetiredFile* retired) {
  pb::LogFileState value;
  value.set_out(at.out);
  value.set_err(at.err);
  value.set_name(name);
  if (retired != nullptr) {
    value.set_retired_ms(retired->retired_ms);
    value.set_retired_by(retired->by);
    value.set_retired_present(retired->present);
  }
  return value.SerializeAsString();
}

// nullopt: nothing is known of the file.
std::optional<std::string> EncodeLogFile(const LogProducer& producer, const std::string& key) {
  const auto file = producer.files.find(key);
  if (file != producer.files.end()) {
    return EncodeLogFile(file->second.at, file->second.name, nullptr);
  }
  const RetiredFile* const retired = producer.retired.Stored(key);
  if (retired == nullptr) return std::nullopt;
  return EncodeLogFile(retired->at, retired->name, retired);
}

void WriteLogPositions(StoreState& state, const FamilyPtr& meta, WriteBatch& batch) {
  for (ProducerNumber number : state.dirty.log_producers) {
    const LogProducer* producer = state.log_positions.Find(number);
    if (producer == nullptr) continue;
    pb::LogProducerState value;
    value.set_entry(producer->entry);
    value.set_forwarder_name(producer->forwarder_name);
    value.set_first_contact_ms(producer->first_contact_ms);
    value.set_last_contact_ms(producer->last_contact_ms);
    batch.Put(meta, MetaKey(MetaKind::kLogProducer, number), value.SerializeAsString());
  }
  for (const auto& [number, key] : state.dirty.log_files) {
    const LogProducer* producer = state.log_positions.Find(number);
    if (producer == nullptr) continue;
    const std::optional<std::string> value = EncodeLogFile(*producer, key);
    if (value) {
      batch.Put(meta, LogFileKey(number, key), *value);
    } else {
      batch.Delete(meta, LogFileKey(number, key));
    }
  }
}

void EraseKind(MetaKind kind, uint32_t number, const FamilyPtr& meta, WriteBatch& batch) {
  std::string prefix = MetaKey(kind, number);
  batch.DeleteRange(meta, prefix, PrefixEnd(prefix));
}

}  // namespace

void WriteDirty(StoreState& state, const FamilyPtr& meta, WriteBatch& batch) {
  if (state.dirty.numbers) batch.Put(meta, MetaKey(MetaKind::kNumbers), EncodeNumbers(state));
  for (Generation generation : state.dirty.queues) {
    auto queue = state.queues.find(generation);
    if (queue == state.queues.end()) continue;
    batch.Put(meta, MetaKey(MetaKind::kQueue, generation), EncodeQueue(queue->second));
  }
  for (const auto& [generation, lane] : state.dirty.lanes) {
    auto queue = state.queues.find(generation);
    if (queue == state.queues.end()) continue;
    batch.Put(meta, MetaKey(MetaKind::kLane, generation, lane),
              EncodeLane(queue->second.lanes[lane]));
  }
  for (const auto& [name, tenant] : state.tenants) {
    if (!state.dirty.tenants.contains(tenant.generation)) continue;
    pb::TenantState value;
    value.set_tenant(name);
    value.set_dead_letters_dropped(tenant.dead_letters_dropped);
    batch.Put(meta, MetaKey(MetaKind::kTenant, tenant.generation), value.SerializeAsString());
  }
  WriteDestinations(state, meta, batch);
  for (InstanceNumber number : state.dirty.marks) {
    const Instance* instance = state.producers.Find(number);
    if (instance == nullptr) continue;
    batch.Put(meta, MetaKey(MetaKind::kMark, number), EncodeMark(*instance));
  }
  WriteLogPositions(state, meta, batch);
  state.dirty = {};
}

void WriteClock(int64_t persisted_ms, int64_t wall_ms, const FamilyPtr& meta, WriteBatch& batch) {
  pb::ClockState clock;
  clock.set_persisted_ms(persisted_ms);
  clock.set_wall_ms(wall_ms);
  batch.Put(meta, MetaKey(MetaKind::kClock), clock.SerializeAsString());
}

void WriteIdentity(const std::string& store_id, const FamilyPtr& meta, WriteBatch& batch) {
  pb::StoreIdentity identity;
  identity.set_format_version(kFormatVersion);
  identity.set_store_id(store_id);
  batch.Put(meta, MetaKey(MetaKind::kIdentity), identity.SerializeAsString());
}

void WriteDestination(const QueueRecord& queue, const DestinationRecord& destination,
                      const FamilyPtr& meta, WriteBatch& batch) {
  pb::DestinationState value;
  value.set_queue(queue.generation);
  value.set_name(destination.name);
  value.set_removed_at_ms(destination.removed_at_ms);
  batch.Put(meta, MetaKey(MetaKind::kDestination, destination.generation),
            value.SerializeAsString());
}

void WriteInstance(const Instance& instance, const FamilyPtr& meta, WriteBatch& batch) {
  pb::InstanceState value;
  value.set_tenant(instance.tenant);
  value.set_entry(instance.entry);
  value.set_forwarder_name(instance.forwarder_name);
  value.set_instance_id(instance.id);
  value.set_signal(static_cast<uint32_t>(instance.signal));
  value.set_epoch(instance.epoch);
  value.set_enforced_labels(std::string(instance.enforced_labels.bytes()));
  value.set_peer(instance.peer);
  value.set_draining(instance.draining);
  value.set_drained(instance.drained);
  batch.Put(meta, MetaKey(MetaKind::kInstance, instance.number), value.SerializeAsString());
}

void WriteHole(Generation queue, uint64_t first, const Hole& hole, const FamilyPtr& meta,
               WriteBatch& batch) {
  pb::HoleState value;
  value.set_upto(hole.upto);
  value.set_items(hole.items);
  value.set_frames(hole.frames);
  value.set_reason(hole.reason);
  batch.Put(meta, MetaKey(MetaKind::kHole, queue, first), value.SerializeAsString());
}

void WriteRetired(InstanceNumber instance, uint64_t block, uint64_t sequence, const FamilyPtr& meta,
                  WriteBatch& batch) {
  batch.Put(meta, MetaKey(MetaKind::kRetired, instance, block), SequenceKey(sequence));
}

void EraseDestination(const DestinationRecord& destination, const FamilyPtr& meta,
                      WriteBatch& batch) {
  for (MetaKind kind :
       {MetaKind::kDestination, MetaKind::kLedger, MetaKind::kCursor, MetaKind::kSettled}) {
    EraseKind(kind, destination.generation, meta, batch);
  }
}

void EraseQueue(const QueueRecord& queue, const FamilyPtr& meta, WriteBatch& batch) {
  for (MetaKind kind : {MetaKind::kQueue, MetaKind::kLane, MetaKind::kHole}) {
    EraseKind(kind, queue.generation, meta, batch);
  }
  batch.Put(meta, MetaKey(MetaKind::kGone, queue.generation), "");
}

void EraseLogProducer(ProducerNumber producer, const FamilyPtr& meta, WriteBatch& batch) {
  for (MetaKind kind : {MetaKind::kLogProducer, MetaKind::kLogFile}) {
    EraseKind(kind, producer, meta, batch);
  }
}

void EraseInstance(InstanceNumber instance, const FamilyPtr& meta, WriteBatch& batch) {
  for (MetaKind kind : {MetaKind::kInstance, MetaKind::kMark, MetaKind::kRetired}) {
    EraseKind(kind, instance, meta, batch);
  }
}

}  // namespace ampari
