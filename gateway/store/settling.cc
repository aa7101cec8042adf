#include "gateway/store/settling.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "ampari/store/v1/store.pb.h"
#include "gateway/store/admission.h"
#include "gateway/store/keys.h"

namespace ampari {
namespace {

FrameSum Running(const RecordHeader& header) {
  return {header.lane_items, header.lane_frames, header.lane_bytes};
}

// What a settlement covers: by the running sums of its last record when they agree, else by reading
// all of it.
absl::StatusOr<LaneScan> Covered(const Commit& commit, const QueueRecord& queue,
                                 const LaneCursor& lane, const Settlement& settlement) {
  absl::StatusOr<RecordPtr> last = FindRecord(commit, queue, settlement.upto - 1);
  if (last.ok() && (*last)->header.lane == settlement.lane) {
    FrameSum running = Running((*last)->header);
    FrameSum covered = running - lane.settled;
    if (covered.items == SettledItems(settlement)) return LaneScan{covered, running, true};
  }
  return ScanLane(commit.database, queue, settlement.lane, std::max(lane.cursor, queue.floor),
                  settlement.upto);
}

std::string Describe(const Settlement& settlement) {
  return absl::StrCat("settlement of ", settlement.destination.tenant, "/",
                      settlement.destination.name, " lane ", settlement.lane, " [", settlement.from,
                      ", ", settlement.upto, ")");
}

void DropOldDeadLetters(Commit& commit, TenantRecord& tenant, const FamilyPtr& family) {
  while (tenant.dead_letter_bytes > commit.options.dead_letter_bytes &&
         !tenant.dead_letters.empty()) {
    auto [number, bytes] = tenant.dead_letters.front();
    tenant.dead_letters.pop_front();
    tenant.dead_letter_bytes -= bytes;
    ++tenant.dead_letters_dropped;
    commit.batch.Delete(family, DeadLetterKey(number));
    commit.state.dirty.tenants.insert(tenant.generation);
  }
}

void KeepDeadLetters(Commit& commit, TenantRecord& tenant, const Settlement& settlement) {
  FamilyPtr family = commit.database.aside(tenant.generation);
  if (family == nullptr || settlement.dead_letters.empty()) return;
  for (const DeadLetter& letter : settlement.dead_letters) {
    store::v1::DeadLetterState value;
    value.set_sequence(letter.sequence);
    value.set_samples(letter.samples);
    value.set_http_status(letter.http_status);
    value.set_series(letter.series.substr(0, kMaxDeadLetterText));
    value.set_response(letter.response.substr(0, kMaxDeadLetterText));
    value.set_destination(settlement.destination.name);
    std::string bytes = value.SerializeAsString();
    uint64_t number = commit.state.next_dead_letter++;
    commit.batch.Put(family, DeadLetterKey(number), bytes);
    tenant.dead_letters.emplace_back(number, bytes.size());
    tenant.dead_letter_bytes += bytes.size();
  }
  commit.state.dirty.numbers = true;
  DropOldDeadLetters(commit, tenant, family);
}

void KeepAside(Commit& commit, TenantRecord& tenant, const QueueRecord& queue,
               const DestinationRecord& destination, const Settlement& settlement) {
  FamilyPtr family = commit.database.aside(tenant.generation);
  if (family == nullptr) return;
  for (const AsideFrame& frame : settlement.aside) {
    absl::StatusOr<RecordPtr> record = FindRecord(commit, queue, frame.sequence);
    store::v1::AsideState value;
    value.set_reason(static_cast<uint32_t>(frame.reason));
    value.set_samples(frame.samples);
    value.set_words(frame.words.substr(0, kMaxDeadLetterText));
    for (const std::string& request : frame.requests) value.add_requests(request);
    if (record.ok()) value.set_intake_ms((*record)->header.intake_ms);
    if (record.ok() && frame.requests.empty()) {
      const Record& stored = **record;
      value.set_record(EncodeRecordHeader(stored.header, stored.sequence,
                                          static_cast<uint32_t>(stored.frame.size())) +
                       stored.frame);
    }
    std::string bytes = value.SerializeAsString();
    tenant.aside_bytes += bytes.size();
    commit.batch.Put(family, AsideFrameKey(destination.generation, frame.sequence), bytes);
  }
}

void MoveCursor(Commit& commit, const QueueRecord& queue, DestinationRecord& destination,
                const Settlement& settlement, const LaneScan& covered) {
  LaneCursor& lane = destination.lanes[settlement.lane];
  lane.MoveTo(settlement.upto);
  if (covered.any) lane.settled = covered.running;
  bool pending = queue.lanes[settlement.lane].last_sequence >= settlement.upto;
  lane.first_pending = pending ? settlement.upto : kNothingPending;
  if (lane.claim && lane.claim->second <= settlement.upto) {
    lane.claim.reset();
  } else if (lane.claim) {
    lane.claim->first = settlement.upto;
  }
  commit.state.dirty.cursors.insert({destination.generation, settlement.lane});
  commit.state.dirty.ledgers.insert(destination.generation);
  for (const auto& [instance, sequence] : settlement.settled) {
    if (commit.state.producers.Find(instance) == nullptr) continue;
    uint64_t& settled = destination.settled[instance];
    settled = std::max(settled, sequence);
    commit.state.dirty.settled.insert({destination.generation, instance});
    AcknowledgeInstance(commit, instance);
  }
  commit.wake.insert(destination.generation);
}

}  // namespace

absl::StatusOr<LaneScan> ScanLane(const Database& database, const QueueRecord& queue, uint32_t lane,
                                  uint64_t from, uint64_t upto) {
  FamilyPtr family = database.queue(queue.generation);
  if (family == nullptr) return absl::NotFoundError("the queue is gone");
  LaneScan scan;
  absl::Status status =
      database.Scan(family, SequenceKey(from), SequenceKey(upto), nullptr,
                    [&](std::string_view key, std::string_view value) {
                      auto header = DecodeRecordHeader(value, ParseSequenceKey(key).value_or(0));
                      if (!header.ok() || header->lane != lane) return true;
                      scan.present += {header->items, 1, value.size()};
                      scan.running = Running(*header);
                      scan.any = true;
                      return true;
                    });
  if (!status.ok()) return status;
  return scan;
}

void SettleLane(Commit& commit, PendingSettlement& pending) {
  const Settlement& settlement = pending.settlement;
  QueueRecord* queue = nullptr;
  DestinationRecord* destination = commit.state.Find(settlement.destination, &queue);
  if (destination == nullptr) {
    commit.replies.push_back(pending.done);  // removed meanwhile: nothing left to settle
    return;
  }
  if (settlement.lane >= kLanes || settlement.upto > queue->durable_next) {
    commit.state.Alarm(absl::StrCat("BUG: ", Describe(settlement), " is out of range"));
    return;
  }
  LaneCursor& lane = destination->lanes[settlement.lane];
  if (settlement.upto <= lane.cursor) {
    commit.replies.push_back(pending.done);
    return;
  }
  if (settlement.from != lane.cursor) {
    commit.state.Alarm(
        absl::StrCat("BUG: ", Describe(settlement), " begins beside the cursor ", lane.cursor));
    return;
  }
  absl::StatusOr<LaneScan> covered = Covered(commit, *queue, lane, settlement);
  if (!covered.ok() || covered->present.items != SettledItems(settlement)) {
    commit.state.Alarm(absl::StrCat(
        "BUG: ", Describe(settlement), " tells ", SettledItems(settlement), " items of ",
        covered.ok() ? absl::StrCat(covered->present.items) : covered.status().ToString()));
    return;
  }
  AddSettled(destination->ledger, covered->present, settlement);
  if (auto tenant = commit.state.tenants.find(queue->tenant);
      tenant != commit.state.tenants.end()) {
    KeepDeadLetters(commit, tenant->second, settlement);
    KeepAside(commit, tenant->second, *queue, *destination, settlement);
  }
  MoveCursor(commit, *queue, *destination, settlement, *covered);
  commit.replies.push_back(pending.done);
}

void IntendRange(Commit& commit, PendingIntent& pending) {
  QueueRecord* queue = nullptr;
  DestinationRecord* destination = commit.state.Find(pending.destination, &queue);
  if (destination == nullptr || pending.lane >= kLanes) {
    commit.replies.push_back(pending.done);  // removed meanwhile: nothing left to intend
    return;
  }
  LaneCursor& lane = destination->lanes[pending.lane];
  if (pending.from != lane.cursor || pending.upto <= pending.from ||
      pending.upto > queue->durable_next) {
    commit.state.Alarm(absl::StrCat("BUG: a merged range [", pending.from, ", ", pending.upto,
                                    ") of ", pending.destination.tenant, "/",
                                    pending.destination.name, " lane ", pending.lane,
                                    " begins beside the cursor ", lane.cursor));
    return;
  }
  lane.merged_upto = pending.upto;
  lane.merged_generation = pending.generation;
  commit.state.dirty.cursors.insert({destination->generation, pending.lane});
  commit.replies.push_back(pending.done);
}

}  // namespace ampari
