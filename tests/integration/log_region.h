// FakeLoki: a Loki-push receiver for tests of delivery. Stores the lines that it does not refuse
// and answers 400 when it refused any, as Loki does, or answers by a script; remembers what it
// stored and in which order.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "common/http/server.h"
#include "common/runtime/mutex.h"

namespace ampari {

// Time, line, structured metadata as "a=b,".
using LokiLine = std::tuple<int64_t, std::string, std::string>;

struct LokiRequest {
  std::string body;  // as it came
  std::map<std::string, std::string> headers;
  std::vector<std::pair<std::string, std::vector<LokiLine>>> streams;  // by selector
  size_t lines() const;
};

// Thread-safe.
class FakeLoki {
 public:
  // An answer other than the region's own; nullopt: judge and store. With `store` set to true it
  // stores all the same, and only the answer differs.
  using Script = std::function<std::optional<ServerResponse>(const LokiRequest& request,
                                                             size_t number, bool* store)>;

  FakeLoki();
  std::string url() const;

  void SetScript(Script script);
  void SetDelay(absl::Duration delay);
  // Lines and selectors that contain this are refused.
  void SetPoison(std::string text);

  // As Loki's ingester: what it refuses is told only of the last stream of a push.
  void SetForgetful();

  std::vector<LokiRequest> requests() const;
  // What was stored, per stream in order of arrival, without what came again.
  std::map<std::string, std::vector<LokiLine>> stored() const;
  uint64_t stored_lines() const;
  uint64_t resent() const;                      // lines that came again and were known
  std::vector<std::string> complaints() const;  // what broke the protocol
  bool WaitForRequests(size_t count);

 private:
  ServerResponse Handle(const ServerRequest& request);
  bool Judge(const LokiRequest& request);

  mutable Mutex mu_;
  CondVar changed_;
  Script script_ ABSL_GUARDED_BY(mu_);
  absl::Duration delay_ ABSL_GUARDED_BY(mu_);
  std::string poison_ ABSL_GUARDED_BY(mu_);
  bool forgetful_ ABSL_GUARDED_BY(mu_) = false;
  std::vector<LokiRequest> requests_ ABSL_GUARDED_BY(mu_);
  std::map<std::string, std::vector<LokiLine>> stored_ ABSL_GUARDED_BY(mu_);
  std::set<std::pair<std::string, LokiLine>> known_ ABSL_GUARDED_BY(mu_);
  uint64_t resent_ ABSL_GUARDED_BY(mu_) = 0;
  std::set<std::string> in_flight_ ABSL_GUARDED_BY(mu_);
  std::vector<std::string> complaints_ ABSL_GUARDED_BY(mu_);
  std::unique_ptr<HttpServer> server_;
};

}  // namespace ampari
