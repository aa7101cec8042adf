// Region: a verifying, fault-injecting receiver of remote write and Loki pushes, written from the
// protocols.
//
// Data port: POST /api/v1/push and /api/v1/write; /loki/api/v1/push and /api/v1/logs/push.
// Control port: POST /control (name=value in query or as a flat JSON object; behaviour.h;
// tenant=NAME for one tenant, signal=metrics or signal=logs for one signal), POST /reset (forgets
// what was stored), GET /report, GET /samples?tenant=NAME[&format=compact], GET
// /metadata?tenant=NAME, GET /lines?tenant=NAME[&label.NAME=VALUE…][&limit=N], GET
// /line_hashes?tenant=NAME, GET /line_counts?tenant=NAME&by=LABEL[&label.NAME=VALUE…]
// (log_lines.h).
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "bench/region/log_receiver.h"
#include "bench/region/tenant_store.h"

namespace ampari::bench {

struct RegionOptions {
  std::string listen_address = "127.0.0.1:0";
  std::string control_address = "127.0.0.1:0";
  size_t max_body_bytes = size_t{64} << 20;  // as sent; 413 above
  size_t max_connections = 512;              // a thread each
  bool discard = false;                      // counts only, keeps nothing, checks no log rules
  std::string cert_pem, key_pem;             // both set: the data port speaks TLS
};

struct RegionReport {
  uint64_t requests = 0;
  uint64_t bytes = 0;                           // bodies as received
  std::map<int, uint64_t> statuses;             // answers; 0: closed without one
  std::map<std::string, uint64_t> malformed;    // requests that break the protocol, by reason
  std::map<std::string, TenantCounts> tenants;  // by X-Scope-OrgID; "anonymous" without
  std::map<std::string, std::vector<std::string>> problems;  // examples, by tenant
  std::map<std::string, LogReceiver::Tenant> logs;           // by X-Scope-OrgID

  // The sum over tenants, of metrics.
  TenantCounts Total() const;
  std::string ToJson() const;
};

// Serves from construction to destruction; thread-safe.
class Region {
 public:
  static absl::StatusOr<std::unique_ptr<Region>> Start(RegionOptions options);
  ~Region();

  uint16_t port() const;
  uint16_t control_port() const;
  // http(s)://127.0.0.1:port/api/v1/push, and /api/v1/logs/push
  std::string push_url() const;
  std::string logs_url() const;

  // As POST /control, e.g. {{"status", "503"}, {"times", "3"}}; an empty tenant means all without a
  // setting of their own. "signal" among the values: for one signal, else for both.
  absl::Status Control(const std::map<std::string, std::string>& values,
                       const std::string& tenant = "");
  RegionReport Report() const;
  // Null when the tenant never sent anything. Lives as long as the region, or until Reset().
  const TenantStore* tenant(const std::string& name) const;
  const LogStore* logs(const std::string& tenant) const;
  // Forgets samples, lines and counters, keeps behaviours. No request may be running.
  void Reset();

 private:
  class Core;
  explicit Region(std::unique_ptr<Core> core);
  std::unique_ptr<Core> core_;
};

// `labels<TAB>timestamp<TAB>value bits in hex` a line, in order; `compact` gives labels on a line
// of their own (beginning with {) and then `timestamp<TAB>bits` lines. Returns a producer of
// pieces, empty at the end.
std::function<std::string()> SampleLines(const TenantStore& tenant, bool compact);

}  // namespace ampari::bench
