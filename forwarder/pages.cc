#include "forwarder/pages.h"

#include <optional>

#include "common/runtime/metrics.h"

namespace ampari {
namespace {

constexpr std::string_view kBearer = "Bearer ";
constexpr char kIndex[] =
    "Ampari forwarder\n/targets (JSON; ?format=text, "
    "?format=html)\n/metrics\n/-/healthy\n/-/ready\n/-/reload (POST)\n";

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

// nullopt: there is no such form.
std::optional<PageForm> FormOf(const ServerRequest& request) {
  const std::string_view format = request.Query("format");
  if (format == "text") return PageForm::kText;
  if (format == "html") return PageForm::kHtml;
  if (format == "json") return PageForm::kJson;
  if (!format.empty()) return std::nullopt;
  // Browsers name it; programs that take anything get JSON.
  const bool html = request.Header("accept").find("text/html") != std::string_view::npos;
  return html ? PageForm::kHtml : PageForm::kJson;
}

ServerResponse AnswerTargets(const ForwarderPages& pages, const ServerRequest& request) {
  const std::optional<PageForm> form = FormOf(request);
  if (!form) return Text(400, "format is json, text or html\n");
  ServerResponse response = Text(200, pages.targets(*form));
  if (*form == PageForm::kJson) response.content_type = "application/json";
  if (*form == PageForm::kHtml) response.content_type = "text/html; charset=utf-8";
  response.headers = {{"Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"},
                      {"X-Content-Type-Options", "nosniff"},
                      {"Vary", "Accept"}};
  return response;
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
  if (request.path == "/targets") return AnswerTargets(pages, request);
  ServerResponse response = Text(200, pages.metrics());
  response.content_type = kMetricsContentType;
  return response;
}

}  // namespace ampari
