// HttpApi: the gateway's HTTP interface: /metrics, /-/healthy, /-/ready, /-/reload, /api/v1/….
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "common/http/server.h"
#include "common/runtime/metrics.h"
#include "gateway/status/snapshot.h"

namespace ampari {

// What the pages are made from; each is called from the server's threads, several at once, but for
// `verify`: one at a time.
struct HttpApiSources {
  std::function<GatewaySnapshot()> snapshot;
  std::function<std::vector<VerifyProblem>()> verify;
  std::function<std::vector<DeadLetter>(const std::string& tenant, size_t limit)> dead_letters;
  std::function<absl::Status()> reload;
  std::function<bool()> ready;  // takes frames: never a matter of the region
  std::function<std::string()>
      change_token;  // for changes from elsewhere than loopback; empty: none
};

// Thread-safe. What the sources refer to must outlive it.
class HttpApi {
 public:
  explicit HttpApi(HttpApiSources sources);
  ServerResponse Answer(const ServerRequest& request);

 private:
  ServerResponse Get(const ServerRequest& request);
  ServerResponse Verify(bool words);
  ServerResponse DeadLetters(const ServerRequest& request);
  ServerResponse Reload(const ServerRequest& request);

  const HttpApiSources sources_;
  const std::string host_name_;
  MetricsRegistry metrics_;
};

}  // namespace ampari
