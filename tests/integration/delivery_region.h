// FakeRegion: a remote-write receiver for tests of delivery. Judges requests as Prometheus or as
// Mimir would, or answers by a script, and remembers what it stored and in which order.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "common/http/server.h"
#include "common/runtime/mutex.h"
#include "tests/integration/request_book.h"

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
  using Script = RequestBook<RegionRequest>::Script;

  explicit FakeRegion(Kind kind = Kind::kPrometheus);
  std::string url() const;

  void SetScript(Script script) { book_.SetScript(std::move(script)); }
  void SetDelay(absl::Duration delay) { book_.SetDelay(delay); }
  // Series whose text contains this are refused.
  void SetPoison(std::string text);

  std::vector<RegionRequest> requests() const { return book_.requests(); }
  // What was stored, per series in order of arrival.
  std::map<std::string, std::vector<std::pair<int64_t, uint64_t>>> stored() const;
  // Samples that came again with the same bits as the newest one.
  uint64_t identical_resends() const;
  // What broke the specification.
  std::vector<std::string> complaints() const { return book_.complaints(); }
  bool WaitForRequests(size_t count) { return book_.WaitForRequests(count); }

 private:
  ServerResponse Handle(const ServerRequest& request);
  bool Judge(const RegionRequest& request);

  const Kind kind_;
  RequestBook<RegionRequest> book_{"some sample is refused\n"};
  mutable Mutex mu_;
  std::string poison_ ABSL_GUARDED_BY(mu_);
  std::map<std::string, std::vector<std::pair<int64_t, uint64_t>>> stored_ ABSL_GUARDED_BY(mu_);
  uint64_t identical_ ABSL_GUARDED_BY(mu_) = 0;
  std::unique_ptr<HttpServer> server_;
};

}  // namespace ampari
