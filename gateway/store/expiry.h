// Expiry: frames that must go before they are settled, because a budget, the disk or their age says
// so. Oldest first, whole lanes in order, never frames that are in flight. What is decided here is
// applied within a commit, and only where nothing has moved since.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "gateway/store/audit.h"
#include "gateway/store/commit.h"

namespace ampari {

inline constexpr uint64_t kMaxExpiryScan = uint64_t{64} << 20;  // bytes read for one plan

struct TenantUse {
  std::string tenant;
  uint64_t budget_bytes = 0;  // 0: none of its own
  uint64_t stored_bytes = 0;
};
struct ExpiryNeed {
  std::string tenant;
  uint64_t bytes = 0;
  std::string reason;  // budget or disk
};
// Who must give back how much. `limit`: bytes for the frames of all tenants. A tenant without a
// budget has an equal share.
std::vector<ExpiryNeed> ExpiryNeeds(const std::vector<TenantUse>& uses, uint64_t limit);

struct ExpiryPlan {
  struct Lane {
    uint64_t seen_cursor = 0, upto = 0;
    FrameSum frames, running;
  };
  Generation queue = 0;
  std::string reason;
  std::map<std::pair<Generation, uint32_t>, Lane> lanes;  // destination, lane
};
// Until enough bytes would be free, or a frame of `horizon_ms` or younger is met; kMaxExpiryScan at
// most.
struct ExpiryGoal {
  uint64_t bytes = ~uint64_t{0};
  int64_t horizon_ms = 0;  // 0: frames of any age
};
absl::StatusOr<ExpiryPlan> PlanExpiry(const Database& database, const QueueImage& image,
                                      const ExpiryGoal& goal, std::string reason);
void ApplyExpiry(Commit& commit, const ExpiryPlan& plan);

// Frames set aside: those older than the horizon, and the oldest until `bytes` are free; a bounded
// number per call.
void ExpireAside(Commit& commit, TenantRecord& tenant, const ExpiryGoal& goal,
                 const std::string& reason);

}  // namespace ampari
