#include "forwarder/pages.h"

#include "common/runtime/metrics.h"

namespace ampari {
namespace {

constexpr std::string_view kBearer = "Bearer ";
constexpr char kIndex[] =
    "Ampari forwarder\n/targets\n/metrics\n/-/healthy\n/-/ready\n/-/reload (POST)\n";

ServerResponse Text(int status, std::string body) {
  ServerResponse response;
  response.status = status;
  response.body = std::move(body);
  return response;
}

ServerResponse WrongMethod(const char* allowed) {
  ServerResponse response = Text(405, "method not allowed\n");
  response.headers.emplace_back("Allow", allowed);
  return response;
}

bool MayChangeState(const ForwarderPages& pages, const ServerRequest& request) {
  if (request.peer_is_loopback) return true;
  const std::string_view authorization = request.Header("authorization");
  return authorization.starts_with(kBearer) && pages.is_token(authorization.substr(kBearer.size()));
}

ServerResponse AnswerReload(const ForwarderPages& pages, const ServerRequest& request) {
  if (request.method != "POST") return WrongMethod("POST");
  if (!MayChangeState(pages, request)) {
    return Text(403, "a reload needs the token of the http block, or loopback\n");
  }
  const absl::Status status = pages.reload();
  if (!status.ok()) return Text(500, std::string(status.message()) + "\n");
  return Text(200, "reloaded\n");
}

ServerResponse AnswerReady(const ForwarderPages& pages, const ServerRequest& request) {
  if (!pages.ready()) return Text(503, "not ready\n");
  if (request.Query("wait") == "gateway" && !pages.welcomed())
    return Text(503, "no gateway has taken this forwarder in yet\n");
  return Text(200, "ready\n");
}

}  // namespace

ServerResponse AnswerPage(const ForwarderPages& pages, const ServerRequest& request) {
  if (request.path == "/-/reload") return AnswerReload(pages, request);
  const bool known = request.path == "/" || request.path == "/targets" ||
                     request.path == "/metrics" || request.path == "/-/healthy" ||
                     request.path == "/-/ready";
  if (!known) return Text(404, "not found\n");
  if (request.method != "GET" && request.method != "HEAD") return WrongMethod("GET, HEAD");
  if (request.path == "/-/healthy") return Text(200, "healthy\n");
  if (request.path == "/-/ready") return AnswerReady(pages, request);
  if (request.path == "/") return Text(200, kIndex);
  ServerResponse response;
  const bool is_metrics = request.path == "/metrics";
  response.content_type = is_metrics ? kMetricsContentType : "application/json";
  response.body = is_metrics ? pages.metrics() : pages.targets();
  return response;
}

}  // namespace ampari
