// FakeLoki: a Loki-push receiver for tests of delivery. Stores the lines that it does not refuse
// and answers 400 when it refused any, as Loki does, or answers by a script; remembers what it
// stored and in which order.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "common/http/server.h"
#include "common/runtime/mutex.h"
#include "tests/integration/request_book.h"

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
  using Script = RequestBook<LokiRequest>::Script;

  FakeLoki();
  std::string url() const;

  void SetScript(Script script) { book_.SetScript(std::move(script)); }
  void SetDelay(absl::Duration delay) { book_.SetDelay(delay); }
  // Lines and selectors that contain this are refused.
  void SetPoison(std::string text);

  // As Loki's ingester: what it refuses is told only of the last stream of a push.
  void SetForgetful();

  std::vector<LokiRequest> requests() const { return book_.requests(); }
  // What was stored, per stream in order of arrival, without what came again.
  std::map<std::string, std::vector<LokiLine>> stored() const;
  uint64_t stored_lines() const;
  uint64_t resent() const;  // lines that came again and were known
  // What broke the protocol.
  std::vector<std::string> complaints() const { return book_.complaints(); }
  bool WaitForRequests(size_t count) { return book_.WaitForRequests(count); }

 private:
  ServerResponse Handle(const ServerRequest& request);
  bool Judge(const LokiRequest& request);

  RequestBook<LokiRequest> book_{"some line is refused\n"};
  mutable Mutex mu_;
  std::string poison_ ABSL_GUARDED_BY(mu_);
  bool forgetful_ ABSL_GUARDED_BY(mu_) = false;
  std::map<std::string, std::vector<LokiLine>> stored_ ABSL_GUARDED_BY(mu_);
  std::set<std::pair<std::string, LokiLine>> known_ ABSL_GUARDED_BY(mu_);
  uint64_t resent_ ABSL_GUARDED_BY(mu_) = 0;
  std::unique_ptr<HttpServer> server_;
};

}  // namespace ampari
