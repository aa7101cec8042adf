#include "gateway/delivery/write_message.h"

#include <strings.h>

#include <algorithm>
#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"

namespace ampari {
namespace {

constexpr char kTenantHeader[] = "X-Scope-OrgID";

bool HasHeader(const HttpClientOptions& options, const char* name) {
  return std::any_of(options.headers.begin(), options.headers.end(),
                     [name](const HttpHeader& h) { return strcasecmp(h.name.c_str(), name) == 0; });
}

}  // namespace

WriteMessage::WriteMessage(std::string tenant, const RemoteWriteConfig& config)
    : tenant_(std::move(tenant)),
      url_(config.url),
      timeout_(config.remote_timeout),
      frame_header_(config.send_frame_header) {
  auto options = std::make_shared<HttpClientOptions>(config.http);
  options->follow_redirects = false;  // a redirected POST would arrive as a GET: a human must act
  headers_ = {{"Content-Encoding", "snappy"},
              {"Content-Type", "application/x-protobuf"},
              {"User-Agent", "ampari-gateway/" AMPARI_VERSION},
              {"X-Prometheus-Remote-Write-Version", "0.1.0"}};
  if (!tenant_.empty() && !HasHeader(*options, kTenantHeader))
    headers_.emplace_back(kTenantHeader, tenant_);
  options_ = std::move(options);
}

HttpRequest WriteMessage::Make(std::shared_ptr<const std::string> body, uint32_t retry,
                               uint32_t lane, const RequestPlan* plan) const {
  HttpRequest request;
  request.method = "POST";
  request.url = url_;
  request.headers = headers_;
  if (retry > 0) request.headers.emplace_back("Retry-Attempt", std::to_string(retry));
  if (frame_header_ && plan != nullptr) {
    request.headers.emplace_back("X-Ampari-Frames", FrameHeaderValue(tenant_, lane, *plan));
  }
  request.body = std::move(body);
  request.timeout = timeout_;
  request.connect_timeout = std::min(timeout_, absl::Seconds(10));
  request.options = options_;
  return request;
}

std::string FrameHeaderValue(const std::string& tenant, uint32_t lane, const RequestPlan& plan) {
  uint64_t first = std::numeric_limits<uint64_t>::max(), last = 0;
  for (const GroupSlice& slice : plan.slices) {
    for (uint32_t c = slice.column; c < slice.column_upto; ++c) {
      first = std::min(first, slice.group->columns[c].record);
      last = std::max(last, slice.group->columns[c].record);
    }
  }
  return absl::StrCat(tenant, "/metrics;lane=", lane, ";frames=", first, "-", last);
}

}  // namespace ampari
