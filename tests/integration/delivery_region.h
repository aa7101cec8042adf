// FakeRegion: a remote-write receiver for tests of delivery. Judges requests as Prometheus or as
// Mimir would, or answers by a script, and remembers what it stored and in which order.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "common/http/server.h"
#include "common/runtime/mutex.h"

namespace ampari {

struct RegionRequest {
  std::string body;  // as it came
  std::map<std::string, std::string> headers;
  // Series text -> samples (timestamp, value bits), in order of the request.
  std::vector<std::pair<std::string, std::vector<std::pair<int64_t, uint64_t>>>> series;
  std::map<std::string, std::string> metadata;  // family -> help
};

// Thread-safe.
class FakeRegion {
 public:
  enum class Kind {
    kPrometheus,  // one bad sample refuses the whole request
    kMimir,       // stores the good ones and answers 400
  };
  // An answer other than the region's own judgement; nullopt: judge. Called with the number of the
  // request, from 0. When `store` is set to true, the request is judged and stored all the same,
  // and only the answer differs.
  using Script = std::function<std::optional<ServerResponse>(const RegionRequest& request,
                                                             size_t number, bool* store)>;

  explicit FakeRegion(Kind kind = Kind::kPrometheus);
  std::string url() const;

  void SetScript(Script script);
  void SetDelay(absl::Duration delay);
  // Series whose text contains this are refused.
  void SetPoison(std::string text);

  std::vector<RegionRequest> requests() const;
  // What was stored, per series in order of arrival.
  std::map<std::string, std::vector<std::pair<int64_t, uint64_t>>> stored() const;
  // Samples that came again with the same bits as the newest one.
  uint64_t identical_resends() const;
  std::vector<std::string> complaints() const;  // what broke the specification
  bool WaitForRequests(size_t count);

 private:
  ServerResponse Handle(const ServerRequest& request);
  bool Judge(const RegionRequest& request);

  const Kind kind_;
  mutable Mutex mu_;
  CondVar changed_;
  Script script_ ABSL_GUARDED_BY(mu_);
  absl::Duration delay_ ABSL_GUARDED_BY(mu_);
  std::string poison_ ABSL_GUARDED_BY(mu_);
  std::vector<RegionRequest> requests_ ABSL_GUARDED_BY(mu_);
  std::map<std::string, std::vector<std::pair<int64_t, uint64_t>>> stored_ ABSL_GUARDED_BY(mu_);
  uint64_t identical_ ABSL_GUARDED_BY(mu_) = 0;
  std::set<std::string> in_flight_ ABSL_GUARDED_BY(mu_);
  std::vector<std::string> complaints_ ABSL_GUARDED_BY(mu_);
  std::unique_ptr<HttpServer> server_;
};

}  // namespace ampari
