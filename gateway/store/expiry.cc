#include "gateway/store/expiry.h"

#include <algorithm>
#include <limits>

#include "ampari/store/v1/store.pb.h"
#include "gateway/store/keys.h"
#include "gateway/store/trims.h"

namespace ampari {
namespace {

constexpr int kMaxAsidePerCall = 256;

}  // namespace

std::vector<ExpiryNeed> ExpiryNeeds(const std::vector<TenantUse>& uses, uint64_t limit) {
  std::vector<ExpiryNeed> needs;
  uint64_t stored = 0;
  double shares = 0;
  double equal = uses.empty() ? 0 : static_cast<double>(limit) / static_cast<double>(uses.size());
  for (const TenantUse& use : uses) {
    bool over = use.budget_bytes > 0 && use.stored_bytes > use.budget_bytes;
    if (over) needs.push_back({use.tenant, use.stored_bytes - use.budget_bytes, "budget"});
    stored += over ? use.budget_bytes : use.stored_bytes;
    shares += use.budget_bytes > 0 ? static_cast<double>(use.budget_bytes) : equal;
  }
  if (stored <= limit || uses.empty()) return needs;
  const TenantUse* furthest = &uses.front();
  double furthest_by = -std::numeric_limits<double>::infinity();
  for (const TenantUse& use : uses) {
    double raw = use.budget_bytes > 0 ? static_cast<double>(use.budget_bytes) : equal;
    double by = static_cast<double>(use.stored_bytes) - raw * static_cast<double>(limit) / shares;
    if (by <= furthest_by) continue;
    furthest = &use;
    furthest_by = by;
  }
  needs.push_back({furthest->tenant, stored - limit, "disk"});
  return needs;
}

absl::StatusOr<ExpiryPlan> PlanExpiry(const Database& database, const QueueImage& image,
                                      const ExpiryGoal& goal, std::string reason) {
  ExpiryPlan plan{image.generation, std::move(reason), {}};
  FamilyPtr family = database.queue(image.generation);
  if (family == nullptr) return absl::NotFoundError("the queue is gone");
  uint64_t freed = 0, read = 0;
  absl::Status status = database.Scan(
      family, SequenceKey(std::max(image.floor, image.first_pending)), SequenceKey(image.next),
      nullptr, [&](std::string_view key, std::string_view value) {
        uint64_t sequence = ParseSequenceKey(key).value_or(0);
        auto header = DecodeRecordHeader(value, sequence);
        read += value.size();
        freed += value.size();
        if (!header.ok()) return true;
        if (goal.horizon_ms != 0 && header->intake_ms >= goal.horizon_ms) return false;
        for (const auto& destination : image.destinations) {
          uint64_t cursor = destination.cursors[header->lane];
          if (sequence < cursor) continue;
          ExpiryPlan::Lane& lane = plan.lanes[{destination.generation, header->lane}];
          lane.seen_cursor = cursor;
          lane.upto = sequence + 1;
          lane.frames += {header->items, 1, value.size()};
          lane.running = {header->lane_items, header->lane_frames, header->lane_bytes};
        }
        return freed < goal.bytes && read < kMaxExpiryScan;
      });
  if (!status.ok()) return status;
  return plan;
}

void ApplyExpiry(Commit& commit, const ExpiryPlan& plan) {
  auto queue = commit.state.queues.find(plan.queue);
  if (queue == commit.state.queues.end()) return;
  for (const auto& [key, expired] : plan.lanes) {
    DestinationRecord* destination = commit.state.FindDestination(key.first).second;
    if (destination == nullptr) continue;
    LaneCursor& lane = destination->lanes[key.second];
    if (lane.cursor != expired.seen_cursor || lane.claim) continue;
    if (lane.merged_upto > expired.upto) continue;  // a merged range expires whole
    AddExpired(destination->ledger, expired.frames, plan.reason);
    lane.MoveTo(expired.upto);
    lane.settled = expired.running;
    bool pending = queue->second.lanes[key.second].last_sequence >= lane.cursor;
    lane.first_pending = pending ? lane.cursor : kNothingPending;
    commit.state.dirty.cursors.insert(key);
    commit.state.dirty.ledgers.insert(key.first);
    commit.wake.insert(key.first);
  }
  TrimQueue(commit, queue->second, TrimWhen::kNow);
}

void ExpireAside(Commit& commit, TenantRecord& tenant, const ExpiryGoal& goal,
                 const std::string& reason) {
  FamilyPtr family = commit.database.aside(tenant.generation);
  if (family == nullptr || tenant.aside_bytes == 0) return;
  uint64_t freed = 0;
  int left = kMaxAsidePerCall;
  std::string first(1, kAsideFrames);
  commit.database
      .Scan(family, first, PrefixEnd(first), nullptr,
            [&](std::string_view key, std::string_view value) {
              store::v1::AsideState state;
              auto parts = ParseMetaKey(key);  // the same shape: one byte, generation, sequence
              if (!parts || !state.ParseFromArray(value.data(), static_cast<int>(value.size()))) {
                return true;
              }
              if (goal.horizon_ms != 0 && state.intake_ms() >= goal.horizon_ms) return true;
              DestinationRecord* destination = commit.state.FindDestination(parts->number).second;
              if (destination != nullptr) {
                AddAsideExpired(destination->ledger, static_cast<AsideReason>(state.reason()),
                                state.samples(), reason);
                commit.state.dirty.ledgers.insert(destination->generation);
              }
              commit.batch.Delete(family, key);
              tenant.aside_bytes -= std::min<uint64_t>(tenant.aside_bytes, value.size());
              freed += value.size();
              return freed < goal.bytes && --left > 0;
            })
      .IgnoreError();
}

}  // namespace ampari
