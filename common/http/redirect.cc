#include "common/http/redirect.h"

#include <curl/curl.h>

#include <memory>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"

namespace ampari {
namespace {

struct FreeUrl {
  void operator()(CURLU* url) const { curl_url_cleanup(url); }
};
using UrlHandle = std::unique_ptr<CURLU, FreeUrl>;

std::string Part(CURLU* url, CURLUPart part, unsigned flags = 0) {
  char* text = nullptr;
  if (curl_url_get(url, part, &text, flags) != CURLUE_OK || text == nullptr) return "";
  std::string out = text;
  curl_free(text);
  return out;
}

absl::Status NotAUrl() { return absl::InvalidArgumentError("not an absolute http or https URL"); }

absl::StatusOr<UrlHandle> Parse(const std::string& text) {
  UrlHandle url(curl_url());
  if (curl_url_set(url.get(), CURLUPART_URL, text.c_str(), 0) != CURLUE_OK) return NotAUrl();
  const std::string scheme = Part(url.get(), CURLUPART_SCHEME);
  if (scheme != "http" && scheme != "https") return NotAUrl();
  return url;
}

}  // namespace

absl::StatusOr<UrlOrigin> ParseOrigin(const std::string& text) {
  absl::StatusOr<UrlHandle> url = Parse(text);
  if (!url.ok()) return url.status();
  UrlOrigin origin;
  origin.scheme = Part(url->get(), CURLUPART_SCHEME);
  origin.host = Part(url->get(), CURLUPART_HOST);
  uint32_t port = 0;
  if (!absl::SimpleAtoi(Part(url->get(), CURLUPART_PORT, CURLU_DEFAULT_PORT), &port) || port == 0 ||
      port > 65535) {
    return NotAUrl();
  }
  origin.port = static_cast<uint16_t>(port);
  return origin;
}

absl::StatusOr<std::string> ResolveUrl(const std::string& base, const std::string& location) {
  absl::StatusOr<UrlHandle> url = Parse(base);
  if (!url.ok()) return url.status();
  if (curl_url_set(url->get(), CURLUPART_URL, location.c_str(), 0) != CURLUE_OK) return NotAUrl();
  const std::string scheme = Part(url->get(), CURLUPART_SCHEME);
  if (scheme != "http" && scheme != "https") return NotAUrl();
  return Part(url->get(), CURLUPART_URL);
}

absl::StatusOr<std::string> ReplaceHost(const std::string& text, const std::string& host) {
  absl::StatusOr<UrlHandle> url = Parse(text);
  if (!url.ok()) return url.status();
  if (curl_url_set(url->get(), CURLUPART_HOST, host.c_str(), 0) != CURLUE_OK) return NotAUrl();
  return Part(url->get(), CURLUPART_URL);
}

bool IsRedirect(int status) {
  return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

bool RedirectKeepsMethod(int status, const std::string& method) {
  if (status == 307 || status == 308) return true;
  return method == "GET" || method == "HEAD";
}

}  // namespace ampari
