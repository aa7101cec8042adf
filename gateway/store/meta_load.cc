#include <algorithm>
#include <functional>

#include "absl/strings/str_cat.h"
#include "ampari/store/v1/store.pb.h"
#include "gateway/store/keys.h"
#include "gateway/store/meta.h"

namespace ampari {
namespace {

namespace pb = store::v1;

FrameSum ToSum(const pb::FrameSum& sum) { return {sum.items(), sum.frames(), sum.bytes()}; }

// Reads the values of one kind after another: what a value refers to is loaded before it.
class MetaLoader {
 public:
  MetaLoader(const Database& database, const Moment& now, StoreState& state)
      : database_(database), now_(now), state_(state) {}

  absl::StatusOr<LoadedMeta> Load() {
    using enum MetaKind;
    // NOLINTBEGIN: one line per kind
    Each<pb::StoreIdentity>(kIdentity, [&](auto, const pb::StoreIdentity& v) { Identity(v); });
    Each<pb::ClockState>(kClock, [&](auto, const pb::ClockState& v) {
      loaded_.clock = {true, v.persisted_ms(), v.wall_ms()};
    });
    Each<pb::NextNumbers>(kNumbers, [&](auto, const pb::NextNumbers& v) { Numbers(v); });
    Each<pb::TenantState>(kTenant, [&](auto key, const pb::TenantState& v) { Tenant(key, v); });
    Each<pb::QueueState>(kQueue, [&](auto key, const pb::QueueState& v) { Queue(key, v); });
    Each<pb::LaneEnd>(kLane, [&](auto key, const pb::LaneEnd& v) { Lane(key, v); });
    Each<pb::HoleState>(kHole, [&](auto key, const pb::HoleState& v) { HoleOf(key, v); });
    Each<pb::DestinationState>(
        kDestination, [&](auto key, const pb::DestinationState& v) { Destination(key, v); });
    Each<pb::LaneCursor>(kCursor, [&](auto key, const pb::LaneCursor& v) { Cursor(key, v); });
    Each<pb::MarkState>(kSettled, [&](auto key, const pb::MarkState& v) { Settled(key, v); });
    Each<pb::InstanceState>(kInstance,
                            [&](auto key, const pb::InstanceState& v) { InstanceOf(key, v); });
    Each<pb::MarkState>(kMark, [&](auto key, const pb::MarkState& v) { Mark(key, v); });
    Each<pb::LogProducerState>(
        kLogProducer, [&](auto key, const pb::LogProducerState& v) { LogProducerOf(key, v); });
    // NOLINTEND
    LogFiles();
    Ledgers();
    Raw(kGone,
        [&](const MetaKeyParts& key, std::string_view) { loaded_.gone.push_back(key.number); });
    if (!status_.ok()) return status_;
    Finish();
    return loaded_;
  }

 private:
  void Raw(MetaKind kind, const std::function<void(const MetaKeyParts&, std::string_view)>& use) {
    if (!status_.ok()) return;
    std::string prefix = MetaKey(kind);
    absl::Status status = database_.Scan(database_.meta(), prefix, PrefixEnd(prefix), nullptr,
                                         [&](std::string_view key, std::string_view value) {
                                           if (auto parts = ParseMetaKey(key)) use(*parts, value);
                                           return true;
                                         });
    if (status_.ok()) status_ = status;
  }

  template <typename Message, typename Use>
  void Each(MetaKind kind, Use use) {
    Raw(kind, [&](const MetaKeyParts& key, std::string_view value) {
      Message message;
      if (!message.ParseFromArray(value.data(), static_cast<int>(value.size()))) {
        status_ = absl::DataLossError(
            absl::StrCat("meta value ", std::string(1, static_cast<char>(kind)), " ", key.number));
        return;
      }
      use(key, message);
    });
  }

  void Identity(const pb::StoreIdentity& value) {
    state_.store_id = value.store_id();
    if (value.format_version() != kFormatVersion) {
      status_ = absl::FailedPreconditionError(
          absl::StrCat("the store has format ", value.format_version(), ", this program reads ",
                       kFormatVersion));
    }
  }
  void Numbers(const pb::NextNumbers& value) {
    state_.next_generation = value.generation();
    state_.next_instance = value.instance();
    state_.next_dead_letter = value.dead_letter();
    state_.next_log_producer = std::max<ProducerNumber>(1, value.log_producer());
  }
  void Tenant(const MetaKeyParts& key, const pb::TenantState& value) {
    TenantRecord& tenant = state_.tenants[value.tenant()];
    tenant.name = value.tenant();
    tenant.generation = key.number;
    tenant.dead_letters_dropped = value.dead_letters_dropped();
  }
  void Queue(const MetaKeyParts& key, const pb::QueueState& value) {
    QueueRecord& queue = state_.queues[key.number];
    queue.generation = key.number;
    queue.tenant = value.tenant();
    queue.signal = static_cast<Signal>(value.signal());
    queue.next = queue.durable_next = value.next_sequence();
    queue.floor = queue.durable_floor = value.floor();
    queue.cumulative_items = value.cumulative_items();
    queue.cumulative_bytes = value.cumulative_bytes();
    queue.floor_bytes = value.floor_bytes();
    queue.budget_bytes = value.budget_bytes();
    queue.trimmed_at = now_.monotonic;
  }
  void Lane(const MetaKeyParts& key, const pb::LaneEnd& value) {
    auto queue = state_.queues.find(key.number);
    if (queue == state_.queues.end() || key.second >= kLanes) return;
    queue->second.lanes[key.second] = {ToSum(value.total()), value.last_sequence()};
  }
  void HoleOf(const MetaKeyParts& key, const pb::HoleState& value) {
    auto queue = state_.queues.find(key.number);
    if (queue == state_.queues.end()) return;
    queue->second.holes[key.second] = {value.upto(), value.items(), value.frames(), value.reason()};
  }
  void Destination(const MetaKeyParts& key, const pb::DestinationState& value) {
    auto queue = state_.queues.find(value.queue());
    if (queue == state_.queues.end()) return;
    auto destination = std::make_unique<DestinationRecord>();
    destination->generation = key.number;
    destination->name = value.name();
    destination->removed_at_ms = value.removed_at_ms();
    queue->second.destinations.push_back(std::move(destination));
  }
  void Cursor(const MetaKeyParts& key, const pb::LaneCursor& value) {
    DestinationRecord* destination = state_.FindDestination(key.number).second;
    if (destination == nullptr || key.second >= kLanes) return;
    LaneCursor& lane = destination->lanes[key.second];
    lane.cursor = value.cursor();
    lane.settled = ToSum(value.settled());
    lane.merged_upto = value.merged_upto();
    lane.merged_generation = value.merged_generation();
  }
  void Settled(const MetaKeyParts& key, const pb::MarkState& value) {
    DestinationRecord* destination = state_.FindDestination(key.number).second;
    if (destination == nullptr) return;
    destination->settled[static_cast<InstanceNumber>(key.second)] = value.mark();
  }
  void InstanceOf(const MetaKeyParts& key, const pb::InstanceState& value) {
    Instance instance;
    instance.number = key.number;
    instance.tenant = value.tenant();
    instance.entry = value.entry();
    instance.forwarder_name = value.forwarder_name();
    instance.id = value.instance_id();
    instance.signal = static_cast<Signal>(value.signal());
    instance.epoch = value.epoch();
    instance.peer = value.peer();
    instance.draining = value.draining();
    instance.drained = value.drained();
    if (!Labels::FromBytes(value.enforced_labels(), &instance.enforced_labels)) {
      status_ = absl::DataLossError(absl::StrCat("enforced labels of instance ", key.number));
      return;
    }
    state_.producers.Load(std::move(instance), now_);
  }
  void Mark(const MetaKeyParts& key, const pb::MarkState& value) {
    Instance* instance = state_.producers.Find(key.number);
    if (instance == nullptr) return;
    instance->mark = value.mark();
    instance->origin_ms = value.origin_ms();
    instance->last_contact_ms = value.last_contact_ms();
    instance->last_queue_sequence = value.last_queue_sequence();
  }
  void LogProducerOf(const MetaKeyParts& key, const pb::LogProducerState& value) {
    LogProducer producer;
    producer.number = key.number;
    producer.entry = value.entry();
    producer.forwarder_name = value.forwarder_name();
    producer.first_contact_ms = value.first_contact_ms();
    producer.last_contact_ms = value.last_contact_ms();
    state_.log_positions.Load(std::move(producer));
    state_.next_log_producer = std::max(state_.next_log_producer, key.number + 1);
  }
  void LogFiles() {
    if (!status_.ok()) return;
    std::string prefix = MetaKey(MetaKind::kLogFile);
    status_ = database_.Scan(
        database_.meta(), prefix, PrefixEnd(prefix), nullptr,
        [&](std::string_view key, std::string_view value) {
          auto parts = ParseLogFileKey(key);
          pb::LogFileState file;
          LogProducer* producer = parts ? state_.log_positions.Find(parts->producer) : nullptr;
          if (producer == nullptr) return true;
          if (!file.ParseFromArray(value.data(), static_cast<int>(value.size()))) return true;
          const LogPosition at{file.out(), file.err()};
          if (file.retired_by() == 0) {
            producer->files[std::string(parts->key)] = {at, file.name()};
          } else {
            producer->retired.Add(
                std::string(parts->key),
                {at, file.name(), file.retired_ms(), file.retired_by(), file.retired_present()});
          }
          return true;
        });
  }
  void Ledgers() {
    Raw(MetaKind::kLedger, [&](const MetaKeyParts& key, std::string_view value) {
      DestinationRecord* destination = state_.FindDestination(key.number).second;
      if (destination == nullptr) return;
      absl::StatusOr<Ledger> ledger = DecodeLedger(value);
      if (!ledger.ok()) {
        status_ = ledger.status();
        return;
      }
      destination->ledger = *std::move(ledger);
    });
  }
  // What is derived: where each lane stands.
  void Finish() {
    for (auto& [generation, queue] : state_.queues) {
      queue.dropped_below = queue.floor;
      queue.dropped_bytes = queue.floor_bytes;
      for (auto& destination : queue.destinations) {
        for (uint32_t lane = 0; lane < kLanes; ++lane) {
          LaneCursor& cursor = destination->lanes[lane];
          bool pending = queue.lanes[lane].last_sequence >= cursor.cursor;
          cursor.first_pending = pending ? std::max(cursor.cursor, queue.floor) : kNothingPending;
        }
      }
    }
  }

  const Database& database_;
  const Moment now_;
  StoreState& state_;
  LoadedMeta loaded_;
  absl::Status status_;
};

}  // namespace

absl::StatusOr<LoadedMeta> LoadMeta(const Database& database, const Moment& now,
                                    StoreState& state) {
  return MetaLoader(database, now, state).Load();
}

absl::Status LoadRegistrations(const Database& database, StoreState& state) {
  std::string end = PrefixEnd(std::string(1, '\xfe'));
  absl::Status scanned = database.Scan(
      database.series(), "", end, nullptr, [&](std::string_view key, std::string_view value) {
        std::optional<BlockKeyParts> parts = ParseBlockKey(key);
        if (!parts || state.producers.Find(parts->instance) == nullptr) return true;
        absl::StatusOr<RegistrationHeader> header = ParseRegistrationHeader(value);
        if (header.ok()) {
          state.registrations.Add(parts->instance, *header);
        } else {
          state.Alarm(absl::StrCat("registration block ", parts->block, " of instance ",
                                   parts->instance, ": ", header.status().message()));
        }
        return true;
      });
  if (!scanned.ok()) return scanned;
  std::string prefix = MetaKey(MetaKind::kRetired);
  return database.Scan(database.meta(), prefix, PrefixEnd(prefix), nullptr,
                       [&](std::string_view key, std::string_view value) {
                         auto parts = ParseMetaKey(key);
                         auto sequence = ParseSequenceKey(value);
                         if (parts && sequence) {
                           state.registrations.Retire(parts->number, parts->second, *sequence);
                         }
                         return true;
                       });
}

absl::Status LoadDeadLetters(const Database& database, StoreState& state) {
  for (auto& entry : state.tenants) {
    TenantRecord& tenant = entry.second;
    FamilyPtr family = database.aside(tenant.generation);
    if (family == nullptr) continue;
    absl::Status scanned =
        database.Scan(family, "", PrefixEnd(std::string(1, kDeadLetters)), nullptr,
                      [&](std::string_view key, std::string_view value) {
                        if (key.starts_with(kAsideFrames)) tenant.aside_bytes += value.size();
                        if (!key.starts_with(kDeadLetters)) return true;
                        auto number = ParseSequenceKey(key.substr(1));
                        if (!number) return true;
                        tenant.dead_letters.emplace_back(*number, value.size());
                        tenant.dead_letter_bytes += value.size();
                        return true;
                      });
    if (!scanned.ok()) return scanned;
  }
  return absl::OkStatus();
}

}  // namespace ampari
