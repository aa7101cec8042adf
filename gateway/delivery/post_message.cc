#include "gateway/delivery/post_message.h"

#include <strings.h>

#include <algorithm>

namespace ampari {
namespace {

constexpr char kTenantHeader[] = "X-Scope-OrgID";

bool HasHeader(const HttpClientOptions& options, const char* name) {
  return std::any_of(options.headers.begin(), options.headers.end(),
                     [name](const HttpHeader& h) { return strcasecmp(h.name.c_str(), name) == 0; });
}

}  // namespace

PostMessage::PostMessage(const std::string& tenant, Settings settings)
    : url_(std::move(settings.url)),
      timeout_(settings.timeout),
      headers_(std::move(settings.headers)) {
  settings.http.follow_redirects = false;  // a redirected POST would arrive as a GET
  headers_.emplace_back("User-Agent", "ampari-gateway/" AMPARI_VERSION);
  if (!tenant.empty() && !HasHeader(settings.http, kTenantHeader))
    headers_.emplace_back(kTenantHeader, tenant);
  options_ = std::make_shared<const HttpClientOptions>(std::move(settings.http));
}

HttpRequest PostMessage::Make(std::shared_ptr<const std::string> body, uint32_t retry,
                              std::string frames) const {
  HttpRequest request;
  request.method = "POST";
  request.url = url_;
  request.headers = headers_;
  if (retry > 0) request.headers.emplace_back("Retry-Attempt", std::to_string(retry));
  if (!frames.empty()) request.headers.emplace_back("X-Ampari-Frames", std::move(frames));
  request.body = std::move(body);
  request.timeout = timeout_;
  request.connect_timeout = std::min(timeout_, absl::Seconds(10));
  request.options = options_;
  return request;
}

}  // namespace ampari
