// URLs as the HTTP client needs them: resolving redirects and comparing origins. Pure.
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"

namespace ampari {

struct UrlOrigin {
  std::string scheme;
  std::string host;  // IPv6 in brackets
  uint16_t port = 0;
  friend bool operator==(const UrlOrigin&, const UrlOrigin&) = default;
};

// InvalidArgument for what is not an absolute http or https URL; the message holds no part of the
// URL.
absl::StatusOr<UrlOrigin> ParseOrigin(const std::string& url);
// `location` relative to `base`. InvalidArgument for other schemes and for what is no URL.
absl::StatusOr<std::string> ResolveUrl(const std::string& base, const std::string& location);
// The same URL at another host.
absl::StatusOr<std::string> ReplaceHost(const std::string& url, const std::string& host);

// 301, 302, 303, 307, 308.
bool IsRedirect(int status);
// The method after a redirect, as Go's net/http: 301, 302 and 303 turn everything but GET and HEAD
// into GET without a body.
bool RedirectKeepsMethod(int status, const std::string& method);

}  // namespace ampari
