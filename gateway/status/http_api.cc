#include "gateway/status/http_api.h"

#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <utility>

#include "common/runtime/absl_view.h"
#include "gateway/status/gateway_metrics.h"
#include "gateway/status/pages.h"
#include "gateway/status/queue_text.h"
#include "gateway/status/request_guard.h"

namespace ampari {
namespace {

constexpr char kJson[] = "application/json";
constexpr size_t kDefaultDeadLetters = 100;

std::string HostName() {
  char name[256] = {};
  return gethostname(name, sizeof(name) - 1) == 0 ? std::string(name) : std::string();
}

ServerResponse Json(std::string body) {
  ServerResponse response;
  response.content_type = kJson;
  response.body = std::move(body);
  return response;
}

ServerResponse Text(int status, std::string body) {
  ServerResponse response;
  response.status = status;
  response.body = std::move(body);
  return response;
}

ServerResponse Failed(int status, const absl::Status& why) {
  ServerResponse response = Json(ErrorPage(FromAbsl(why.message())));
  response.status = status;
  return response;
}

ServerResponse MethodNotAllowed(std::string allowed) {
  ServerResponse response = Text(405, "use " + allowed + "\n");
  response.headers.emplace_back("Allow", std::move(allowed));
  return response;
}

// Nothing of ours runs in a browser: no scripts, no frames, no guessing of types.
void AddSafetyHeaders(ServerResponse& response) {
  response.headers.emplace_back("X-Content-Type-Options", "nosniff");
  response.headers.emplace_back("Content-Security-Policy",
                                "default-src 'none'; frame-ancestors 'none'");
  response.headers.emplace_back("Cache-Control", "no-store");
}

}  // namespace

HttpApi::HttpApi(HttpApiSources sources) : sources_(std::move(sources)), host_name_(HostName()) {
  metrics_.Add(ProcessCollector("ampari_gateway"));
  metrics_.Add([this](std::vector<MetricFamily>& families) {
    const GatewaySnapshot snapshot = sources_.snapshot();
    AddLedgerMetrics(snapshot, families);
    AddStoreMetrics(snapshot, families);
    AddIntakeMetrics(snapshot, families);
    AddDeliveryMetrics(snapshot, families);
    AddLayoutMetrics(snapshot, families);
    AddReloadMetrics(snapshot, families);
  });
}

ServerResponse HttpApi::Answer(const ServerRequest& request) {
  ServerResponse response;
  const absl::Status host = CheckHost(request, host_name_);
  if (!host.ok()) {
    response = Failed(403, host);
  } else if (request.path == "/-/reload") {
    response = Reload(request);
  } else if (request.method != "GET" && request.method != "HEAD") {
    response = MethodNotAllowed("GET");
  } else {
    response = Get(request);
  }
  AddSafetyHeaders(response);
  return response;
}

ServerResponse HttpApi::Get(const ServerRequest& request) {
  const std::string& path = request.path;
  if (path == "/-/healthy") return Text(200, "Ampari gateway is healthy.\n");
  if (path == "/-/ready") {
    return sources_.ready() ? Text(200, "Ampari gateway is ready.\n")
                            : Text(503, "Ampari gateway is starting or stopping.\n");
  }
  if (path == "/metrics") {
    ServerResponse response = Text(200, metrics_.Render());
    response.content_type = kMetricsContentType;
    return response;
  }
  const bool words = request.Query("format") == "text";
  if (path == "/api/v1/status/ledger") return Json(LedgerPage(sources_.snapshot()));
  if (path == "/api/v1/queue") {
    const GatewaySnapshot snapshot = sources_.snapshot();
    return words ? Text(200, QueueText(snapshot)) : Json(QueuePage(snapshot));
  }
  if (path == "/api/v1/queue/verify") return Verify(words);
  if (path == "/api/v1/forwarders") return Json(ForwardersPage(sources_.snapshot()));
  if (path == "/api/v1/destinations") return Json(DestinationsPage(sources_.snapshot()));
  if (path == "/api/v1/dead_letters") return DeadLetters(request);
  return Failed(404, absl::NotFoundError("no such page"));
}

// Reads everything that is stored: probes and metrics must not wait for it.
ServerResponse HttpApi::Verify(bool words) {
  ServerResponse response;
  response.deferred = [this, words] {
    const std::vector<VerifyProblem> problems = sources_.verify();
    ServerResponse verified = words ? Text(200, VerifyText(problems)) : Json(VerifyPage(problems));
    AddSafetyHeaders(verified);
    return verified;
  };
  return response;
}

ServerResponse HttpApi::DeadLetters(const ServerRequest& request) {
  size_t limit = kDefaultDeadLetters;
  const std::string_view text = request.Query("limit");
  if (!text.empty()) {
    const auto parsed = std::from_chars(text.data(), text.data() + text.size(), limit);
    if (parsed.ec != std::errc() || parsed.ptr != text.data() + text.size()) {
      return Failed(400, absl::InvalidArgumentError("limit is a number"));
    }
  }
  limit = std::min(limit, kMaxDeadLetters);
  if (request.Query("format") == "text") {
    std::string letters;
    for (const std::string& tenant : TenantsOf(sources_.snapshot()))
      letters += DeadLettersText(tenant, sources_.dead_letters(tenant, limit));
    return Text(200, letters.empty() ? kNoDeadLetters : letters);
  }
  const std::string tenant(request.Query("tenant"));
  return Json(DeadLettersPage(tenant, sources_.dead_letters(tenant, limit)));
}

ServerResponse HttpApi::Reload(const ServerRequest& request) {
  if (request.method != "POST" && request.method != "PUT") return MethodNotAllowed("POST");
  const absl::Status allowed = CheckChange(request, sources_.change_token());
  if (!allowed.ok())
    return Failed(allowed.code() == absl::StatusCode::kUnauthenticated ? 401 : 403, allowed);
  const absl::Status reloaded = sources_.reload();
  return reloaded.ok() ? Text(200, "reloaded\n") : Failed(500, reloaded);
}

}  // namespace ampari
