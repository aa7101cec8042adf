// LogReceiver: the Loki side of a region: the stores of all tenants and what is asked of them.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>

#include "absl/base/thread_annotations.h"
#include "bench/region/behaviour.h"
#include "bench/region/log_store.h"
#include "common/http/server.h"
#include "common/runtime/mutex.h"

namespace ampari::bench {

// POST /loki/api/v1/push and /api/v1/logs/push.
bool IsLogPath(std::string_view path);

// Thread-safe. `ranges` must outlive it.
class LogReceiver {
 public:
  LogReceiver(const FrameRanges& ranges, bool discard) : ranges_(ranges), discard_(discard) {}

  // A push's answer: 204, or why not. A body that breaks the protocol leaves its reason in
  // *malformed.
  ServerResponse Take(const ServerRequest& request, const std::string& tenant, uint32_t frame_range,
                      const LogRules& rules, std::string* malformed) ABSL_LOCKS_EXCLUDED(mu_);
  // GET /lines, /line_hashes and /line_counts of the control port; nullopt: another path.
  std::optional<ServerResponse> Answer(const ServerRequest& request) const ABSL_LOCKS_EXCLUDED(mu_);

  struct Tenant {
    LogCounts counts;
    std::vector<std::string> problems;
  };
  std::map<std::string, Tenant> Report() const ABSL_LOCKS_EXCLUDED(mu_);
  // Null when the tenant never sent logs. Lives as long as the receiver, or until Reset().
  const LogStore* Find(const std::string& tenant) const ABSL_LOCKS_EXCLUDED(mu_);
  // No request may be running.
  void Reset() ABSL_LOCKS_EXCLUDED(mu_);

 private:
  LogStore& Of(const std::string& tenant) ABSL_LOCKS_EXCLUDED(mu_);

  const FrameRanges& ranges_;
  const bool discard_;
  mutable Mutex mu_;
  std::map<std::string, std::unique_ptr<LogStore>> tenants_ ABSL_GUARDED_BY(mu_);
};

}  // namespace ampari::bench
